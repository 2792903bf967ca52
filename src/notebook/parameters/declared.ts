import type { JsonValue } from '../json';
import { type Kind, kindOf } from './values';

/** A parameter as the cell tagged `parameters` declares it. */
export interface DeclaredParameter {
  readonly name: string;
  /** The type hint as written, else the type of a literal default in Python's words: int, float, bool, str, list, dict, None. */
  readonly type?: string;
  /** The default where it is a literal. */
  readonly defaultValue?: JsonValue;
  /** The default as written; empty where there is a type hint only. */
  readonly defaultSource: string;
  /** The comment behind it, without its mark. */
  readonly comment?: string;
  /** What `# one of: a, b` allows. */
  readonly choices?: readonly JsonValue[];
}

/** What a reader of one language finds in a cell. */
export interface Declarations {
  readonly parameters: DeclaredParameter[];
  /** All names that the cell assigns to, also where it cannot be said what. */
  readonly names: ReadonlySet<string>;
  /** Line (from 1) that cannot be parsed; the rest is read all the same. */
  readonly errorLine?: number;
}

const TYPE_NAMES: Readonly<Record<Kind, string>> = {
  null: 'None',
  bool: 'bool',
  int: 'int',
  long: 'int',
  big: 'int',
  float: 'float',
  string: 'str',
  list: 'list',
  object: 'dict',
};

const TYPE_COMMENT = /^type:\s*(\S+)\s*/;
const CHOICES = /\bone of:\s*(.+)$/i;

/**
 * Puts together what is known of one parameter.
 * @param comment with neither its mark nor space around it.
 * @param literal reads a literal of the language; undefined where the text is none.
 */
export function declare(
  name: string,
  hint: string | undefined,
  defaultSource: string,
  comment: string,
  literal: (source: string) => JsonValue | undefined,
): DeclaredParameter {
  const defaultValue = defaultSource === '' ? undefined : literal(defaultSource);
  const text = comment.replace(TYPE_COMMENT, '');
  const type = hint ?? TYPE_COMMENT.exec(comment)?.[1] ?? typeName(defaultValue);
  const choices = CHOICES.exec(text)?.[1];
  return {
    name,
    ...(type === undefined ? {} : { type }),
    ...(defaultValue === undefined ? {} : { defaultValue }),
    defaultSource,
    ...(text === '' ? {} : { comment: text }),
    ...(choices === undefined
      ? {}
      : { choices: readChoices(choices, typeof defaultValue === 'string' || type === 'str', literal) }),
  };
}

function readChoices(
  text: string,
  isText: boolean,
  literal: (source: string) => JsonValue | undefined,
): JsonValue[] {
  // A comma within quotes separates nothing.
  const items = text.match(/(?:"[^"]*"|'[^']*'|[^,])+/g) ?? [];
  return items
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const value = literal(item);
      return value === undefined || (isText && typeof value !== 'string') ? item : value;
    });
}

function typeName(value: JsonValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  return TYPE_NAMES[kindOf(value)];
}
