/*
 * IPython's own syntax in a Python cell ("IPython reference", system shell access, magics, help). It appears at the
 * start of a statement (`%magic`, `!command`, `?name`), after an equals sign (`files = !ls`, `here = %pwd`), or at the
 * end of a line (`name?`).
 */

/**
 * Cell magics whose body is Python code that runs in the notebook. The body of any other cell magic may be another
 * language.
 */
const RUNS_BODY = /^\s*%%(?:time|capture|prun|debug)\b/;

/**
 * Replaces IPython's syntax by names of the same length, so that a Python parser can read the rest and all positions
 * stay the same. A cell that starts with a cell magic of another kind is masked completely.
 */
export function maskIPython(source: string): string {
  if (/^\s*%%/.test(source) && !RUNS_BODY.test(source)) return mask(source);
  let result = '';
  let done = 0;
  let at = 0;
  const maskUntil = (from: number, to: number): void => {
    result += source.slice(done, from) + mask(source.slice(from, to));
    done = to;
    at = to;
  };
  while (at < source.length) {
    // A statement starts here.
    at = skipSpace(source, at);
    const start = at;
    if (/[%!?]/.test(source[at] ?? '')) {
      maskUntil(start, endOfLine(source, at));
      at++;
      continue;
    }
    for (let depth = 0; at < source.length; at++) {
      const character = source[at] ?? '';
      if (character === '\n' && depth === 0) break;
      if (character === '"' || character === "'") {
        at = endOfString(source, at) - 1;
      } else if (character === '#') {
        at = lineBreakAfter(source, at) - 1;
      } else if (character === '\\') {
        at++;
      } else if (/[([{]/.test(character)) {
        depth++;
      } else if (/[)\]}]/.test(character)) {
        depth = Math.max(0, depth - 1);
      } else if (depth > 0) {
        continue;
      } else if (character === '?') {
        maskUntil(Math.max(start, done), endOfLine(source, at));
        break;
      } else if (character === '=') {
        const value = skipSpace(source, at + 1);
        if (!/[%!]/.test(source[value] ?? '')) continue;
        maskUntil(value, endOfLine(source, value));
        break;
      }
    }
    at++;
  }
  return result + source.slice(done);
}

/** A name of the same length. */
function mask(text: string): string {
  return '_'.repeat(text.length);
}

function skipSpace(source: string, at: number): number {
  while (source[at] === ' ' || source[at] === '\t') at++;
  return at;
}

function lineBreakAfter(source: string, at: number): number {
  const found = source.indexOf('\n', at);
  return found < 0 ? source.length : found;
}

/** The end of the logical line, including backslash continuations. */
function endOfLine(source: string, at: number): number {
  let end = lineBreakAfter(source, at);
  while (end < source.length && source[end - 1] === '\\') end = lineBreakAfter(source, end + 1);
  return end;
}

/** The end of a string literal; a single-quoted or double-quoted one ends at the end of its line at the latest. */
function endOfString(source: string, start: number): number {
  const quote = source[start] ?? '';
  const isLong = source.startsWith(quote.repeat(3), start);
  const closing = isLong ? quote.repeat(3) : quote;
  for (let at = start + closing.length; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source.startsWith(closing, at)) return at + closing.length;
    else if (!isLong && source[at] === '\n') return at;
  }
  return source.length;
}
