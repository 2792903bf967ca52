import { isMap, isPair, isScalar, isSeq, type Scalar } from 'yaml';
import type { ExecutionWarning } from '../../../execution/execution';
import { isSecretName, MASK } from '../../../execution/secrets/secret-names';
import { isJsonObject, jsonKeys, JsonNumber, type JsonObject, type JsonValue, setOwn } from '../../json';

/** A word or number that YAML 1.1 reads differently from YAML 1.2, the version used here. */
export interface YamlWord {
  /** Name of the parameter, followed by the keys of nested mappings that lead to the word, outermost first. */
  readonly names: readonly string[];
  /** The word as written. */
  readonly source: string;
  /** Its value in YAML 1.2 and in YAML 1.1, as JSON. */
  readonly here: string;
  readonly there: string;
}

/** Enough to show that a text was written for YAML 1.1. */
const MOST_WORDS = 100;

/**
 * Longest word that is examined, and longest name in a warning, in characters: every answer about an execution includes
 * its warnings.
 */
const LONGEST_WORD = 200;

/**
 * Finds the plain scalars of a parsed document that papermill, whose parser reads YAML 1.1, reads differently: `no`,
 * `0777`, `1_000`, `12:30`, `1e3`. Reports each word once per parameter. Dates are not reported: papermill leaves them
 * as strings, too.
 * @param contents of a document that was parsed as YAML 1.2.
 */
export function wordsReadDifferently(contents: unknown): YamlWord[] {
  const found = new Map<string, YamlWord>();
  const visit = (node: unknown, names: readonly string[]): void => {
    if (found.size >= MOST_WORDS) return;
    if (isMap(node) || isSeq(node)) {
      for (const item of node.items) visit(item, names);
    } else if (isPair(node)) {
      const name = isScalar(node.key) ? String(node.key.value) : '';
      visit(node.key, names.length === 0 ? [name] : names);
      visit(node.value, [...names, name]);
    } else if (isScalar(node) && names.length > 0) {
      const word = wordOf(node, names);
      const key = `${names[0] ?? ''} ${word?.source ?? ''}`;
      if (word && !found.has(key)) found.set(key, word);
    }
  };
  visit(contents, []);
  return [...found.values()];
}

/**
 * A `yamlWord` warning for each word. Its args: the names joined by dots, the word as written, and its value in YAML
 * 1.2 and in YAML 1.1 as JSON.
 * @param secret name patterns of parameters whose values are not shown, see execution/secrets/secret-names.ts.
 */
export function yamlWordWarnings(words: readonly YamlWord[], secret: readonly string[]): ExecutionWarning[] {
  return words.map(({ names, source, here, there }) => {
    const isSecret = names.some((name) => isSecretName(name, secret));
    const shown = isSecret ? [MASK, MASK, MASK] : [source, here, there];
    return { code: 'yamlWord', args: [names.join('.').slice(0, LONGEST_WORD), ...shown] };
  });
}

function wordOf({ type, tag, source, value: here }: Scalar, names: readonly string[]): YamlWord | undefined {
  if (type !== 'PLAIN' || tag !== undefined || source === undefined) return undefined;
  // Converting `1:30:30…` takes time quadratic in its length.
  if (source.length > LONGEST_WORD) return undefined;
  if (typeof here !== 'string' && typeof here !== 'number' && !(here instanceof JsonNumber)) return undefined;
  const there = readAs11(source);
  const isText = typeof here === 'string';
  if (isText === (typeof there === 'string') && (isText || Object.is(Number(here), Number(there))))
    return undefined;
  return { names, source, here: jsonOf(here), there: jsonOf(there) };
}

function jsonOf(value: string | number | boolean | bigint | JsonNumber): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/**
 * The value of a parameter with its words in their original spelling, for {@link stringifyJson}: reading the result as
 * YAML gives the same value and the same words.
 */
export function withWords(value: JsonValue, words: readonly YamlWord[]): JsonValue {
  if (Array.isArray(value)) return value.map((item) => withWords(item, words));
  if (isJsonObject(value)) {
    const spelled: JsonObject = {};
    for (const key of jsonKeys(value)) setOwn(spelled, key, withWords(value[key] ?? null, words));
    return spelled;
  }
  const json = typeof value === 'boolean' || value === null ? undefined : jsonOf(value);
  const word = words.find(({ here }) => here === json);
  return word ? new JsonNumber(word.source) : value;
}

const TRUE = /^(?:yes|Yes|YES|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|off|Off|OFF)$/;
const INTEGER = /^[-+]?(?:0b[01_]+|0x[\da-fA-F_]+|0[0-7_]+|0|[1-9][\d_]*(?::[0-5]?\d)*)$/;
const FLOAT = /^(?:[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.\d[\d_]*(?:[eE][-+]\d+)?)$/;
const FLOAT_IN_SIXTIES = /^[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*$/;
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** The value of a plain scalar in YAML 1.1 as PyYAML reads it, except null, true and false. */
function readAs11(source: string): string | number | boolean | bigint {
  if (TRUE.test(source)) return true;
  if (FALSE.test(source)) return false;
  const isNegative = source.startsWith('-');
  const digits = source.replace(/^[-+]/, '').replaceAll('_', '');
  if (INTEGER.test(source) && !/^0[bx]$/.test(digits)) {
    const size = integerOf(digits);
    return isNegative ? -size : size;
  }
  if (FLOAT.test(source)) return Number(digits) * (isNegative ? -1 : 1);
  if (FLOAT_IN_SIXTIES.test(source)) {
    const size = digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    return isNegative ? -size : size;
  }
  if (!NOT_FINITE.test(source)) return source;
  return /nan/i.test(source) ? Number.NaN : isNegative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** `0b1`, `0xff`, octal `017`, and the sexagesimal `12:30`. */
function integerOf(digits: string): bigint {
  if (/^0[bx]/.test(digits)) return BigInt(digits);
  if (/^0\d/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
}
