import { type CollectionTag, parseDocument, type ScalarTag, type Tags } from 'yaml';
import { JsonNumber, type JsonObject, type JsonValue, setKeyOrder, setOwn, stringifyJson } from '../json';
import { ParametersError } from './errors';
import { decimal } from './values';
import { wordsReadDifferently, type YamlWord } from './yaml-words';

/** Aliases may expand to this many nodes in all, so that a few lines cannot fill the memory. */
const MAX_ALIASES = 1000;
const MAX_DEPTH = 200;

/**
 * Reads parameters from YAML (hence also JSON): a mapping of names to values. YAML 1.2 core schema: dates, `yes` and
 * `1_000` are strings. Numbers keep their size and, as far as JSON can spell them, their spelling. `<<` merges. An empty
 * text has no parameters.
 * @throws ParametersError `yamlInvalid`, `notMapping`, or `keyInvalid` where a key is no scalar.
 */
export function parseParameters(text: string): JsonObject {
  return parseWithWords(text).values;
}

/** Parameters, and the words in their text that papermill would read otherwise. */
export interface ParametersReading {
  readonly values: JsonObject;
  readonly words: readonly YamlWord[];
}

/** {@link parseParameters}, and what YAML 1.1 reads differently. @throws ParametersError as there. */
export function parseWithWords(text: string): ParametersReading {
  const document = parseDocument(text.replace(/^\uFEFF/, ''), {
    version: '1.2',
    schema: 'core',
    merge: true,
    customTags: losslessNumbers,
    logLevel: 'error',
  });
  // A warning is a tag that the core schema does not know: its value would not be what it says.
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const [start] = problem.linePos ?? [];
    throw invalid(problem.message, start?.line, start?.col, problem);
  }
  let value: unknown;
  try {
    value = document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), undefined, undefined, error);
  }
  if (value === null || value === undefined) return { values: {}, words: [] };
  if (!(value instanceof Map))
    throw new ParametersError('notMapping', 'Parameters must be a mapping of names to values');
  // JSON is JSON in any YAML.
  const words = isJson(text) ? [] : wordsReadDifferently(document.contents);
  return { values: toObject(value, 0), words };
}

/** Parameters as JSON text that {@link parseJson} reads back without loss: NaN and infinities stand bare. */
export function encodeParameters(parameters: JsonObject): string {
  return stringifyJson(parameters, { nonFinite: 'bare' });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function invalid(detail: string, line = 1, column = 1, cause?: unknown): ParametersError {
  const [first = ''] = detail.split('\n');
  const args = {
    line: String(line),
    column: String(column),
    detail: first.replace(/ at line \d+, column \d+:?$/, ''),
  };
  return new ParametersError('yamlInvalid', `Parameters are not valid YAML: ${first}`, args, { cause });
}

/** The core schema's tags, with numbers that keep their spelling. */
function losslessNumbers(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || !isNumberTag(tag)) return tag;
    const resolve = (source: string) => toNumber(source);
    return { ...tag, resolve };
  });
}

function isNumberTag(tag: CollectionTag | ScalarTag): tag is ScalarTag {
  return tag.tag === 'tag:yaml.org,2002:int' || tag.tag === 'tag:yaml.org,2002:float';
}

function toNumber(source: string): number | JsonNumber {
  if (/nan$/i.test(source)) return Number.NaN;
  if (/inf$/i.test(source))
    return source.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return decimal(source);
}

function toObject(map: ReadonlyMap<unknown, unknown>, depth: number): JsonObject {
  const object: JsonObject = {};
  const keys: string[] = [];
  for (const [key, value] of map) {
    const name = keyName(key);
    keys.push(name);
    setOwn(object, name, toValue(value, depth + 1));
  }
  setKeyOrder(object, keys);
  return object;
}

function keyName(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key === null || typeof key === 'number' || typeof key === 'boolean' || key instanceof JsonNumber) {
    return String(key);
  }
  throw new ParametersError('keyInvalid', 'A key of the parameters is itself a list or mapping');
}

function toValue(value: unknown, depth: number): JsonValue {
  // Also how an alias within its own anchor shows.
  if (depth > MAX_DEPTH) throw invalid('Nested too deeply');
  if (value instanceof Map) return toObject(value, depth);
  if (Array.isArray(value)) return value.map((item) => toValue(item, depth + 1));
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof JsonNumber) return value;
  throw invalid('Only strings, numbers, booleans, null, lists and mappings can be parameters');
}
