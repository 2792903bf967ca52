/*
 * IPython's own syntax in a Python cell ("IPython reference", system shell access, magics, help). It stands where a statement
 * begins (`%magic`, `!command`, `?name`), behind an equals sign (`files = !ls`, `here = %pwd`), or at the end of a line (`name?`).
 */

/** Cell magics whose body is Python that runs in the notebook. Of any other it is unknown what the body is. */
const RUNS_BODY = /^\s*%%(?:time|capture|prun|debug)\b/;

/**
 * Puts names in the place of IPython's syntax, so that a parser of Python can read the rest. Every position stays the same.
 * What begins with a cell magic that does something else with its body is masked as a whole.
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
    // Here a statement begins.
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
      if (character === '"' || character === "'") at = endOfString(source, at) - 1;
      else if (character === '#') at = lineBreakAfter(source, at) - 1;
      else if (character === '\\') at++;
      else if (/[([{]/.test(character)) depth++;
      else if (/[)\]}]/.test(character)) depth = Math.max(0, depth - 1);
      else if (depth > 0) continue;
      else if (character === '?') {
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

/** Where the line ends, with those that a backslash at its end adds. */
function endOfLine(source: string, at: number): number {
  let end = lineBreakAfter(source, at);
  while (end < source.length && source[end - 1] === '\\') end = lineBreakAfter(source, end + 1);
  return end;
}

/** Where a string literal ends; one line's at the end of the line at the latest. */
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
