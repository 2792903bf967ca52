import { ServiceError } from '../../execution/errors';
import { storageError } from '../executions/folder-store';
import type { OtherHosts } from '../executions/other-hosts';
import { nextDueTime, type ScheduleRecord } from './schedule-record';
import type { ScheduleParts, ScheduleStore } from './schedule-store';

/** A schedule in memory. */
export interface ScheduleEntry {
  /** As it is on disk. Never changed, but replaced. */
  readonly record: ScheduleRecord;
  /** See {@link nextDueTime}. */
  readonly next: number | undefined;
}

/** Dependencies of {@link ScheduleEntries}. */
export interface EntriesOptions {
  readonly store: Pick<
    ScheduleStore,
    'load' | 'removeUnfinished' | 'read' | 'create' | 'save' | 'remove' | 'setAside' | 'modified'
  >;
  readonly hosts: Pick<OtherHosts, 'isTheirs' | 'isGone'>;
  /** This host and its boot id. */
  readonly hostIdentity: { readonly host: string; readonly boot: string };
  readonly log: (message: string) => void;
}

/** The schedules in memory and on disk. Changes of one schedule happen one after the other. */
export class ScheduleEntries {
  private readonly entries = new Map<string, ScheduleEntry>();
  /** Ids of schedules of other hosts, which are shown and otherwise left alone. */
  private readonly theirs = new Set<string>();
  /** Ids of schedules whose due times cannot be computed, for example after a time zone was renamed. */
  private readonly broken = new Set<string>();
  private readonly latest = new Map<string, Promise<unknown>>();
  private modified: number | undefined;

  constructor(private readonly options: EntriesOptions) {}

  /** All schedules, by their ids. */
  get all(): ScheduleEntry[] {
    return [...this.entries.values()].sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
  }

  /** The schedules of this host, whose runs this service starts. */
  get own(): ScheduleEntry[] {
    return [...this.entries.values()].filter(({ record }) => !this.theirs.has(record.id));
  }

  /** Ids of schedules that cannot be read or planned, and therefore do not run. */
  get unreachable(): string[] {
    return [...this.options.store.setAside, ...this.broken];
  }

  find(id: string): ScheduleEntry | undefined {
    return this.entries.get(id);
  }

  /** @throws ServiceError NOT_FOUND `scheduleNotFound`, args `scheduleId`. */
  get(id: string): ScheduleEntry {
    const entry = this.entries.get(id);
    if (entry !== undefined) return entry;
    throw new ServiceError('NOT_FOUND', 'scheduleNotFound', `no schedule ${id}`, { scheduleId: id });
  }

  /** Reads all schedules from disk. */
  async load(): Promise<void> {
    await this.options.store.removeUnfinished();
    this.modified = this.options.store.modified();
    for (const record of await this.options.store.load()) await this.note(record);
  }

  /** Reads again what other hosts have done, and takes over the schedules of hosts that are gone. */
  async refreshOthers(): Promise<void> {
    const { store } = this.options;
    const modified = store.modified();
    if (modified === this.modified && this.theirs.size === 0) return;
    this.modified = modified;
    const records = await store.load();
    for (const record of records) {
      const known = this.entries.has(record.id) && !this.theirs.has(record.id);
      if (!known && !this.latest.has(record.id)) await this.note(record);
    }
    for (const id of this.theirs) if (!records.some((record) => record.id === id)) this.forget(id);
  }

  /** Adds a new schedule. @throws Error EEXIST, ENOTEMPTY; ServiceError `storageNotWritable`. */
  async add(record: ScheduleRecord, parts: ScheduleParts): Promise<ScheduleEntry> {
    return this.alone(record.id, async () => {
      await this.options.store.create(record, parts).catch(throwStorageError);
      return this.set(record);
    });
  }

  /**
   * Changes a schedule of this host. Clients see the change once it is on disk.
   * @param change changes the record that it is given, and returns the parts to replace.
   * @throws ServiceError NOT_FOUND `scheduleNotFound`; FAILED_PRECONDITION `otherHost` (args `host`);
   *   RESOURCE_EXHAUSTED `storageNotWritable`; what `change` throws: then nothing has changed.
   */
  async change(
    id: string,
    change: (record: ScheduleRecord) => Promise<ScheduleParts | undefined> | ScheduleParts | undefined,
  ): Promise<ScheduleEntry> {
    return this.alone(id, async () => {
      const record = structuredClone(this.ownRecord(id));
      const parts = await change(record);
      Object.assign(record, this.options.hostIdentity);
      await this.options.store.save(record, parts).catch(throwStorageError);
      return this.set(record);
    });
  }

  /** Removes a schedule of this host. Its executions stay. @throws ServiceError like {@link change}. */
  async remove(id: string): Promise<void> {
    await this.alone(id, async () => {
      const { store } = this.options;
      if (this.entries.has(id) || !this.unreachable.includes(id)) this.ownRecord(id);
      await store.remove(id).catch(throwStorageError);
      this.forget(id);
    });
  }

  /** Calls `work` after all earlier work on the same schedule. */
  private async alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    const former = this.latest.get(id) ?? Promise.resolve();
    const own = former.then(work, work);
    this.latest.set(id, own);
    try {
      return await own;
    } finally {
      if (this.latest.get(id) === own) this.latest.delete(id);
    }
  }

  /** The record of a schedule of this host. Another host may have taken it over while this one was asleep. */
  private ownRecord(id: string): ScheduleRecord {
    const { record } = this.get(id);
    const onDisk = this.options.store.read(id);
    if (onDisk !== undefined && this.options.hosts.isTheirs(onDisk)) {
      this.theirs.add(id);
      this.set(onDisk);
    }
    if (!this.theirs.has(id)) return record;
    const { host } = onDisk ?? record;
    throw new ServiceError('FAILED_PRECONDITION', 'otherHost', `${id} runs on ${host}`, { host });
  }

  private async note(record: ScheduleRecord): Promise<void> {
    const { hosts } = this.options;
    const isTheirs = hosts.isTheirs(record) && !(await hosts.isGone(record.host));
    if (isTheirs) this.theirs.add(record.id);
    else this.theirs.delete(record.id);
    try {
      this.set(record);
      if (hosts.isTheirs(record) && !isTheirs) await this.change(record.id, () => undefined);
      this.broken.delete(record.id);
    } catch (error) {
      this.broken.add(record.id);
      this.options.log(`schedule ${record.id}: ${String(error)}`);
    }
  }

  private set(record: ScheduleRecord): ScheduleEntry {
    const entry = { record, next: nextDueTime(record) };
    this.entries.set(record.id, entry);
    return entry;
  }

  private forget(id: string): void {
    this.entries.delete(id);
    this.theirs.delete(id);
    this.broken.delete(id);
  }
}

function throwStorageError(error: unknown): never {
  throw storageError(error);
}
