import { jsonKeys, JsonNumber, type JsonObject, type JsonValue } from './json-value';

/** Options of the JSON writer. */
export interface StringifyOptions {
  /** Spaces per level; everything on one line when absent. */
  readonly indent?: number;
  /** Write NaN and infinities as strings (the default) or, for readers that accept them, as bare words like Python. */
  readonly nonFinite?: 'string' | 'bare';
}

/** Text that is written as an array of its lines, as nbformat does for sources and outputs. */
export class MultilineText {
  constructor(readonly text: string) {}
}

/** Input of the writer: JSON in which strings may also be {@link MultilineText}. */
export type Writable = JsonValue | MultilineText | readonly Writable[] | WritableObject;
export interface WritableObject {
  readonly [key: string]: Writable;
}

/**
 * Writes JSON: numbers in their original spelling, keys in their order, non-ASCII text unescaped. NaN and infinities
 * become the strings `"NaN"`, `"Infinity"` and `"-Infinity"` (as in the JSON mapping of Protocol Buffers) unless
 * `nonFinite` is `bare`. Properties with the value undefined are omitted.
 */
export function stringifyJson(value: Writable, options: StringifyOptions = {}): string {
  let text = '';
  new Writer(options, (part) => (text += part)).write(value);
  return text;
}

const CHUNK = 1 << 20;

/** Like {@link stringifyJson}, in UTF-8 with a final line break; not limited by the maximum length of a string. */
export function jsonBytes(value: Writable, options: StringifyOptions = {}): Uint8Array {
  const chunks: Uint8Array[] = [];
  let text = '';
  new Writer(options, (part) => {
    text += part;
    if (text.length < CHUNK) return;
    chunks.push(Buffer.from(text));
    text = '';
  }).write(value);
  chunks.push(Buffer.from(text + '\n'));
  return Buffer.concat(chunks);
}

/** Line ends of Python's str.splitlines. */
// eslint-disable-next-line no-control-regex -- these control characters end lines in Python
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;
// eslint-disable-next-line no-control-regex -- as above
const RARE_LINE_END = /[\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

/** Shorter text is written as fast as it is searched. */
const LONG = 1024;

/** Characters that JSON escapes or may escape, and line ends. */
// eslint-disable-next-line no-control-regex -- as above
const SPECIAL = /[\x00-\x1f"\\\x85\u2028\u2029\ud800-\udfff]/;

/** Whether the text is one line without characters to escape, for example an image. */
function isPlain(text: string): boolean {
  // The most frequent characters first, because searching for one character is fast.
  return text.length >= LONG && !text.includes('\n') && !text.includes('"') && !SPECIAL.test(text);
}

function quoted(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text);
}

/** Calls back with each line, including its line end. */
function forEachLine(text: string, use: (line: string) => void): void {
  let start = 0;
  if (RARE_LINE_END.test(text)) {
    for (const { 0: lineEnd, index } of text.matchAll(LINE_END)) {
      use(text.slice(start, index + lineEnd.length));
      start = index + lineEnd.length;
    }
  } else {
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      use(text.slice(start, end + 1));
      start = end + 1;
    }
  }
  if (start < text.length) use(text.slice(start));
}

class Writer {
  private readonly unit: string;
  private readonly colon: string;
  private readonly bare: boolean;

  constructor(
    options: StringifyOptions,
    private readonly put: (part: string) => void,
  ) {
    this.unit = ' '.repeat(options.indent ?? 0);
    this.colon = this.unit === '' ? ':' : ': ';
    this.bare = options.nonFinite === 'bare';
  }

  write(value: Writable): void {
    this.value(value, this.unit === '' ? '' : '\n');
  }

  /** @param newline line break with the indentation of the value itself; empty for output on one line. */
  private value(value: Writable, newline: string): void {
    if (typeof value === 'string') this.put(quoted(value));
    else if (typeof value === 'number') this.put(this.number(value));
    else if (value === null || typeof value === 'boolean') this.put(String(value));
    else if (value instanceof JsonNumber) this.put(value.text);
    else if (value instanceof MultilineText) this.lines(value.text, newline);
    else if (isArray(value)) this.array(value, newline);
    else this.object(value, newline);
  }

  private number(value: number): string {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
    return this.bare ? String(value) : `"${value}"`;
  }

  private lines(text: string, newline: string): void {
    const inner = newline + this.unit;
    let before = '[' + inner;
    if (isPlain(text)) {
      this.put(`${before}"${text}"${newline}]`);
      return;
    }
    forEachLine(text, (line) => {
      this.put(before + JSON.stringify(line));
      before = ',' + inner;
    });
    this.put(text === '' ? '[]' : newline + ']');
  }

  private array(array: readonly Writable[], newline: string): void {
    const inner = newline + this.unit;
    let before = '[' + inner;
    for (const item of array) {
      this.put(before);
      this.value(item, inner);
      before = ',' + inner;
    }
    this.put(array.length === 0 ? '[]' : newline + ']');
  }

  private object(object: WritableObject, newline: string): void {
    const inner = newline + this.unit;
    let before = '{' + inner;
    let empty = true;
    for (const key of jsonKeys(object as JsonObject)) {
      const item = object[key];
      if (item === undefined) continue;
      this.put(before + JSON.stringify(key) + this.colon);
      this.value(item, inner);
      before = ',' + inner;
      empty = false;
    }
    this.put(empty ? '{}' : newline + '}');
  }
}

/** Array.isArray does not narrow a readonly array. */
function isArray(value: Writable): value is readonly Writable[] {
  return Array.isArray(value);
}
