import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import {
  isJsonObject,
  jsonKeys,
  JsonNumber,
  type JsonObject,
  type JsonValue,
  parsePlainJson,
  setKeyOrder,
  setOwn,
  stringifyJson,
} from '../json';
import { ParametersError } from './errors';
import { wordsReadDifferently, type YamlWord } from './yaml/words';
import {
  checkSize,
  MAX_DEPTH,
  MAX_PARAMETERS_BYTES,
  readYaml,
  tooDeep,
  yamlInvalid,
  type YamlText,
} from './yaml/document';

/** Maximum values after expansion of all aliases, so that a few lines cannot exhaust the memory. */
const MAX_VALUES = 1_000_000;

/**
 * Parses parameters from YAML or JSON: a mapping of names to values. YAML 1.2 core schema: dates, `yes` and `1_000` are
 * strings. Numbers keep their size and, if JSON allows it, their spelling. `<<` merges. An empty text has no
 * parameters. Limits on size, depth and tokens bound the time: see yaml/document.ts; JSON has no limit on tokens.
 * @throws ParametersError `yamlInvalid`, `notMapping`, `tooLarge`, or `keyInvalid` if a key is not a scalar.
 */
export function parseParameters(text: string): JsonObject {
  return parseWithWords(text).values;
}

/** Parameters, and the words in their text that papermill would read differently. */
export interface ParametersReading {
  readonly values: JsonObject;
  readonly words: readonly YamlWord[];
}

/**
 * Like {@link parseParameters}, and also finds words that YAML 1.1 reads differently.
 * @throws ParametersError like {@link parseParameters}.
 */
export function parseWithWords(text: string): ParametersReading {
  checkSize(text);
  const source = text.replace(/^\uFEFF/, '');
  // JSON has the same meaning in every YAML version. The editor sends JSON, and this parser is a hundred times as fast.
  const json = /^\s*\{/.test(source) ? parsePlainJson(source, MAX_DEPTH) : undefined;
  if (isJsonObject(json)) return { values: json, words: [] };
  const yaml = readYaml(source);
  const values = new Reader(yaml).parameters();
  return { values, words: wordsReadDifferently(yaml.document.contents) };
}

/**
 * Parameters as JSON text that {@link parseJson} reads back without loss; NaN and infinities are written as bare words.
 */
export function encodeParameters(parameters: JsonObject): string {
  return stringifyJson(parameters, { nonFinite: 'bare' });
}

/** Size of a value after expansion of all its aliases. */
interface Size {
  readonly values: number;
  readonly characters: number;
}

/** Converts the nodes of a document to JSON values. An alias becomes the same object as its anchor. */
class Reader {
  private readonly anchors = new Map<string, { value: JsonValue; size: Size }>();
  private values = 0;
  private characters = 0;

  constructor(private readonly yaml: YamlText) {}

  parameters(): JsonObject {
    const value = this.value(this.yaml.document.contents, 0);
    if (value === null) return {};
    if (isJsonObject(value)) return value;
    throw new ParametersError('notMapping', 'Parameters must be a mapping of names to values');
  }

  private value(node: unknown, depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw tooDeep(this.position(node));
    if (isAlias(node)) {
      const known = this.anchors.get(node.source);
      if (known === undefined) throw yamlInvalid(`No anchor &${node.source} before`, this.position(node));
      this.count(node, known.size);
      return known.value;
    }
    const before = { values: this.values, characters: this.characters };
    const value = this.plainValue(node, depth);
    this.count(node, { values: 1, characters: typeof value === 'string' ? value.length : 0 });
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) {
      const size = { values: this.values - before.values, characters: this.characters - before.characters };
      this.anchors.set(anchor, { value, size });
    }
    return value;
  }

  private plainValue(node: unknown, depth: number): JsonValue {
    if (node === null) return null;
    if (isMap(node) && isPlain(node, 'map')) return this.object(node, depth);
    if (isSeq(node) && isPlain(node, 'seq')) return node.items.map((item) => this.value(item, depth + 1));
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (value === null || value instanceof JsonNumber) return value;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    const detail = 'Only strings, numbers, booleans, null, lists and mappings can be parameters';
    throw yamlInvalid(detail, this.position(node));
  }

  private object(map: YAMLMap, depth: number): JsonObject {
    const object: JsonObject = {};
    const keys = new Set<string>();
    // Keys of the mapping itself, which must be unique. A key that was only merged in can be set once more.
    const given = new Set<string>();
    for (const pair of map.items) {
      if (isMerge(pair)) {
        for (const source of this.merged(pair, depth)) {
          for (const key of jsonKeys(source)) {
            if (!keys.has(key)) setOwn(object, key, source[key] ?? null);
            keys.add(key);
          }
        }
        continue;
      }
      const name = this.name(pair);
      if (given.has(name)) throw yamlInvalid('Map keys must be unique', this.position(pair.key));
      setOwn(object, name, this.value(pair.value, depth + 1));
      given.add(name);
      keys.add(name);
    }
    setKeyOrder(object, [...keys]);
    return object;
  }

  /** The mappings that `<<` merges, in order of precedence, highest first. */
  private merged({ key, value }: Pair, depth: number): JsonObject[] {
    const read = this.value(value, depth);
    const sources = Array.isArray(read) ? read : [read];
    return sources.map((source) => {
      if (isJsonObject(source)) return source;
      throw yamlInvalid('Merge sources must be maps or map aliases', this.position(key));
    });
  }

  private name({ key }: Pair): string {
    const name = this.value(key, 0);
    if (!Array.isArray(name) && !isJsonObject(name)) return String(name);
    throw new ParametersError('keyInvalid', 'A key of the parameters is itself a list or mapping');
  }

  private count(node: unknown, { values, characters }: Size): void {
    this.values += values;
    this.characters += characters;
    if (this.values > MAX_VALUES) throw yamlInvalid(`More than ${MAX_VALUES} values`, this.position(node));
    if (this.characters > MAX_PARAMETERS_BYTES)
      throw yamlInvalid(`More than ${MAX_PARAMETERS_BYTES} characters`, this.position(node));
  }

  private position(node: unknown): { line: number; col: number } {
    const range = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    return this.yaml.position(range?.[0] ?? 0);
  }
}

/** False for a tag of a list or mapping type that JSON does not have, such as `!!set`. */
function isPlain({ tag }: YAMLMap | YAMLSeq, kind: string): boolean {
  return tag === undefined || tag === `tag:yaml.org,2002:${kind}`;
}

/** True for `<<` as a plain key. */
function isMerge({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}
