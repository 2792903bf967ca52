import type { Execution } from '../../execution/execution';
import { EXECUTION_ID } from '../../execution/execution-name';
import type { Entry } from './entry';
import { presentInList, type ExecutionRecord } from './record';
import { fieldInvalid } from '../create/request';

/** Pages of a list, as in Google's APIs: larger ones are cut to the largest. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;
/** A page ends after the execution with which it has so many characters of JSON: to make it takes some 20 ms. */
const MAX_PAGE_CHARACTERS = 4_000_000;

/** One page of executions as a client gets it. */
export interface Page {
  readonly executions: Execution[];
  readonly nextPageToken?: string;
}

/** The executions in memory, by id and in the order of their creation. */
export class ExecutionIndex implements Iterable<Entry> {
  readonly #entries = new Map<string, Entry>();
  /** Ids by time of creation and id, oldest first: the order that page tokens name places in. */
  #order: string[] = [];

  /** Takes up an execution. It is mostly the newest, unless another host made it, the clock was set back or two came at once. */
  add(entry: Entry): void {
    const { createTime, id } = entry.record;
    this.#entries.set(id, entry);
    let place = this.#order.length;
    while (place > 0 && !this.#isOlder(place - 1, createTime, id)) place--;
    this.#order.splice(place, 0, id);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  forget(id: string): void {
    this.#entries.delete(id);
    this.#order = this.#order.filter((each) => each !== id);
  }

  /** All of them, oldest first. */
  *[Symbol.iterator](): Generator<Entry> {
    for (const id of this.#order) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) yield entry;
    }
  }

  /** Newest first. @throws ServiceError INVALID_ARGUMENT for a page token that is none of ours. */
  page(pageSize: number, pageToken: string): Page {
    const size = pageSize === 0 ? DEFAULT_PAGE : Math.min(pageSize, MAX_PAGE);
    let next = this.#order.length - 1;
    if (pageToken !== '') {
      const [createTime, id] = decodeToken(pageToken);
      // What was deleted meanwhile must not move the page: the token names a place, not an entry.
      while (next >= 0 && !this.#isOlder(next, createTime, id)) next--;
    }
    const executions: Execution[] = [];
    let characters = 0;
    for (; next >= 0 && executions.length < size && characters < MAX_PAGE_CHARACTERS; next--) {
      const entry = this.#entries.get(this.#order[next] ?? '');
      if (entry === undefined) continue;
      const execution = presentInList(entry.record, entry.status);
      executions.push(execution);
      characters += JSON.stringify(execution).length;
    }
    const last = this.#entries.get(this.#order[next + 1] ?? '')?.record;
    return next < 0 || last === undefined ? { executions } : { executions, nextPageToken: encodeToken(last) };
  }

  #isOlder(index: number, createTime: string, id: string): boolean {
    const record = this.#entries.get(this.#order[index] ?? '')?.record;
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
