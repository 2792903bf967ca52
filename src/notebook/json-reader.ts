import { JsonNumber, type JsonObject, type JsonValue, setKeyOrder, setOwn } from './json-value';

/**
 * Text that is not JSON, or JSON nested too deeply. `position` counts UTF-16 units from 0, `line` and `column` from 1.
 */
export class JsonError extends Error {
  override readonly name = 'JsonError';

  constructor(
    message: string,
    readonly position: number,
    readonly line: number,
    readonly column: number,
  ) {
    super(`${message} at line ${line}, column ${column}`);
  }
}

/** Deeper than any hand-written document, but far from a stack overflow. Python's reader has about the same limit. */
const MAX_DEPTH = 1000;

/**
 * Matches what JSON.parse could change: a number with a sign, fraction, exponent or 16 digits, NaN and Infinity, an
 * index-like key. It also matches inside strings; such a false match only costs time.
 */
const HARMED = /[[:,{]\s*(?:[-NI]|\d+(?:[.eE]|\d{15})|"(?:\d|\\u003\d)+"\s*:)/;

/**
 * Parses JSON without loss: numbers keep their spelling, see {@link JsonNumber}; keys keep their order even if they
 * look like array indices (but a copy made with spread syntax loses that order). Accepts bare `NaN`, `Infinity` and
 * `-Infinity`, as Python writes them. If a key is repeated, the last value wins.
 * @throws JsonError if the text is not JSON.
 */
export function parseJson(text: string): JsonValue {
  if (isMostlyOneString(text)) return new Parser(text).parse();
  if (/^[{[]/.test(text) && !HARMED.test(text)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // The parser below reports the position.
    }
  }
  return new Parser(text).parse();
}

/**
 * Parses standard JSON: no bare NaN or infinities, no duplicate keys in an object.
 * @param maxDepth maximum levels of arrays and objects.
 * @returns undefined for anything else.
 */
export function parsePlainJson(text: string, maxDepth: number): JsonValue | undefined {
  try {
    return new Parser(text, maxDepth, true).parse();
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/**
 * UTF-16 units. Below the first limit the parser makes no difference; above the second, strings cut from the text could
 * keep the whole text in memory.
 */
const LONG = 1 << 16;
const HUGE = 1 << 24;
/** Maximum number of quotes that are examined. */
const FEW_QUOTES = 200;

/**
 * Whether most of the text is one string, as in a message with an image: the parser below skips to the string's end.
 */
function isMostlyOneString(text: string): boolean {
  if (text.length < LONG || text.length > HUGE) return false;
  let at = text.indexOf('"');
  for (let quotes = 1; at >= 0 && quotes < FEW_QUOTES; quotes++) {
    const next = text.indexOf('"', at + 1);
    // These characters follow a closing quote but rarely start a long string, so they mean a gap between strings. A
    // wrong guess only costs time: both parsers give the same result.
    if (next - at > text.length / 2) return !/[\s:,\]}]/.test(text[at + 1] ?? '');
    at = next;
  }
  return false;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const INDEX_LIKE = /^(?:0|[1-9]\d*)$/;
const QUOTE = 0x22;

class Parser {
  private at = 0;
  private depth = 0;
  /** Next backslash at or after `at`; cached, so that long documents are not searched repeatedly. */
  private backslash = -1;

  /** @param plain whether only standard JSON is accepted. */
  constructor(
    private readonly text: string,
    private readonly maxDepth = MAX_DEPTH,
    private readonly plain = false,
  ) {}

  parse(): JsonValue {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) throw this.error('Unexpected text after the end');
    return value;
  }

  private value(): JsonValue {
    switch (this.space()) {
      case QUOTE:
        return this.string();
      case 0x7b:
        return this.object();
      case 0x5b:
        return this.array();
      case 0x74:
        return this.word('true', true);
      case 0x66:
        return this.word('false', false);
      case 0x6e:
        return this.word('null', null);
      case 0x4e:
        return this.word('NaN', Number.NaN);
      case 0x49:
        return this.word('Infinity', Number.POSITIVE_INFINITY);
      default:
        return this.number();
    }
  }

  /** Skips white space and returns the next character. */
  private space(): number {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.at++;
    }
  }

  private word<T>(word: string, value: T): T {
    const isNumber = typeof value === 'number';
    if (!this.text.startsWith(word, this.at) || (isNumber && this.plain)) throw this.error('Unexpected text');
    this.at += word.length;
    return value;
  }

  private number(): JsonValue {
    NUMBER.lastIndex = this.at;
    const text = NUMBER.exec(this.text)?.[0];
    if (text === undefined) {
      if (this.text.startsWith('-Infinity', this.at)) return this.word('-Infinity', Number.NEGATIVE_INFINITY);
      throw this.error(this.at < this.text.length ? 'Unexpected character' : 'Unexpected end');
    }
    this.at += text.length;
    const value = Number(text);
    return String(value) === text ? value : new JsonNumber(text);
  }

  private string(): string {
    const start = this.at + 1;
    let end = this.text.indexOf('"', start);
    if (this.backslash < start) this.nextBackslash(start);
    const escaped = this.backslash < end;
    while (this.backslash < end) {
      const next = this.backslash + 2;
      if (end < next) end = this.text.indexOf('"', next);
      this.nextBackslash(next);
    }
    if (end < 0) throw this.error('Unterminated string');
    this.at = end + 1;
    if (!escaped) return this.text.slice(start, end);
    try {
      return JSON.parse(this.text.slice(start - 1, end + 1)) as string;
    } catch {
      this.at = start - 1;
      throw this.error('Malformed string');
    }
  }

  private nextBackslash(from: number): void {
    const found = this.text.indexOf('\\', from);
    this.backslash = found < 0 ? Number.POSITIVE_INFINITY : found;
  }

  private array(): JsonValue[] {
    this.enter();
    const array: JsonValue[] = [];
    if (this.space() !== 0x5d) {
      for (;;) {
        array.push(this.value());
        const code = this.space();
        if (code === 0x5d) break;
        if (code !== 0x2c) throw this.error('Expected , or ]');
        this.at++;
      }
    }
    this.leave();
    return array;
  }

  private object(): JsonObject {
    this.enter();
    const object: JsonObject = {};
    let indexLike = false;
    const keys: string[] = [];
    if (this.space() !== 0x7d) {
      for (;;) {
        if (this.space() !== QUOTE) throw this.error('Expected a key in quotes');
        const key = this.string();
        if (this.plain && Object.hasOwn(object, key)) throw this.error('Repeated key');
        if (this.space() !== 0x3a) throw this.error('Expected :');
        this.at++;
        setOwn(object, key, this.value());
        keys.push(key);
        indexLike ||= INDEX_LIKE.test(key);
        const code = this.space();
        if (code === 0x7d) break;
        if (code !== 0x2c) throw this.error('Expected , or }');
        this.at++;
      }
    }
    this.leave();
    if (indexLike) setKeyOrder(object, keys);
    return object;
  }

  private enter(): void {
    if (++this.depth > this.maxDepth) throw this.error('Nested too deeply');
    this.at++;
  }

  private leave(): void {
    this.depth--;
    this.at++;
  }

  private error(message: string): JsonError {
    const before = this.text.slice(0, this.at);
    const lineStart = before.lastIndexOf('\n') + 1;
    return new JsonError(message, this.at, before.split('\n').length, this.at - lineStart + 1);
  }
}
