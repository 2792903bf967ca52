import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { fieldInvalid } from '../create/request';
import { PageBuilder, pageLength } from '../executions/execution-index';
import type { Predicate } from './filter-parser';
import { compareValues, type OrderKey } from './order-by';

/** The query of a list, as the client sent it. */
export interface ListQuery {
  readonly filter: string;
  readonly orderBy: string;
  /** 0 if the service may choose. */
  readonly pageSize: number;
  readonly pageToken: string;
}

/** What is listed, and how. */
export interface Listing<T, R> {
  readonly items: Iterable<T>;
  readonly matches: Predicate<T>;
  /** No two items may be equal in all keys: page tokens consist of the keys' values. */
  readonly order: readonly OrderKey<T>[];
  /** The items are in this order already. */
  readonly isSorted: boolean;
  /** The item as the client gets it; undefined if it no longer exists. */
  readonly present: (item: T) => R | undefined;
}

/** How long a list may keep other requests waiting, milliseconds. */
const TURN_MS = 10;

/**
 * One page of a list. Items that are created or deleted meanwhile do not shift the following pages.
 * @param signal aborts it when the client disconnects.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `pageToken`
 */
export async function listPage<T, R>(
  { items, matches, order, isSorted, present }: Listing<T, R>,
  query: ListQuery,
  signal: AbortSignal,
): Promise<{ readonly items: readonly R[]; readonly nextPageToken: string | undefined }> {
  const after = readToken(query, order.length);
  const page = new PageBuilder<R>(pageLength(query.pageSize));
  const found: { readonly item: T; readonly values: readonly string[] }[] = [];
  let turn = performance.now();
  for (const item of items) {
    if (performance.now() - turn > TURN_MS) {
      await setImmediate();
      signal.throwIfAborted();
      turn = performance.now();
    }
    const values = order.map(({ of }) => of(item));
    if (after !== undefined && compareValues(order, values, after) <= 0) continue;
    if (!matches(item)) continue;
    found.push({ item, values });
    // One more than the page has, to know whether another page follows.
    if (isSorted && found.length > page.length) break;
  }
  if (!isSorted) found.sort((one, other) => compareValues(order, one.values, other.values));
  let last: readonly string[] = [];
  for (const { item, values } of found) {
    if (page.isFull) return { items: page.items, nextPageToken: writeToken(query, last) };
    const presented = present(item);
    if (presented !== undefined) page.add(presented);
    last = values;
  }
  return { items: page.items, nextPageToken: undefined };
}

/** A page token: a digest of the query that it belongs to, and the values of the last item. */
function writeToken(query: ListQuery, values: readonly string[]): string {
  return Buffer.from(JSON.stringify([digestOf(query), ...values])).toString('base64url');
}

function readToken(query: ListQuery, length: number): string[] | undefined {
  if (query.pageToken === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(query.pageToken, 'base64url').toString('utf8'));
    if (
      Array.isArray(parsed) &&
      parsed.length === length + 1 &&
      parsed.every((each) => typeof each === 'string')
    ) {
      const [digest, ...values] = parsed;
      if (digest === digestOf(query)) return values;
    }
  } catch {
    // Reported below.
  }
  throw fieldInvalid('pageToken', 'is not a page token of this filter and order');
}

function digestOf({ filter, orderBy }: ListQuery): string {
  return createHash('sha256')
    .update(JSON.stringify([filter, orderBy]))
    .digest('hex')
    .slice(0, 16);
}
