import type { JsonValue } from '../json';
import { type Kind, kindOf } from './values';

/** A parameter as the cell tagged `parameters` declares it. */
export interface DeclaredParameter {
  readonly name: string;
  /** The type hint as written, else Python's type of a literal default: int, float, bool, str, list, dict, None. */
  readonly type?: string;
  /** The default if it is a literal. */
  readonly defaultValue?: JsonValue;
  /** The default as written; empty if there is only a type hint. */
  readonly defaultSource: string;
  /** The comment after it, without its mark. */
  readonly comment?: string;
  /** The values that `# one of: a, b` allows. */
  readonly choices?: readonly JsonValue[];
}

/** What the reader of a language finds in a cell. */
export interface Declarations {
  readonly parameters: DeclaredParameter[];
  /** All names that the cell assigns, also those whose value cannot be read. */
  readonly names: ReadonlySet<string>;
  /** Line (from 1) that cannot be parsed; the rest is still read. */
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
 * Combines what is known of one parameter.
 * @param comment without its mark and surrounding spaces.
 * @param literal parses a literal of the language; undefined if the text is not a literal.
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
  // A comma inside quotes is not a separator.
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
