import { isTerminal } from '../../execution/states';
import { readStatus } from './attempt-files';
import type { Entry } from './entry';
import type { ExecutionIndex } from './execution-index';
import type { FolderStore } from './folder-store';
import type { OtherHosts } from './other-hosts';
import type { ExecutionRecord } from './record';

/** What is looked at for the executions of other hosts. */
export interface OtherExecutionsOptions {
  readonly store: FolderStore;
  readonly index: ExecutionIndex;
  readonly hosts: OtherHosts;
  readonly log: (message: string) => void;
}

/** Executions that another host runs, makes or removes in a data directory that hosts share. */
export class OtherExecutions {
  /** Those that another host has accepted and not brought to an end. */
  readonly #theirs = new Set<string>();

  constructor(private readonly options: OtherExecutionsOptions) {}

  has(id: string): boolean {
    return this.#theirs.has(id);
  }

  /** Notes an execution that was just read. @returns true when it is another host's. */
  note(record: ExecutionRecord): boolean {
    if (isTerminal(record.state) || !this.options.hosts.isTheirs(record)) return false;
    this.#theirs.add(record.id);
    return true;
  }

  /**
   * Looks again at what other hosts have done.
   * @param isOwn true for an execution that this service is making or following.
   * @returns what nobody else brings to an end, such as a host that is gone: it is this host's from now on.
   */
  async refresh(isOwn: (id: string) => boolean): Promise<Entry[]> {
    const inherited = this.#rescan(isOwn);
    for (const id of this.#theirs) {
      const { store, index, hosts, log } = this.options;
      const entry = index.get(id);
      const record = store.read(id);
      if (entry === undefined || record === undefined) {
        this.#theirs.delete(id);
        index.forget(id);
        continue;
      }
      Object.assign(entry.record, record);
      if (isTerminal(record.state)) {
        entry.status = undefined;
        this.#theirs.delete(id);
      } else if (await hosts.isGone(record.host ?? '')) {
        this.#theirs.delete(id);
        inherited.push(entry);
      } else {
        entry.status = readStatus(store, record, log);
      }
    }
    return inherited;
  }

  /**
   * Takes up folders that have appeared, and forgets those that are gone. In one go, so that nothing changes meanwhile.
   * @returns what nobody else brings to an end.
   */
  #rescan(isOwn: (id: string) => boolean): Entry[] {
    const { store, index } = this.options;
    const names = store.changedNames();
    const found: Entry[] = [];
    if (names === undefined) return found;
    for (const name of names) {
      if (index.get(name) !== undefined || isOwn(name)) continue;
      const record = store.read(name);
      if (record === undefined) continue;
      const entry: Entry = { record };
      index.add(entry);
      if (!this.note(record) && !isTerminal(record.state)) found.push(entry);
    }
    const present = new Set(names);
    for (const { record } of [...index]) {
      if (present.has(record.id) || isOwn(record.id)) continue;
      this.#theirs.delete(record.id);
      index.forget(record.id);
    }
    return found;
  }
}
