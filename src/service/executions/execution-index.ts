import type { Execution } from '../../execution/execution';
import { EXECUTION_ID } from '../../execution/execution-name';
import type { Entry } from './entry';
import { presentInList, type ExecutionRecord } from './record';
import { fieldInvalid } from '../create/request';

/** Page sizes as in Google's APIs: a larger request gets the maximum. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;
/** A page ends when it has so many characters of JSON, which take about 20 ms to make. */
const MAX_PAGE_CHARACTERS = 4_000_000;

/** One page of executions as a client gets it. */
export interface Page {
  readonly executions: readonly Execution[];
  readonly nextPageToken?: string;
}

/** The number of executions on a page. @param pageSize as requested; 0 if the service may choose */
export function pageLength(pageSize: number): number {
  return pageSize === 0 ? DEFAULT_PAGE : Math.min(pageSize, MAX_PAGE);
}

/** A page of a list while it is being filled. */
export class PageBuilder<T> {
  readonly items: T[] = [];
  private characters = 0;

  constructor(readonly length: number) {}

  get isFull(): boolean {
    return this.items.length >= this.length || this.characters >= MAX_PAGE_CHARACTERS;
  }

  add(item: T): void {
    this.items.push(item);
    this.characters += JSON.stringify(item).length;
  }
}

/** The executions in memory, by id and in the order of their creation. */
export class ExecutionIndex implements Iterable<Entry> {
  private readonly entries = new Map<string, Entry>();
  /** Ids, sorted by creation time and then id, oldest first. Page tokens name a position in this order. */
  private order: string[] = [];

  /** Called with each execution that no longer exists. */
  onDidForget: (entry: Entry) => void = () => undefined;

  /** Adds an execution. It is usually the newest: not if another host made it, or the clock was set back. */
  add(entry: Entry): void {
    const { createTime, id } = entry.record;
    this.entries.set(id, entry);
    let place = this.order.length;
    while (place > 0 && !this.isOlder(place - 1, createTime, id)) place--;
    this.order.splice(place, 0, id);
  }

  get size(): number {
    return this.entries.size;
  }

  get(id: string): Entry | undefined {
    return this.entries.get(id);
  }

  forget(id: string): void {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    this.order = this.order.filter((each) => each !== id);
    if (entry !== undefined) this.onDidForget(entry);
  }

  /** All of them, oldest first. */
  *[Symbol.iterator](): Generator<Entry> {
    for (const id of this.order) {
      const entry = this.entries.get(id);
      if (entry !== undefined) yield entry;
    }
  }

  /** One page, newest first. @throws ServiceError INVALID_ARGUMENT for an invalid page token. */
  page(pageSize: number, pageToken: string): Page {
    let next = this.order.length - 1;
    if (pageToken !== '') {
      const [createTime, id] = decodeToken(pageToken);
      // Deletes in between must not shift the page: the token names a position, not an entry.
      while (next >= 0 && !this.isOlder(next, createTime, id)) next--;
    }
    const page = new PageBuilder<Execution>(pageLength(pageSize));
    for (; next >= 0 && !page.isFull; next--) {
      const entry = this.entries.get(this.order[next] ?? '');
      if (entry !== undefined) page.add(presentInList(entry.record, entry.status));
    }
    const last = this.entries.get(this.order[next + 1] ?? '')?.record;
    const executions = page.items;
    return next < 0 || last === undefined ? { executions } : { executions, nextPageToken: encodeToken(last) };
  }

  private isOlder(index: number, createTime: string, id: string): boolean {
    const record = this.entries.get(this.order[index] ?? '')?.record;
    if (record === undefined) return false;
    return record.createTime < createTime || (record.createTime === createTime && record.id < id);
  }
}

function encodeToken({ createTime, id }: ExecutionRecord): string {
  return Buffer.from(`${createTime} ${id}`).toString('base64url');
}

function decodeToken(token: string): [createTime: string, id: string] {
  const [createTime, id, ...rest] = Buffer.from(token, 'base64url').toString('utf8').split(' ');
  if (createTime !== undefined && id !== undefined && rest.length === 0 && EXECUTION_ID.test(id))
    return [createTime, id];
  throw fieldInvalid('pageToken', 'is not a page token of this service');
}
