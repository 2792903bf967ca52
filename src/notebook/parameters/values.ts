import { JsonNumber, type JsonValue } from '../json';

/** What a value is to a programming language. `int` fits 32 bits, `long` 64, `big` needs more. */
export type Kind = 'null' | 'bool' | 'int' | 'long' | 'big' | 'float' | 'string' | 'list' | 'object';

export function kindOf(value: JsonValue): Kind {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number' || value instanceof JsonNumber) return numberKind(String(value));
  return Array.isArray(value) ? 'list' : 'object';
}

function numberKind(text: string): Kind {
  if (!/^-?\d+$/.test(text)) return 'float';
  // Past 20 characters no number fits 64 bits, and reading a very long one takes long.
  if (text.length > 20) return 'big';
  const value = BigInt(text);
  if (BigInt.asIntN(32, value) === value) return 'int';
  return BigInt.asIntN(64, value) === value ? 'long' : 'big';
}

/** Neither printed nor safe to leave in source code: control, format and surrogate characters, line separators. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * A text as the inside of a string literal.
 * @param special what stands for some characters.
 * @param hidden what stands for a hidden character, given as its code point.
 */
export function escapeText(
  text: string,
  special: Readonly<Record<string, string>>,
  hidden: (codePoint: number) => string,
): string {
  let result = '';
  for (const character of text) {
    result +=
      special[character] ?? (HIDDEN.test(character) ? hidden(character.codePointAt(0) ?? 0) : character);
  }
  return result;
}

/** The one or two UTF-16 units of a character. */
export function utf16Units(codePoint: number): number[] {
  const text = String.fromCodePoint(codePoint);
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}

/** `\u0041`, with two of them past 16 bits: as JavaScript, C#, F# and Scala spell a character. */
export function utf16Escape(codePoint: number): string {
  return utf16Units(codePoint)
    .map((unit) => `\\u${hex(unit, 4)}`)
    .join('');
}

/** `\u0041` or `\U0001f600`: as R and Julia spell a character. */
export function utf32Escape(codePoint: number): string {
  return codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`;
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/**
 * A number as YAML's core schema and most languages spell it, as JSON spells it: without plus, leading zeros or bare
 * points; `0x`, `0o` and `0b` in decimal.
 */
export function decimal(source: string): number | JsonNumber {
  const sign = source.startsWith('-') ? '-' : '';
  let digits = source.replace(/^[+-]/, '');
  if (/^0[oxb]/i.test(digits)) digits = String(BigInt(digits));
  digits = digits
    .replace(/^0+(?=\d)/, '')
    .replace(/^\./, '0.')
    .replace(/\.(?=$|e)/i, '.0');
  // An integer has no negative zero.
  const text = digits === '0' ? digits : sign + digits;
  const value = Number(text);
  return String(value) === text ? value : new JsonNumber(text);
}
