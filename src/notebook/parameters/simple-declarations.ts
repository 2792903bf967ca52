import type { JsonValue } from '../json';
import { declare, type Declarations, type DeclaredParameter } from './declared';
import * as dialects from './dialects';
import type { Dialect } from './dialects';
import { decimal } from './values';

/**
 * Assignments at the start of a line in languages that have no parser here. Groups: `name`, `rest`, and for some
 * `type`.
 */
const ASSIGNMENTS = new Map<Dialect, RegExp>([
  [dialects.r, /^(?<name>[\p{L}.][\p{L}\p{N}_.]*)\s*(?:<-|=(?!=))\s*(?<rest>.+)$/u],
  [
    dialects.julia,
    /^(?:const\s+)?(?<name>[\p{L}_][\p{L}\p{N}_!]*)\s*(?:::\s*(?<type>[^=\s]+)\s*)?=(?!=)\s*(?<rest>.+)$/u,
  ],
  [
    dialects.scala,
    /^(?:val|var)\s+(?<name>[\p{L}_][\p{L}\p{N}_]*)\s*(?::\s*(?<type>[^=]+?)\s*)?=\s*(?<rest>.+)$/u,
  ],
  [dialects.bash, /^(?:export\s+|declare\s+(?:-\w+\s+)*)?(?<name>[A-Za-z_]\w*)=(?<rest>.*)$/],
  [
    dialects.javascript,
    /^(?:const|let|var)\s+(?<name>[\p{L}_$][\p{L}\p{N}_$]*)\s*(?::\s*(?<type>[^=]+?)\s*)?=\s*(?<rest>.+)$/u,
  ],
  [
    dialects.csharp,
    /^(?!return\b)(?:var|(?<type>[\p{L}_][\p{L}\p{N}_.<>,?[\]]*))\s+(?<name>[\p{L}_][\p{L}\p{N}_]*)\s*=(?!=)\s*(?<rest>.+)$/u,
  ],
  [
    dialects.fsharp,
    /^let\s+(?:mutable\s+)?(?<name>[\p{L}_][\p{L}\p{N}_]*)\s*(?::\s*(?<type>[^=]+?)\s*)?=\s*(?<rest>.+)$/u,
  ],
  [dialects.powershell, /^(?:\[(?<type>[^\]]+)\]\s*)?\$(?<name>\w+)\s*=\s*(?<rest>.+)$/],
  [dialects.matlab, /^(?<name>[A-Za-z]\w*)\s*=(?!=)\s*(?<rest>.+)$/],
]);

/** The mark that starts a comment outside of strings. */
function commentMark(dialect: Dialect): string {
  return dialect === dialects.fsharp ? '//' : dialect.comment('').trim();
}

/** Maximum characters of a line: longer lines contain no default that a user edits. */
const MAX_LINE = 5000;

/** Reads assignments on a line of their own whose default is one simple literal. */
export function readSimpleAssignments(source: string, dialect: Dialect): Declarations {
  const pattern = ASSIGNMENTS.get(dialect);
  const parameters = new Map<string, DeclaredParameter>();
  for (const line of pattern ? source.split(/\r?\n/) : []) {
    // The time of a pattern is quadratic in the length of a line of spaces.
    const { name, type, rest } = line.length > MAX_LINE ? {} : (pattern?.exec(line)?.groups ?? {});
    if (name === undefined || rest === undefined) continue;
    const [value, comment] = splitComment(rest, commentMark(dialect));
    parameters.set(
      name,
      declare(name, type, value, comment, (text) => simpleLiteral(text, dialect)),
    );
  }
  return { parameters: [...parameters.values()], names: new Set(parameters.keys()) };
}

/** The value without a trailing semicolon, and the comment after it. */
function splitComment(rest: string, mark: string): [string, string] {
  let quote = '';
  let end = rest.length;
  for (let i = 0; i < rest.length; i++) {
    const character = rest[i] ?? '';
    if (quote !== '') {
      if (character === '\\') i++;
      else if (character === quote) quote = '';
    } else if (/["'`]/.test(character)) {
      quote = character;
    } else if (rest.startsWith(mark, i)) {
      end = i;
      break;
    }
  }
  return [rest.slice(0, end).replace(/[\s;]+$/, ''), rest.slice(end).slice(mark.length).trim()];
}

/** A number, a string without escapes, or the language's word for true, false or null. */
function simpleLiteral(text: string, dialect: Dialect): JsonValue | undefined {
  if (text === dialect.true) return true;
  if (text === dialect.false) return false;
  if (text === dialect.null) return null;
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return decimal(text);
  const integer = /^([+-]?\d+)[LlIn]$/.exec(text)?.[1];
  if (integer !== undefined) return decimal(integer);
  const [, double, single] = /^(?:"([^"\\`$]*)"|'([^'\\]*)')$/.exec(text) ?? [];
  if (double !== undefined || single !== undefined) return double ?? single;
  return dialect === dialects.bash && /^[\w@%+:,./-]+$/.test(text) ? text : undefined;
}
