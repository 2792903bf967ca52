import { isTerminal } from '../../execution/states';
import { readStatus } from './attempt-files';
import type { Entry } from './entry';
import type { ExecutionIndex } from './execution-index';
import type { FolderStore } from './folder-store';
import type { OtherHosts } from './other-hosts';
import type { ExecutionRecord } from './record';

/** Dependencies of {@link OtherExecutions}. */
export interface OtherExecutionsOptions {
  readonly store: FolderStore;
  readonly index: ExecutionIndex;
  readonly hosts: OtherHosts;
  readonly log: (message: string) => void;
}

/** Executions that another host runs, creates or removes in a shared data directory. */
export class OtherExecutions {
  /** Ids of unfinished executions of other hosts. */
  private readonly theirs = new Set<string>();

  constructor(private readonly options: OtherExecutionsOptions) {}

  has(id: string): boolean {
    return this.theirs.has(id);
  }

  /** Registers an execution that was just read. @returns true if it is an unfinished one of another host. */
  note(record: ExecutionRecord): boolean {
    if (isTerminal(record.state) || !this.options.hosts.isTheirs(record)) return false;
    this.theirs.add(record.id);
    return true;
  }

  /**
   * Reads again what other hosts have done.
   * @param isOwn true for an execution that this service is creating or running.
   * @returns executions that no other host will finish, for example because it is gone: this host takes them over.
   */
  async refresh(isOwn: (id: string) => boolean): Promise<Entry[]> {
    const inherited = this.rescan(isOwn);
    for (const id of this.theirs) {
      const { store, index, hosts, log } = this.options;
      const entry = index.get(id);
      const record = store.read(id);
      if (entry === undefined || record === undefined) {
        this.theirs.delete(id);
        index.forget(id);
        continue;
      }
      Object.assign(entry.record, record);
      if (isTerminal(record.state)) {
        entry.status = undefined;
        this.theirs.delete(id);
      } else if (await hosts.isGone(record.host ?? '')) {
        this.theirs.delete(id);
        inherited.push(entry);
      } else {
        entry.status = readStatus(store, record, log);
      }
    }
    return inherited;
  }

  /**
   * Adds folders that have appeared, and forgets those that are gone. Synchronous, so that nothing changes meanwhile.
   * @returns new executions that no other host will finish.
   */
  private rescan(isOwn: (id: string) => boolean): Entry[] {
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
      this.theirs.delete(record.id);
      index.forget(record.id);
    }
    return found;
  }
}
