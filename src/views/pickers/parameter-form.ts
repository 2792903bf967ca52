import { JsonNumber, type JsonObject, type JsonValue } from '../../notebook/json';
import { stringifyJson } from '../../notebook/json-writer';
import type { DeclaredParameter } from '../../notebook/parameters/declared';
import type { ParametersReading } from '../../notebook/parameters/parse';
import { withWords, type YamlWord } from '../../notebook/parameters/yaml/words';
import {
  parseValue,
  valueText,
  type ParameterKind,
  type ParsedValue,
  type ValueProblem,
} from './parameter-value';

/*
 * State and logic of the parameter picker, independent of the editor: values by name, which the user enters as text.
 */

/** A parameter as declared in the notebook's tagged cell. */
export interface FormParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** Whether `None` is a valid value. */
  readonly optional: boolean;
  /** The default as written in the source. */
  readonly defaultText: string;
  /** The default's value; undefined if it is not a literal. */
  readonly defaultValue: JsonValue | undefined;
  /** The allowed values; undefined if any value of the kind is allowed. */
  readonly choices: readonly string[] | undefined;
  readonly comment: string;
}

/** One row of the picker. */
export interface ParameterRow {
  readonly name: string;
  /** Undefined if the notebook does not declare the parameter. */
  readonly declared: FormParameter | undefined;
  /** The value that is set; undefined for the notebook's default. */
  readonly value: JsonValue | undefined;
  /** Why the value that is set is invalid for this parameter. */
  readonly problem: ValueProblem | undefined;
}

/** The parameters of one submission while the user edits them. */
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

  /** Resets a parameter to the notebook's default. Removes it if the notebook does not declare it. */
  reset(name: string): void {
    this.values.delete(name);
    this.wordsOf.delete(name);
  }

  resetAll(): void {
    this.values.clear();
    this.wordsOf.clear();
  }

  /** Sets several values, for example from a file. */
  load({ values, words }: ParametersReading): void {
    for (const [name, value] of Object.entries(values)) {
      this.set(
        name,
        value,
        words.filter(({ names }) => names[0] === name),
      );
    }
  }

  /** Words in the current values that papermill would read differently. */
  words(): readonly YamlWord[] {
    return [...this.wordsOf.values()].flat();
  }

  /** Names of parameters that are set but that the notebook does not declare. */
  undeclared(): string[] {
    return [...this.values.keys()].filter((name) => this.declaredAs(name) === undefined);
  }

  /**
   * All values that are set, as text, including those equal to the default. YAML words are written as the user wrote
   * them, so that the service warns about them, too. Undefined if nothing is set.
   */
  text(): string | undefined {
    if (this.values.size === 0) return undefined;
    const entries = [...this.values].map(([name, value]): [string, JsonValue] => {
      return [name, withWords(value, this.wordsOf.get(name) ?? [])];
    });
    return parametersText(Object.fromEntries(entries));
  }

  /** A parameter's current value as text for the input box. */
  textOf(name: string): string {
    const value = this.values.get(name);
    const declared = this.declaredAs(name);
    const shown = value ?? declared?.defaultValue;
    return shown === undefined ? (declared?.defaultText ?? '') : valueText(shown, declared?.kind ?? 'any');
  }

  /** Why a loaded value is invalid for its parameter. Typed values are validated when they are entered. */
  private problemOf(name: string): ValueProblem | undefined {
    const value = this.values.get(name);
    const declared = this.declaredAs(name);
    if (value === undefined || declared === undefined) return undefined;
    // A conversion to text and back would accept any value as a string.
    if (declared.kind === 'string' && typeof value !== 'string')
      return value === null && declared.optional ? undefined : 'notText';
    return this.parse(name, valueText(value, declared.kind)).problem;
  }

  /** Parses the user's input. */
  parse(name: string, text: string): ParsedValue {
    const declared = this.declaredAs(name);
    const parsed = parseValue(text, declared?.kind ?? 'any', declared?.optional ?? true, declared?.choices);
    if (parsed.problem !== undefined) return parsed;
    const { value, words = [] } = parsed;
    return { value, words: words.map((word) => ({ ...word, names: [name, ...word.names.slice(1)] })) };
  }
}

/** Converts the declared parameters of a notebook for the form. */
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

/** The kind of values that a type hint allows: `list[int]`, `Optional[str]`, `int | None`. Unknown hints allow any. */
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

/** Parameters as text for `executionTemplate.parameters`: JSON, with NaN and infinities in YAML's spelling. */
function parametersText(values: JsonObject): string {
  return stringifyJson(spelledForYaml(values));
}

function spelledForYaml(value: JsonValue): JsonValue {
  if (typeof value === 'number' && !Number.isFinite(value))
    return new JsonNumber(Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf');
  if (Array.isArray(value)) return value.map(spelledForYaml);
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spelledForYaml(item)]));
}
