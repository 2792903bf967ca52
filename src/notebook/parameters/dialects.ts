import type { JsonValue } from '../json';
import * as names from './names';
import { escapeText, hex, type Kind, kindOf, utf16Escape, utf16Units, utf32Escape } from './values';

/**
 * How a language writes values. `nan`, `infinity` and `-infinity` are also used for numbers outside the range of a
 * double, which many compilers reject. A function that returns undefined means that the language has no such value.
 */
export interface Dialect {
  /** Name for messages. */
  readonly name: string;
  readonly comment: (text: string) => string;
  /** @param declaredIn source of the cell tagged `parameters`. */
  readonly assign: (name: string, literal: string, value: JsonValue, declaredIn: string) => string;
  /** Names that can be assigned, see names.ts. */
  readonly identifier: RegExp;
  readonly null: string;
  readonly true: string;
  readonly false: string;
  readonly nan: string;
  readonly infinity: string;
  readonly negativeInfinity: string;
  readonly string: (text: string) => string | undefined;
  readonly integer: (text: string, kind: Kind) => string;
  /** @param literals of the items, in order. */
  readonly list: (literals: readonly string[], items: readonly JsonValue[]) => string | undefined;
  /** @param entries the keys, raw and as string literals, with the literals of their values. */
  readonly object: (entries: readonly ObjectEntry[]) => string | undefined;
}

export interface ObjectEntry {
  readonly key: string;
  readonly keyLiteral: string;
  readonly literal: string;
  readonly value: JsonValue;
}

const LINE_BREAKS = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const C_ESCAPES = { '"': '\\"', '\\': '\\\\', ...LINE_BREAKS };
const verbatim = (text: string) => text;
const longSuffix = (text: string, kind: Kind) => (kind === 'int' ? text : `${text}L`);
const join = (entries: readonly ObjectEntry[], separator: string, write: (entry: ObjectEntry) => string) =>
  entries.map(write).join(separator);
/** True if a typed list can hold the items: scalars of one type. */
const isUniform = (items: readonly JsonValue[]) => {
  const kinds = new Set(items.map(kindOf));
  return (
    kinds.size === 1 &&
    items.every((item) => ['bool', 'int', 'long', 'float', 'string'].includes(kindOf(item)))
  );
};

export const python: Dialect = {
  name: 'Python',
  comment: (text) => `# ${text}`,
  assign: (name, literal) => `${name} = ${literal}`,
  identifier: names.PYTHON_NAME,
  null: 'None',
  true: 'True',
  false: 'False',
  nan: "float('nan')",
  infinity: "float('inf')",
  negativeInfinity: "float('-inf')",
  string: (text) => {
    const hidden = (code: number) => (code > 0xff ? utf32Escape(code) : `\\x${hex(code, 2)}`);
    return `"${escapeText(text, C_ESCAPES, hidden)}"`;
  },
  integer: verbatim,
  list: (literals) => `[${literals.join(', ')}]`,
  object: (entries) => `{${join(entries, ', ', ({ keyLiteral, literal }) => `${keyLiteral}: ${literal}`)}}`,
};

export const r: Dialect = {
  name: 'R',
  comment: (text) => `# ${text}`,
  // In R a name cannot begin with an underscore; papermill drops it, and notebooks rely on that.
  assign: (name, literal) => `${name.replace(/^_+/, '')} = ${literal}`,
  identifier: names.R_NAME,
  null: 'NULL',
  true: 'TRUE',
  false: 'FALSE',
  nan: 'NaN',
  infinity: 'Inf',
  negativeInfinity: '-Inf',
  string: (text) => (/\0|\p{Cs}/u.test(text) ? undefined : `"${escapeText(text, C_ESCAPES, utf32Escape)}"`),
  integer: verbatim,
  list: (literals) => `list(${literals.join(', ')})`,
  object: (entries) =>
    entries.some(({ key }) => key === '')
      ? undefined
      : `list(${join(entries, ', ', ({ keyLiteral, literal }) => `${keyLiteral} = ${literal}`)})`,
};

export const julia: Dialect = {
  name: 'Julia',
  comment: (text) => `# ${text}`,
  assign: (name, literal) => `${name} = ${literal}`,
  identifier: names.JULIA_NAME,
  null: 'nothing',
  true: 'true',
  false: 'false',
  nan: 'NaN',
  infinity: 'Inf',
  negativeInfinity: '-Inf',
  // An unescaped dollar sign would interpolate.
  string: (text) => `"${escapeText(text, { ...C_ESCAPES, $: '\\$' }, utf32Escape)}"`,
  integer: verbatim,
  list: (literals, items) => `${isUniform(items) || items.length === 0 ? '' : 'Any'}[${literals.join(', ')}]`,
  object: (entries) =>
    `Dict(${join(entries, ', ', ({ keyLiteral, literal }) => `${keyLiteral} => ${literal}`)})`,
};

export const scala: Dialect = {
  name: 'Scala',
  comment: (text) => `// ${text}`,
  assign: (name, literal) => `val ${name} = ${literal}`,
  identifier: names.SCALA_NAME,
  null: 'None',
  true: 'true',
  false: 'false',
  nan: 'Double.NaN',
  infinity: 'Double.PositiveInfinity',
  negativeInfinity: 'Double.NegativeInfinity',
  string: (text) => `"${escapeText(text, C_ESCAPES, utf16Escape)}"`,
  integer: (text, kind) => (kind === 'big' ? `BigInt("${text}")` : longSuffix(text, kind)),
  list: (literals) => `Seq(${literals.join(', ')})`,
  object: (entries) =>
    `Map(${join(entries, ', ', ({ keyLiteral, literal }) => `${keyLiteral} -> ${literal}`)})`,
};

export const bash: Dialect = {
  name: 'Bash',
  comment: (text) => `# ${text}`,
  assign: (name, literal, value) =>
    kindOf(value) === 'object' ? `declare -A ${name}=${literal}` : `${name}=${literal}`,
  identifier: names.BASH_NAME,
  null: '',
  true: 'true',
  false: 'false',
  nan: 'nan',
  infinity: 'inf',
  negativeInfinity: '-inf',
  string: bashString,
  integer: verbatim,
  // Bash arrays hold only strings. An item that is null becomes an empty word.
  list: (literals, items) =>
    items.every(isBashItem) ? `(${literals.map((literal) => literal || "''").join(' ')})` : undefined,
  object: (entries) =>
    entries.every(({ key, value }) => key !== '' && isBashItem(value))
      ? `(${join(entries, ' ', ({ keyLiteral, literal }) => `[${keyLiteral}]=${literal || "''"}`)})`
      : undefined,
};

function isBashItem(value: JsonValue): boolean {
  return !['list', 'object'].includes(kindOf(value));
}

function bashString(text: string): string | undefined {
  if (/\0|\p{Cs}/u.test(text)) return undefined;
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", `'"'"'`)}'`;
  const hidden = (code: number) => (code < 0x80 ? `\\x${hex(code, 2)}` : String.fromCodePoint(code));
  return `$'${escapeText(text, { "'": "\\'", '\\': '\\\\', ...LINE_BREAKS }, hidden)}'`;
}

export const javascript: Dialect = {
  name: 'JavaScript',
  comment: (text) => `// ${text}`,
  // Deno allows a second declaration only of the same kind, and forbids assigning to a constant.
  assign: (name, literal, _value, declaredIn) => {
    const declared = [...declaredIn.matchAll(/\b(const|let|var)\s+([\p{L}\p{M}\p{N}_$]+)/gu)];
    return `${declared.find(([, , other]) => other === name)?.[1] ?? 'let'} ${name} = ${literal};`;
  },
  identifier: names.JAVASCRIPT_NAME,
  null: 'null',
  true: 'true',
  false: 'false',
  nan: 'NaN',
  infinity: 'Infinity',
  negativeInfinity: '-Infinity',
  string: (text) => `"${escapeText(text, C_ESCAPES, utf16Escape)}"`,
  // Beyond 53 bits a number would lose precision.
  integer: (text) => (Number.isSafeInteger(Number(text)) ? text : `${text}n`),
  list: (literals) => `[${literals.join(', ')}]`,
  object: (entries) =>
    // A plain __proto__ key would set the prototype.
    `{${join(entries, ', ', ({ key, keyLiteral, literal }) => `${key === '__proto__' ? `[${keyLiteral}]` : keyLiteral}: ${literal}`)}}`,
};

export const csharp: Dialect = {
  name: 'C#',
  comment: (text) => `// ${text}`,
  assign: (name, literal, value) => `${value === null ? 'object' : 'var'} ${name} = ${literal};`,
  identifier: names.CSHARP_NAME,
  null: 'null',
  true: 'true',
  false: 'false',
  nan: 'double.NaN',
  infinity: 'double.PositiveInfinity',
  negativeInfinity: 'double.NegativeInfinity',
  string: (text) => `"${escapeText(text, C_ESCAPES, utf16Escape)}"`,
  integer: (text, kind) =>
    kind === 'big' ? `System.Numerics.BigInteger.Parse("${text}")` : longSuffix(text, kind),
  list: (literals, items) => `new ${isUniform(items) ? '' : 'object'}[] { ${literals.join(', ')} }`,
  object: (entries) =>
    `new Dictionary<string,Object>{ ${join(entries, ', ', ({ keyLiteral, literal }) => `{ ${keyLiteral} , ${literal} }`)} }`,
};

export const fsharp: Dialect = {
  name: 'F#',
  comment: (text) => `(* ${text} *)`,
  assign: (name, literal) => `let ${name} = ${literal}`,
  identifier: names.FSHARP_NAME,
  null: 'None',
  true: 'true',
  false: 'false',
  nan: 'nan',
  infinity: 'infinity',
  negativeInfinity: '-infinity',
  string: (text) => `"${escapeText(text, C_ESCAPES, utf16Escape)}"`,
  integer: (text, kind) => (kind === 'big' ? `${text}I` : longSuffix(text, kind)),
  list: (literals, items) =>
    `[ ${literals.map((literal, i) => (isUniform(items) ? literal : boxed(literal, items[i]))).join('; ')} ]`,
  object: (entries) =>
    entries.length === 0
      ? 'Map.empty<string, obj>'
      : `Map.ofList [ ${join(entries, '; ', ({ keyLiteral, literal, value }) => `(${keyLiteral}, ${boxed(literal, value)})`)} ]`,
};

/** Items of different types in one F# collection must be boxed as objects. */
function boxed(literal: string, value: JsonValue | undefined): string {
  return value === null ? '(null : obj)' : `box (${literal})`;
}

const POWERSHELL_ESCAPES = {
  '`': '``',
  $: '`$',
  // PowerShell treats typographic quotes as plain ones.
  '"': '`"',
  '“': '`“',
  '”': '`”',
  '„': '`„',
  '\n': '`n',
  '\r': '`r',
  '\t': '`t',
};

export const powershell: Dialect = {
  name: 'PowerShell',
  comment: (text) => `# ${text}`,
  assign: (name, literal) => `$${name} = ${literal}`,
  identifier: names.POWERSHELL_NAME,
  null: '$Null',
  true: '$True',
  false: '$False',
  nan: '[double]::NaN',
  infinity: '[double]::PositiveInfinity',
  negativeInfinity: '[double]::NegativeInfinity',
  string: (text) => `"${escapeText(text, POWERSHELL_ESCAPES, (code) => `\`u{${hex(code, 1)}}`)}"`,
  integer: (text, kind) => (kind === 'big' ? `[bigint]::Parse("${text}")` : text),
  // Without the comma, a list that contains one list would be unwrapped to that list.
  list: (literals, items) =>
    `@(${items.length === 1 && Array.isArray(items[0]) ? ', ' : ''}${literals.join(', ')})`,
  object: (entries) => `@{${join(entries, '; ', ({ keyLiteral, literal }) => `${keyLiteral} = ${literal}`)}}`,
};

export const matlab: Dialect = {
  name: 'MATLAB',
  comment: (text) => `% ${text}`,
  assign: (name, literal) => `${name} = ${literal};`,
  identifier: names.MATLAB_NAME,
  null: 'NaN',
  true: 'true',
  false: 'false',
  nan: 'NaN',
  infinity: 'Inf',
  negativeInfinity: '-Inf',
  // MATLAB strings have no escapes: hidden characters are added with char().
  string: (text) => {
    const hidden = (code: number) =>
      utf16Units(code)
        .map((unit) => `" + char(${unit}) + "`)
        .join('');
    const literal = `"${escapeText(text, { '"': '""' }, hidden)}"`.replaceAll(' + "" + ', ' + ');
    return literal.endsWith(' + ""') ? literal.slice(0, -' + ""'.length) : literal;
  },
  // A plain number is a double.
  integer: (text, kind) => (Number.isSafeInteger(Number(text)) || kind === 'big' ? text : `int64(${text})`),
  list: (literals) => `{${literals.join(', ')}}`,
  object: (entries) =>
    entries.length === 0
      ? 'containers.Map()'
      : `containers.Map({${join(entries, ', ', ({ key }) => `'${key.replaceAll("'", "''")}'`)}}, {${join(entries, ', ', ({ literal }) => literal)}})`,
};
