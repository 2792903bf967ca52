import type { SyntaxNode } from '@lezer/common';
import { type JsonObject, type JsonValue, JsonNumber, setKeyOrder, setOwn } from '../json';
import { decimal } from './values';

/** Deeper than any default that a user edits, but far from a stack overflow. */
const MAX_DEPTH = 200;

/** The value of a Python expression if it is a literal that JSON can hold, else undefined. Tuples become lists. */
export function pythonLiteral(node: SyntaxNode, source: string, depth = 0): JsonValue | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const text = source.slice(node.from, node.to);
  switch (node.name) {
    case 'None':
      return null;
    case 'Boolean':
      return text === 'True';
    case 'Number':
      return pythonNumber(text);
    case 'String':
      return pythonString(text);
    case 'ContinuedString':
      return joined(childrenOf(node).map((part) => pythonLiteral(part, source, depth + 1)));
    case 'UnaryExpression':
      return signed(node, source, depth);
    case 'ParenthesizedExpression': {
      const [inner, ...more] = valuesIn(node);
      return inner && more.length === 0 ? pythonLiteral(inner, source, depth + 1) : undefined;
    }
    case 'ArrayExpression':
    case 'TupleExpression':
      return list(valuesIn(node), source, depth);
    case 'DictionaryExpression':
      return dictionary(node, source, depth);
    case 'CallExpression':
      return namedFloat(text);
    default:
      return undefined;
  }
}

/** Children without comments. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling)
    if (child.name !== 'Comment') children.push(child);
  return children;
}

function valuesIn(node: SyntaxNode): SyntaxNode[] {
  return childrenOf(node).filter(({ name }) => !/^[()[\]{},]$/.test(name));
}

function list(nodes: readonly SyntaxNode[], source: string, depth: number): JsonValue[] | undefined {
  const items: JsonValue[] = [];
  for (const node of nodes) {
    const item = pythonLiteral(node, source, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

/** `{key: value, …}` with strings as keys. */
function dictionary(node: SyntaxNode, source: string, depth: number): JsonObject | undefined {
  const parts = valuesIn(node);
  const object: JsonObject = {};
  const keys: string[] = [];
  for (let i = 0; i < parts.length; i += 3) {
    const [keyNode, colon, valueNode] = parts.slice(i, i + 3);
    if (!keyNode || colon?.name !== ':' || !valueNode) return undefined;
    const key = pythonLiteral(keyNode, source, depth + 1);
    const value = pythonLiteral(valueNode, source, depth + 1);
    if (typeof key !== 'string' || value === undefined) return undefined;
    setOwn(object, key, value);
    keys.push(key);
  }
  setKeyOrder(object, keys);
  return object;
}

function signed(node: SyntaxNode, source: string, depth: number): JsonValue | undefined {
  const [operator, operand] = childrenOf(node);
  if (operator?.name !== 'ArithOp' || !operand) return undefined;
  const value = pythonLiteral(operand, source, depth + 1);
  if (typeof value !== 'number' && !(value instanceof JsonNumber)) return undefined;
  if (source[operator.from] === '+') return value;
  if (source[operator.from] !== '-') return undefined;
  const text = String(value);
  if (!/^-?\d/.test(text)) return -Number(value);
  return decimal(text.startsWith('-') ? text.slice(1) : `-${text}`);
}

function pythonNumber(text: string): JsonValue | undefined {
  return /[jJ]$/.test(text) ? undefined : decimal(text.replaceAll('_', ''));
}

/** `float('nan')` and `float('inf')` count as literals: injected cells contain them. */
function namedFloat(text: string): number | undefined {
  switch (/^float\(\s*["']\s*([+-]?(?:nan|inf|infinity))\s*["']\s*\)$/i.exec(text)?.[1]?.toLowerCase()) {
    case 'nan':
    case '+nan':
    case '-nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

function joined(parts: readonly (JsonValue | undefined)[]): string | undefined {
  return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Text of a string literal; undefined for bytes, and for `\N{…}`, which needs the table of Unicode names. */
function pythonString(literal: string): string | undefined {
  const [, prefix = '', quote = ''] = /^([A-Za-z]*)("""|'''|"|')/.exec(literal) ?? [];
  if (quote === '' || !literal.endsWith(quote) || /b/i.test(prefix)) return undefined;
  const body = literal.slice(prefix.length + quote.length, -quote.length).replace(/\r\n?/g, '\n');
  if (/r/i.test(prefix)) return body;
  if (body.includes('\\N{')) return undefined;
  return body.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(0010[0-9a-fA-F]{4}|000[0-9a-fA-F]{5})|([\s\S]))/g,
    (whole, octal?: string, ...rest: (string | undefined)[]) => {
      const hexadecimal = rest[0] ?? rest[1] ?? rest[2];
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      if (hexadecimal !== undefined) return String.fromCodePoint(parseInt(hexadecimal, 16));
      return SIMPLE_ESCAPES[rest[3] ?? ''] ?? whole;
    },
  );
}
