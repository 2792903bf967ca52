import { isJsonObject, JsonNumber, type JsonValue } from '../../notebook/json';
import { stringifyJson } from '../../notebook/json-writer';
import { parseWithWords } from '../../notebook/parameters/parse';
import type { YamlWord } from '../../notebook/parameters/yaml/words';

/*
 * Values of parameters as text: how they are shown to the user, and how text that the user enters is parsed.
 */

export const PARAMETER_KINDS = ['int', 'float', 'bool', 'string', 'list', 'dict', 'any'] as const;
export type ParameterKind = (typeof PARAMETER_KINDS)[number];

/** Why a text is not a valid value of its kind. */
export type ValueProblem =
  'notInt' | 'notFloat' | 'notBool' | 'notText' | 'notList' | 'notDict' | 'notChoice' | 'notValue';

export type ParsedValue =
  | {
      readonly value: JsonValue;
      /** Words that papermill would read differently, if the text was read as YAML. */
      readonly words?: readonly YamlWord[];
      readonly problem?: undefined;
    }
  | { readonly value?: undefined; readonly problem: ValueProblem };

/** A value as the user would type it for this kind. Strings are unquoted if that is unambiguous. */
export function valueText(value: JsonValue, kind: ParameterKind): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const bare = kind === 'string' ? value !== 'None' && !isQuoted(value) : isPlainString(value);
    return bare && !/[\r\n]/.test(value) ? value : JSON.stringify(value);
  }
  return stringifyJson(value, { nonFinite: 'bare' });
}

/** Parses text as a value of a kind. */
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

/** Parses a number with the YAML reader, which preserves precision that a JavaScript number would lose. */
function numberOf(text: string): JsonValue {
  return parseLiteral(text.replaceAll('_', '')) ?? Number(text);
}

/** Parses a YAML or Python value: `[1, 'a']`, `{a: 1}`, `True`, `None`, plain text. Undefined if invalid. */
function readLiteral(text: string): { value: JsonValue; words: readonly YamlWord[] } | undefined {
  try {
    // Nested in a mapping, so that text with line breaks or a colon cannot define further parameters.
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

/** Unquoted `None` is text in YAML, but here it means null. Quoted, it stays text. */
function withNone(value: JsonValue, source: string): JsonValue {
  if (/["']None["']/.test(source)) return value;
  if (value === 'None') return null;
  if (Array.isArray(value)) return value.map((item) => withNone(item, source));
  if (typeof value === 'object' && value !== null && !(value instanceof JsonNumber))
    for (const [key, item] of Object.entries(value)) value[key] = withNone(item, source);
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

/** True for text that is parsed as itself without quotes. */
function isPlainString(text: string): boolean {
  return text !== '' && parseLiteral(text) === text;
}
