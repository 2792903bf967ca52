import { JsonNumber, type JsonValue } from '../json';

/** The type of a value in a programming language. `int` fits 32 bits, `long` 64, `big` needs more. */
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
  // A number of more than 20 characters does not fit 64 bits, and parsing a very long one takes long.
  if (text.length > 20) return 'big';
  const value = BigInt(text);
  if (BigInt.asIntN(32, value) === value) return 'int';
  return BigInt.asIntN(64, value) === value ? 'long' : 'big';
}

/**
 * Characters that must be escaped in source code because they are invisible: control, format and surrogate characters,
 * line separators.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * A text as the content of a string literal.
 * @param special replacements of certain characters.
 * @param hidden returns the replacement of a hidden character, given its code point.
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

/** `\u0041`, and two of them beyond 16 bits: the escapes of JavaScript, C#, F# and Scala. */
export function utf16Escape(codePoint: number): string {
  return utf16Units(codePoint)
    .map((unit) => `\\u${hex(unit, 4)}`)
    .join('');
}

/** `\u0041` or `\U0001f600`: the escapes of R and Julia. */
export function utf32Escape(codePoint: number): string {
  return codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`;
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/**
 * Converts a number from the spelling of YAML's core schema and most languages to that of JSON: no plus sign, leading
 * zeros or bare points; `0x`, `0o` and `0b` become decimal.
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
