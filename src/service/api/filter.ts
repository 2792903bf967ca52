import { enumName, type Enumeration } from '../../execution/enumerations';
import { camelCase } from './proto-json';
import {
  filterInvalid,
  matchesLiteral,
  parseFilter,
  type Literal,
  type Operator,
  type Predicate,
} from './filter-parser';

/*
 * What the comparisons of a filter mean. `!=` is the negation of `=`. A field that an item does not have equals nothing,
 * and is neither smaller nor larger than anything; `field:*` finds the items that have it.
 */

/** How a field is compared, and where its value is. */
export type FilterField<T> =
  /** `=` with wildcards, `:` contains (ignoring case). */
  | { readonly type: 'text'; readonly of: (item: T) => string | undefined }
  | { readonly type: 'enum'; readonly values: Enumeration; readonly of: (item: T) => string }
  /** RFC 3339. */
  | { readonly type: 'time'; readonly of: (item: T) => string | undefined }
  | { readonly type: 'boolean'; readonly of: (item: T) => boolean }
  /** `field:key` has the key, `field.key = value` compares its value. */
  | { readonly type: 'map'; readonly of: (item: T) => Readonly<Record<string, string>> | undefined };

/** The fields of the items of a list. */
export interface FilterFields<T> {
  /** By name in lowerCamelCase; with dots for fields within fields. */
  readonly fields: Readonly<Record<string, FilterField<T>>>;
  /** The texts that a value alone is searched in, ignoring case; absent if every value needs a field. */
  readonly texts?: (item: T) => readonly (string | undefined)[];
}

/** Parses a filter. @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `filter` */
export function filterOf<T>(text: string, { fields, texts }: FilterFields<T>): Predicate<T> {
  return parseFilter<T>(text, (path, operator, value) => {
    if (operator === undefined) {
      if (texts === undefined) throw filterInvalid(`${quote(value.text)} needs a field before it`);
      const contains = containing(value);
      return (item) => texts(item).some((text) => contains(text));
    }
    const names = path.map(camelCase);
    for (let length = names.length; length > 0; length--) {
      const name = names.slice(0, length).join('.');
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field === undefined) continue;
      const rest = path.slice(length);
      if (rest.length > 0 && field.type !== 'map') break;
      return compare(name, field, rest.join('.'), operator, value);
    }
    const known = Object.entries(fields).map(([name, { type }]) => (type === 'map' ? `${name}.KEY` : name));
    throw filterInvalid(`cannot compare ${quote(path.join('.'))}; fields: ${known.join(', ')}`);
  });
}

function compare<T>(
  name: string,
  field: FilterField<T>,
  key: string,
  operator: Operator,
  value: Literal,
): Predicate<T> {
  const any = value.parts.length > 1 && value.parts.every((part) => part === '');
  const refuse = (problem: string): Error =>
    filterInvalid(`${name} ${operator} ${quote(value.text)}: ${problem}`);
  switch (field.type) {
    case 'text': {
      const { of } = field;
      if (operator === ':') {
        const contains = containing(value);
        return (item) => contains(of(item));
      }
      return ordered(of, operator, value.text, (text) => matchesLiteral(text, value));
    }
    case 'enum': {
      const { of } = field;
      if (operator === ':' && any) return () => true;
      const wanted = enumName(field.values, /^\d{1,9}$/.test(value.text) ? Number(value.text) : value.text);
      if (wanted === undefined) throw refuse(`is none of ${Object.keys(field.values).join(', ')}`);
      if (operator === '!=') return (item) => of(item) !== wanted;
      if (operator === '=' || operator === ':') return (item) => of(item) === wanted;
      throw refuse('only =, != and : are possible');
    }
    case 'time': {
      const { of } = field;
      if (operator === ':' && any) return (item) => of(item) !== undefined;
      const time = TIME.test(value.text) ? Date.parse(value.text) : Number.NaN;
      if (Number.isNaN(time)) throw refuse('must be an RFC 3339 time, such as 2026-01-31T10:00:00Z');
      return ordered((item) => timeOf(of(item)), operator === ':' ? '=' : operator, time);
    }
    case 'boolean': {
      const { of } = field;
      if (!/^(?:true|false)$/.test(value.text)) throw refuse('must be true or false');
      const wanted = value.text === 'true';
      if (operator === '=' || operator === ':') return (item) => of(item) === wanted;
      if (operator === '!=') return (item) => of(item) !== wanted;
      throw refuse('only =, != and : are possible');
    }
    case 'map': {
      const { of } = field;
      if (key === '') {
        if (operator !== ':') throw refuse(`only ${name}:KEY and ${name}.KEY are possible`);
        return (item) => Object.keys(of(item) ?? {}).some((each) => matchesLiteral(each, value));
      }
      const at = (item: T): string | undefined => {
        const map = of(item) ?? {};
        return Object.hasOwn(map, key) ? map[key] : undefined;
      };
      const equal = operator === ':' ? '=' : operator;
      return ordered(at, equal, value.text, (text) => matchesLiteral(text, value));
    }
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/i;

function timeOf(time: string | undefined): number | undefined {
  const parsed = Date.parse(time ?? '');
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Compares values that have an order. @param equals in place of `===` */
function ordered<T, V extends string | number>(
  of: (item: T) => V | undefined,
  operator: Exclude<Operator, ':'>,
  wanted: V,
  equals: (value: V) => boolean = (value) => value === wanted,
): Predicate<T> {
  const holds = (test: (value: V) => boolean): Predicate<T> => {
    return (item) => {
      const value = of(item);
      return value !== undefined && test(value);
    };
  };
  switch (operator) {
    case '=':
      return holds(equals);
    case '!=': {
      const equal = holds(equals);
      return (item) => !equal(item);
    }
    case '<':
      return holds((value) => value < wanted);
    case '<=':
      return holds((value) => value <= wanted);
    case '>':
      return holds((value) => value > wanted);
    case '>=':
      return holds((value) => value >= wanted);
  }
}

/** Whether a text contains a value, ignoring case. A value with wildcards must match the whole text. */
function containing(value: Literal): (text: string | undefined) => boolean {
  const parts = value.parts.map((part) => part.toLowerCase());
  const [only = ''] = parts;
  return (text) =>
    text !== undefined &&
    (parts.length === 1 ? text.toLowerCase().includes(only) : matchesLiteral(text.toLowerCase(), { parts }));
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
