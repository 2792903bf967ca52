import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '../../notebook/json';
import { stringifyJson } from '../../notebook/json-writer';
import type { DeclaredParameter } from '../../notebook/parameters/declared';
import { parseWithWords, type ParametersReading } from '../../notebook/parameters/parse';
import { withWords, type YamlWord } from '../../notebook/parameters/yaml/words';

/*
 * What the parameters pick knows and decides, without the editor: values by name, typed by the person as text.
 */

export const PARAMETER_KINDS = ['int', 'float', 'bool', 'string', 'list', 'dict', 'any'] as const;
export type ParameterKind = (typeof PARAMETER_KINDS)[number];

/** A parameter as the notebook's tagged cell declares it. */
export interface FormParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** `None` is a value, too. */
  readonly optional: boolean;
  /** Default as the source spells it. */
  readonly defaultText: string;
  /** The default's value; undefined where it is no literal. */
  readonly defaultValue: JsonValue | undefined;
  /** The only values there are; undefined: any of its kind. */
  readonly choices: readonly string[] | undefined;
  readonly comment: string;
}

/** Why a text is no value of its kind. */
export type ValueProblem =
  'notInt' | 'notFloat' | 'notBool' | 'notText' | 'notList' | 'notDict' | 'notChoice' | 'notValue';

export type ParsedValue =
  | {
      readonly value: JsonValue;
      /** What papermill would read otherwise, where it is read as YAML. */
      readonly words?: readonly YamlWord[];
      readonly problem?: undefined;
    }
  | { readonly value?: undefined; readonly problem: ValueProblem };

/** One row of the pick. */
export interface ParameterRow {
  readonly name: string;
  /** Undefined where the notebook does not declare it. */
  readonly declared: FormParameter | undefined;
  /** The value that is set; undefined: the notebook's default. */
  readonly value: JsonValue | undefined;
  /** Why the value that is set is none for this parameter. */
  readonly problem: ValueProblem | undefined;
}

/** The parameters of one submission while the person changes them. */
export class ParameterForm {
  private readonly values = new Map<string, JsonValue>();
  private readonly wordsOf = new Map<string, readonly YamlWord[]>();

  constructor(
    readonly declared: readonly FormParameter[],
    initial: ParametersReading,
  ) {
    this.load(initial);
  }

  /** Declared parameters in the notebook's order, then the others. */
  rows(): ParameterRow[] {
    const names = new Set([...this.declared.map(({ name }) => name), ...this.values.keys()]);
    return [...names].map((name) => ({
      name,
      declared: this.declaredAs(name),
      value: this.values.get(name),
      problem: this.problemOf(name),
    }));
  }

  declaredAs(name: string): FormParameter | undefined {
    return this.declared.find((parameter) => parameter.name === name);
  }

  set(name: string, value: JsonValue, words: readonly YamlWord[] = []): void {
    this.values.set(name, value);
    this.wordsOf.set(name, words);
  }

  /** Back to the notebook's default; takes away a parameter that it does not declare. */
  reset(name: string): void {
    this.values.delete(name);
    this.wordsOf.delete(name);
  }

  resetAll(): void {
    this.values.clear();
    this.wordsOf.clear();
  }

  /** Sets many at once, as from a file. */
  load({ values, words }: ParametersReading): void {
    for (const [name, value] of Object.entries(values)) {
      this.set(
        name,
        value,
        words.filter(({ names }) => names[0] === name),
      );
    }
  }

  /** What papermill would read otherwise in the values that are set. */
  words(): readonly YamlWord[] {
    return [...this.wordsOf.values()].flat();
  }

  /** Names that the notebook does not declare. */
  undeclared(): string[] {
    return [...this.values.keys()].filter((name) => this.declaredAs(name) === undefined);
  }

  /**
   * What is to be injected, as text; what equals the default is left out only where it was never set. Words of YAML stand there as
   * they were written, so that the service warns of them, too. Undefined: nothing is set.
   */
  text(): string | undefined {
    if (this.values.size === 0) return undefined;
    const entries = [...this.values].map(([name, value]): [string, JsonValue] => {
      return [name, withWords(value, this.wordsOf.get(name) ?? [])];
    });
    return parametersText(Object.fromEntries(entries));
  }

  /** The text in an input box that means this parameter's value now. */
  textOf(name: string): string {
    const value = this.values.get(name);
    const declared = this.declaredAs(name);
    const shown = value ?? declared?.defaultValue;
    return shown === undefined ? (declared?.defaultText ?? '') : valueText(shown, declared?.kind ?? 'any');
  }

  /** Why a value that was not typed here, but loaded, is none for its parameter; values typed are checked as they are. */
  private problemOf(name: string): ValueProblem | undefined {
    const value = this.values.get(name);
    const declared = this.declaredAs(name);
    if (value === undefined || declared === undefined) return undefined;
    // Typed, any text would become text.
    if (declared.kind === 'string' && typeof value !== 'string')
      return value === null && declared.optional ? undefined : 'notText';
    return this.parse(name, valueText(value, declared.kind)).problem;
  }

  /** Reads what the person typed. */
  parse(name: string, text: string): ParsedValue {
    const declared = this.declaredAs(name);
    const parsed = parseValue(text, declared?.kind ?? 'any', declared?.optional ?? true, declared?.choices);
    if (parsed.problem !== undefined) return parsed;
    const { value, words = [] } = parsed;
    return { value, words: words.map((word) => ({ ...word, names: [name, ...word.names.slice(1)] })) };
  }
}

/** The declared parameters of a notebook as the form takes them. */
export function formParameters(declared: readonly DeclaredParameter[]): FormParameter[] {
  return declared.map(({ name, type = '', defaultValue, defaultSource, comment = '', choices }) => {
    const kind = kindOf(type);
    return {
      name,
      kind,
      optional: kind === 'any' || defaultValue === null || /\bNone\b|^(?:typing\.)?Optional\b/.test(type),
      defaultText: defaultSource,
      defaultValue,
      choices: choices?.map((choice) => valueText(choice, kind)),
      comment,
    };
  });
}

/** What a type hint says about values: `list[int]`, `Optional[str]`, `int | None`. Anything else takes any value. */
function kindOf(type: string): ParameterKind {
  const inner = /^(?:typing\.)?Optional\[(.*)\]$/.exec(type)?.[1] ?? type;
  const [name, ...others] = inner
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== 'None');
  if (name === undefined || others.length > 0) return 'any';
  const base = name
    .replace(/\[.*$/s, '')
    .replace(/^(?:typing|builtins)\./, '')
    .toLowerCase();
  return KIND_OF_TYPE.get(base) ?? 'any';
}

const KIND_OF_TYPE: ReadonlyMap<string, ParameterKind> = new Map([
  ['int', 'int'],
  ['float', 'float'],
  ['bool', 'bool'],
  ['str', 'string'],
  ['list', 'list'],
  ['tuple', 'list'],
  ['sequence', 'list'],
  ['dict', 'dict'],
  ['mapping', 'dict'],
]);

/** Parameters as the text of `executionTemplate.parameters`: JSON, with NaN and infinities as YAML spells them. */
function parametersText(values: JsonObject): string {
  return stringifyJson(spelledForYaml(values));
}

function spelledForYaml(value: JsonValue): JsonValue {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return new JsonNumber(Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf');
  }
  if (Array.isArray(value)) return value.map(spelledForYaml);
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spelledForYaml(item)]));
}

/** A value as a person would type it for this kind. Strings stand bare where that cannot be mistaken. */
export function valueText(value: JsonValue, kind: ParameterKind): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const bare = kind === 'string' ? value !== 'None' && !isQuoted(value) : isPlainString(value);
    return bare && !/[\r\n]/.test(value) ? value : JSON.stringify(value);
  }
  return stringifyJson(value, { nonFinite: 'bare' });
}

/** Reads text as a value of a kind. */
export function parseValue(
  text: string,
  kind: ParameterKind,
  optional: boolean,
  choices?: readonly string[],
): ParsedValue {
  const trimmed = text.trim();
  if (choices !== undefined && !choices.includes(trimmed)) return { problem: 'notChoice' };
  if (optional && /^(?:None|null)$/.test(trimmed)) return { value: null };
  switch (kind) {
    case 'int':
      return /^[+-]?\d+(?:_\d+)*$/.test(trimmed) ? { value: numberOf(trimmed) } : { problem: 'notInt' };
    case 'float':
      return parseFloatingPoint(trimmed);
    case 'bool':
      if (/^true$/i.test(trimmed)) return { value: true };
      return /^false$/i.test(trimmed) ? { value: false } : { problem: 'notBool' };
    case 'string':
      return { value: isQuoted(text) ? unquote(text) : text };
    case 'list': {
      const read = readLiteral(trimmed);
      return Array.isArray(read?.value) ? read : { problem: 'notList' };
    }
    case 'dict': {
      const read = readLiteral(trimmed);
      return isJsonObject(read?.value) ? read : { problem: 'notDict' };
    }
    case 'any':
      return readLiteral(trimmed) ?? { problem: 'notValue' };
  }
}

function parseFloatingPoint(text: string): ParsedValue {
  if (/^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?$/i.test(text)) return { value: numberOf(text) };
  const special = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i.exec(text.replace(/^float\(["'](.*)["']\)$/, '$1'));
  if (special === null) return { problem: 'notFloat' };
  if (special[2] !== undefined) return { value: Number.NaN };
  return { value: special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY };
}

/** A number through the YAML reader, which keeps what JavaScript's numbers would change. */
function numberOf(text: string): JsonValue {
  return parseLiteral(text.replaceAll('_', '')) ?? Number(text);
}

/** A value as YAML and Python spell it: `[1, 'a']`, `{a: 1}`, `True`, `None`, bare text. Undefined where it is none. */
function readLiteral(text: string): { value: JsonValue; words: readonly YamlWord[] } | undefined {
  try {
    // One level in, so that text with line breaks or a colon cannot become parameters of its own.
    const { values, words } = parseWithWords(`value: ${text.replaceAll(/\s*\n\s*/g, ' ')}`);
    const { value } = values;
    return value === undefined ? undefined : { value: withNone(value, text), words };
  } catch {
    return undefined;
  }
}

function parseLiteral(text: string): JsonValue | undefined {
  return readLiteral(text)?.value;
}

/** Bare `None` is text in YAML; a person who quotes it means the text. */
function withNone(value: JsonValue, source: string): JsonValue {
  if (/["']None["']/.test(source)) return value;
  if (value === 'None') return null;
  if (Array.isArray(value)) return value.map((item) => withNone(item, source));
  if (typeof value === 'object' && value !== null && !(value instanceof JsonNumber)) {
    for (const [key, item] of Object.entries(value)) {
      value[key] = withNone(item, source);
    }
  }
  return value;
}

function isQuoted(text: string): boolean {
  return /^"(?:[^"\\]|\\.)*"$/s.test(text) || /^'[^'\\]*'$/s.test(text);
}

function unquote(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'string' ? parsed : text;
  } catch {
    return text.slice(1, -1);
  }
}

/** True for text that reads back as itself without quotes. */
function isPlainString(text: string): boolean {
  return text !== '' && parseLiteral(text) === text;
}
