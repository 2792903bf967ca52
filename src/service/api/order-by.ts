import { fieldInvalid } from '../create/request';
import { camelCase } from './proto-json';

/** One key of an order. */
export interface OrderKey<T> {
  readonly of: (item: T) => string;
  readonly descending: boolean;
}

const MAX_KEYS = 5;

/**
 * Parses `orderBy` (google.aip.dev/132): field names with `desc` or `asc`, separated by commas.
 * @param fields fields that items can be ordered by, by name in lowerCamelCase. Values are compared as text.
 * @returns the keys; empty for the service's own order.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `orderBy`
 */
export function parseOrderBy<T>(
  text: string,
  fields: Readonly<Record<string, (item: T) => string>>,
): OrderKey<T>[] {
  if (text.trim() === '') return [];
  const keys = text.slice(0, 1000).split(',');
  if (keys.length > MAX_KEYS) throw fieldInvalid('orderBy', `has more than ${MAX_KEYS} fields`);
  return keys.map((key) => {
    const [, name = '', direction] = /^\s*([\w.]+)(?:\s+(asc|desc))?\s*$/i.exec(key) ?? [];
    const field = camelCase(name);
    const of = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (of === undefined) {
      const known = Object.keys(fields).join(', ');
      throw fieldInvalid('orderBy', `cannot order by ${JSON.stringify(key.slice(0, 100))}; fields: ${known}`);
    }
    return { of, descending: direction?.toLowerCase() === 'desc' };
  });
}

/** Compares the values of two items at the keys of an order. */
export function compareValues<T>(
  keys: readonly OrderKey<T>[],
  one: readonly string[],
  other: readonly string[],
): number {
  for (const [index, { descending }] of keys.entries()) {
    const [a = '', b = ''] = [one[index], other[index]];
    if (a !== b) return a < b === descending ? 1 : -1;
  }
  return 0;
}
