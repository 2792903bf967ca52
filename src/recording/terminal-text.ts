/** An escape sequence, which a terminal obeys and does not show (ECMA-48): CSI, OSC (links), or ESC and a character. */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const ESCAPE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/y;
/** Matches text in which a UTF-16 unit may not be one character on the screen. */
// eslint-disable-next-line no-control-regex -- as above
const INTRICATE = /[\x1b\u{10000}-\u{10ffff}]|\u200d|\p{M}/u;
const JOINER = '\u200d';
const JOINS_PREVIOUS = /\u200d|\p{M}/u;
/** A longer text, in characters, is not an escape sequence whose end is still to come. */
const MAX_SEQUENCE = 4096;
/** Characters to encode together. */
const ENCODED_LENGTH = 1 << 16;
/** Between the lines of a stream in a file, with nbformat's indentation. */
const SEPARATOR = ',\n      ';
const NEXT_LINE = Buffer.from(SEPARATOR);
const FIRST_LINE = NEXT_LINE.subarray(1);
/** Characters that JSON escapes, or may escape, except the line break. */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const ESCAPED = /[\x00-\x09\x0b-\x1f"\\\ud800-\udfff]/;

/**
 * The text of a stream as a terminal shows it: a carriage return moves to the start of the line, a backspace one
 * character back, and what is written there replaces what was. Colours stay with the characters they were written with.
 * Everything else, including other escape sequences, is kept as it came.
 *
 * Only the last line can still change. The lines before it are kept as JSON, as they will be written. So a stream of
 * any length is held once, and each of its lines is encoded once, however often it is saved.
 */
export class TerminalText {
  /** JSON strings of lines, with {@link SEPARATOR} between them. */
  private readonly encoded: Buffer[] = [];
  /** Finished lines that are not encoded yet. */
  private finished: string[] = [];
  private finishedLength = 0;
  /** The last line: a string as long as that is sufficient, else a {@link StyledLine}. */
  private line: string | StyledLine = '';
  /** Position of the next character in a line that is a string; the line's end if undefined. */
  private cursor: number | undefined;

  append(chunk: string): void {
    if (!hasControls(chunk) && this.cursor === undefined && typeof this.line === 'string') {
      const end = chunk.lastIndexOf('\n') + 1;
      if (end > 0) {
        this.finish(this.line + chunk.slice(0, end));
        this.line = '';
      }
      this.line += chunk.slice(end);
      return;
    }
    for (let start = 0; start < chunk.length;) {
      const newline = chunk.indexOf('\n', start);
      this.write(chunk.slice(start, newline < 0 ? chunk.length : newline));
      if (newline < 0) break;
      this.finish(`${String(this.line)}\n`);
      this.line = '';
      this.cursor = undefined;
      start = newline + 1;
    }
  }

  /** The lines as JSON strings in UTF-8, each on its own line as in a notebook file, in pieces. */
  jsonLines(): Buffer[] {
    this.encode();
    const last = String(this.line);
    const texts = last === '' ? this.encoded : [...this.encoded, Buffer.from(JSON.stringify(last))];
    return texts.flatMap((text, index) => [index === 0 ? FIRST_LINE : NEXT_LINE, text]);
  }

  toString(): string {
    const encoded = this.encoded.flatMap((lines) => JSON.parse(`[${lines.toString()}]`) as string[]);
    return encoded.join('') + this.finished.join('') + String(this.line);
  }

  private finish(lines: string): void {
    this.finished.push(lines);
    this.finishedLength += lines.length;
    if (this.finishedLength >= ENCODED_LENGTH) this.encode();
  }

  private encode(): void {
    if (this.finishedLength === 0) return;
    this.encoded.push(Buffer.from(jsonOf(this.finished.join('').slice(0, -1))));
    this.finished = [];
    this.finishedLength = 0;
  }

  /** Writes text without a newline to the last line. */
  private write(text: string): void {
    if (typeof this.line === 'string' && (INTRICATE.test(text) || INTRICATE.test(this.line))) {
      // Without a control character nothing is overwritten, whatever the text.
      if (this.cursor === undefined && !hasControls(text)) {
        this.line += text;
        return;
      }
      this.line = new StyledLine(this.line, this.cursor);
    }
    if (typeof this.line !== 'string') {
      this.line.write(text);
      return;
    }
    for (const part of text.split(/([\r\b])/)) {
      const at: number = this.cursor ?? this.line.length;
      if (part === '\r') {
        this.cursor = 0;
      } else if (part === '\b') {
        this.cursor = Math.max(0, at - 1);
      } else if (part !== '') {
        const end = at + part.length;
        this.cursor = end < this.line.length ? end : undefined;
        this.line = this.line.slice(0, at) + part + this.line.slice(end);
      }
    }
  }
}

/** Two searches are many times faster than one search for either character. */
function hasControls(text: string): boolean {
  return text.includes('\r') || text.includes('\b');
}

/** JSON strings of lines. The last line is given without its line break. */
function jsonOf(lines: string): string {
  // Most text needs no escaping, and a flood of text has many lines.
  if (!ESCAPED.test(lines)) return `"${lines.replaceAll('\n', `\\n"${SEPARATOR}"`)}\\n"`;
  return lines
    .split('\n')
    .map((line) => JSON.stringify(`${line}\n`))
    .join(SEPARATOR);
}

/** A line with colours, or with characters of several UTF-16 units; stored character by character. */
class StyledLine {
  private readonly characters: { text: string; style: string }[] = [];
  private cursor = 0;
  /** The sequences that set the style of the next characters; empty after a reset. */
  private style = '';
  /** Sequences before the first character. */
  private lead = '';
  /** The beginning of a sequence that is not complete yet. */
  private begun = '';

  constructor(text: string, cursor: number | undefined) {
    this.write(text);
    if (cursor !== undefined) this.cursor = cursor;
  }

  write(more: string): void {
    const text = this.begun + more;
    this.begun = '';
    for (let at = 0; at < text.length;) {
      ESCAPE.lastIndex = at;
      const sequence = ESCAPE.exec(text)?.[0];
      if (sequence !== undefined) {
        this.obey(sequence);
        at += sequence.length;
        continue;
      }
      if (text[at] === '\x1b' && text.length - at < MAX_SEQUENCE) {
        this.begun = text.slice(at);
        return;
      }
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      at += character.length;
      const previous = this.characters[this.cursor - 1];
      if (character === '\r') this.cursor = 0;
      else if (character === '\b') this.cursor = Math.max(0, this.cursor - 1);
      else if (previous && (JOINS_PREVIOUS.test(character) || previous.text.endsWith(JOINER)))
        previous.text += character;
      else this.characters[this.cursor++] = { text: character, style: this.style };
    }
  }

  private obey(sequence: string): void {
    const selection = /^\x1b\[([\d;:]*)m$/.exec(sequence)?.[1]; // eslint-disable-line no-control-regex -- as above
    if (selection !== undefined) {
      this.style = /^0*$/.test(selection) ? '' : this.style + sequence;
    } else if (sequence === '\x1b[K' || sequence === '\x1b[0K') {
      this.characters.length = Math.min(this.characters.length, this.cursor);
    } else if (sequence === '\x1b[2K') {
      for (const character of this.characters) character.text = ' ';
    } else {
      const previous = this.characters[this.cursor - 1];
      if (previous) previous.text += sequence;
      else this.lead += sequence;
    }
  }

  toString(): string {
    let text = this.lead;
    let style = '';
    const change = (to: string): void => {
      if (to !== style) text += (style === '' ? '' : '\x1b[0m') + to;
      style = to;
    };
    for (const character of this.characters) {
      change(character.style);
      text += character.text;
    }
    // The next line begins with the style that this one ended with.
    change(this.style);
    return text + this.begun;
  }
}
