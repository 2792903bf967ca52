/** How much of a notebook's outputs is kept, in bytes. */
export interface TrimLimits {
  /** Limit for one text or one representation of an output. */
  readonly value: number;
  /** Limit for all outputs together. */
  readonly total: number;
}

export const TRIM_LIMITS: TrimLimits = { value: 64 * 1024, total: 16 * 1024 * 1024 };

/** Text that replaces omitted content: the number of bytes, and the MIME type if it is not plain text. */
export type TrimNotice = (bytes: number, mimeType: string | undefined) => string;

/**
 * Copies a notebook and trims its largest outputs. Works on the stream of bytes, so that a notebook of any size needs
 * little memory, even one that is too large for a string. Everything except outputs is unchanged.
 * Does not throw if the content is not JSON: as far as it can be parsed, it is passed through unchanged.
 */
export async function* trimNotebook(
  source: AsyncIterable<Uint8Array>,
  notice: TrimNotice,
  limits: TrimLimits = TRIM_LIMITS,
): AsyncGenerator<Uint8Array> {
  const trimmer = new NotebookTrimmer(notice, limits);
  for await (const chunk of source) {
    const trimmed = trimmer.push(chunk);
    if (trimmed.length > 0) yield trimmed;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

interface Container {
  readonly isObject: boolean;
  /** In an object: the key of the member being read. */
  key: string;
  /** In an object: whether the next string is a key. */
  expectsKey: boolean;
}

/** A member of an output that is buffered until its size is known. */
interface Held {
  readonly key: string;
  /** The key, the colon and the kept part of the value. */
  readonly bytes: number[];
  /** Offset of the value in `bytes`. */
  valueStart: number;
  /** Nesting depth of the value. */
  depth: number;
  /** Offset of the last position within a string where the value can be cut; 0 if there is none. */
  cut: number;
  /** Bytes of the value so far, kept or not. */
  size: number;
}

class NotebookTrimmer {
  private readonly stack: Container[] = [];
  private inString = false;
  private escaped = false;
  /** Bytes of the key being read; undefined if the current string is not a key. */
  private keyBytes: number[] | undefined;
  private held: Held | undefined;
  private left: number;
  private out: number[] = [];
  private chunks: Uint8Array[] = [];

  constructor(
    private readonly notice: TrimNotice,
    private readonly limits: TrimLimits,
  ) {
    this.left = limits.total;
  }

  push(chunk: Uint8Array): Uint8Array {
    for (const byte of chunk) this.byte(byte);
    this.chunks.push(Uint8Array.from(this.out));
    this.out = [];
    const result = Buffer.concat(this.chunks);
    this.chunks = [];
    return result;
  }

  private byte(byte: number): void {
    if (this.inString) this.stringByte(byte);
    else this.plainByte(byte);
  }

  private stringByte(byte: number): void {
    const startsCharacter = !this.escaped && (byte & 0xc0) !== 0x80;
    // A character ended before this byte, so the value can be cut here, unless it is within an escape such as \u00e9.
    if (startsCharacter) this.markCut();
    this.emit(byte);
    this.keyBytes?.push(byte);
    if (this.escaped) {
      this.escaped = false;
    } else if (byte === BACKSLASH) {
      this.escaped = true;
    } else if (byte === QUOTE) {
      this.inString = false;
      const container = this.stack.at(-1);
      if (this.keyBytes !== undefined && container !== undefined) {
        container.key = Buffer.from(this.keyBytes.slice(0, -1)).toString();
        this.keyBytes = undefined;
      } else {
        this.valueEnded();
      }
    }
  }

  private plainByte(byte: number): void {
    const container = this.stack.at(-1);
    switch (byte) {
      case QUOTE:
        if (container?.isObject === true && container.expectsKey) {
          container.expectsKey = false;
          this.keyBytes = [];
          if (this.held === undefined && this.inOutput()) this.hold();
        } else {
          this.valueBegins(byte);
        }
        this.inString = true;
        this.emit(byte);
        return;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.valueBegins(byte);
        this.emit(byte);
        this.stack.push({ isObject: byte === OPEN_BRACE, key: '', expectsKey: byte === OPEN_BRACE });
        return;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.scalarEnded();
        this.stack.pop();
        this.emit(byte);
        this.valueEnded();
        return;
      case COMMA:
        this.scalarEnded();
        if (container?.isObject === true) container.expectsKey = true;
        this.emit(byte);
        return;
      case COLON:
        this.emit(byte);
        return;
      default:
        this.emit(byte);
    }
  }

  /** True within the members of an output, at any depth. */
  private inOutput(): boolean {
    const [notebook, , cell, , output] = this.stack;
    return notebook?.key === 'cells' && cell?.key === 'outputs' && output?.isObject === true;
  }

  private hold(): void {
    this.held = { key: '', bytes: [], valueStart: 0, depth: 0, cut: 0, size: 0 };
  }

  /** A string, array or object begins. Strings, arrays and values of MIME types are buffered, others are passed on. */
  private valueBegins(byte: number): void {
    const { held } = this;
    if (held === undefined || held.valueStart > 0) return;
    const key = this.stack.at(-1)?.key ?? '';
    if (byte === OPEN_BRACE && !isMimeType(key)) this.release();
    else this.held = { ...held, key, valueStart: held.bytes.length, depth: this.stack.length };
  }

  /** A number or literal ended where a value was expected. */
  private scalarEnded(): void {
    if (this.held?.valueStart === 0) this.release();
  }

  private valueEnded(): void {
    const { held } = this;
    if (held === undefined || held.valueStart === 0 || this.stack.length !== held.depth) return;
    if (held.size <= this.limit()) {
      this.left -= held.size;
      this.release();
      return;
    }
    this.held = undefined;
    this.emitText(this.replacement(held));
  }

  private replacement(held: Held): string {
    const { key } = held;
    if (isMimeType(key) && key !== 'text/plain')
      return `"text/markdown": ${JSON.stringify(this.notice(held.size, key))}`;
    const start = Buffer.from(held.bytes.slice(0, held.valueStart)).toString();
    const isList = held.bytes[held.valueStart] === OPEN_BRACKET;
    if (held.cut === 0 || this.left <= 0) {
      const text = JSON.stringify(this.notice(held.size, undefined));
      return start + (isList ? `[${text}]` : text);
    }
    const kept = Buffer.from(held.bytes.slice(held.valueStart, held.cut)).toString();
    this.left -= held.cut - held.valueStart;
    const text = JSON.stringify(`\n${this.notice(held.size - kept.length, undefined)}\n`).slice(1);
    return start + kept + text + (isList ? ']' : '');
  }

  private limit(): number {
    return Math.max(0, Math.min(this.limits.value, this.left));
  }

  private markCut(): void {
    const { held } = this;
    if (held === undefined || held.valueStart === 0 || held.size > this.limit()) return;
    if (this.inUnicodeEscape()) return;
    // Strings at a deeper level cannot be cut, because the containers around them would not be closed.
    const isList = held.bytes[held.valueStart] === OPEN_BRACKET;
    if (this.stack.length === held.depth + (isList ? 1 : 0)) held.cut = held.bytes.length;
  }

  private inUnicodeEscape(): boolean {
    const bytes = this.held?.bytes ?? [];
    for (let back = 1; back <= 5; back++) {
      if (bytes.at(-back) !== 0x75 || bytes.at(-back - 1) !== BACKSLASH) continue;
      let slashes = 0;
      while (bytes.at(-back - 1 - slashes) === BACKSLASH) slashes++;
      if (slashes % 2 === 1 && back <= 4) return true;
    }
    return false;
  }

  private release(): void {
    const bytes = this.held?.bytes ?? [];
    this.held = undefined;
    for (const byte of bytes) this.out.push(byte);
  }

  private emit(byte: number): void {
    const { held } = this;
    if (held === undefined) {
      this.out.push(byte);
      return;
    }
    if (held.valueStart === 0) {
      held.bytes.push(byte);
      return;
    }
    held.size++;
    // One byte more than the limit is enough to detect that the value is too long.
    if (held.size <= this.limit() + 1) held.bytes.push(byte);
  }

  private emitText(text: string): void {
    for (const byte of Buffer.from(text)) this.out.push(byte);
  }
}

function isMimeType(key: string): boolean {
  return key.includes('/');
}
