import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import * as z from 'zod/mini';
import { EXECUTION_ID } from '../../execution/execution-name';
import { isOfSystem, isOwnName } from '../../protocol/own-names';
import {
  createFile,
  errorCode,
  flushDirectory,
  makePrivateDirectory,
  readIfExists,
  replaceFile,
} from '../../system/files';
import { readSmallFileSync } from '../../system/small-file';
import { ScheduleRecordSchema, type ScheduleRecord } from './schedule-record';

/*
 * The folders of the schedules, `schedules/{scheduleId}/` in the data directory. This service is their only writer:
 *
 *   schedule.json     the record
 *   environment.json  variables that the user added to the environment of each run, 0600
 *   notebook.ipynb    the notebook of a schedule with `notebook: snapshot`
 */
const RECORD = 'schedule.json';
const ENVIRONMENT = 'environment.json';
const NOTEBOOK = 'notebook.ipynb';

const EnvironmentSchema = z.record(z.string(), z.string());
export type Environment = z.infer<typeof EnvironmentSchema>;

/** What belongs to a schedule beside its record. Absent parts stay as they are. */
export interface ScheduleParts {
  readonly environment?: Environment | undefined;
  readonly notebook?: Uint8Array | undefined;
}

/** The folders of the schedules. A folder appears and disappears as a whole. */
export class ScheduleStore {
  /** Ids of schedules whose record cannot be read; they are left alone. */
  private readonly setAsideIds = new Set<string>();
  /** Prefix of the names of this host's unfinished folders. */
  private readonly aside: string;

  constructor(
    private readonly directory: string,
    host: string,
    private readonly log: (message: string) => void,
  ) {
    this.aside = `.${createHash('sha256').update(host).digest('hex').slice(0, 8)}-`;
  }

  get setAside(): string[] {
    return [...this.setAsideIds];
  }

  /** Path of the notebook of a schedule with `notebook: snapshot`. */
  notebook(id: string): string {
    return path.join(this.folder(id), NOTEBOOK);
  }

  /**
   * Removes what an interrupted create or delete of this host left behind. Only when the service starts: later, such a
   * folder belongs to a create in progress.
   */
  async removeUnfinished(): Promise<void> {
    for (const name of await this.names()) {
      if (isOwnName('unfinishedFolder', name) && name.startsWith(this.aside))
        await this.discard(path.join(this.directory, name));
    }
  }

  /** Reads all records. */
  async load(): Promise<ScheduleRecord[]> {
    const records: ScheduleRecord[] = [];
    for (const name of await this.names()) {
      const record = EXECUTION_ID.test(name) ? this.read(name) : undefined;
      if (record !== undefined) records.push(record);
      else if (!this.setAsideIds.has(name) && !isOfSystem(name) && !isOwnName('unfinishedFolder', name))
        this.log(`ignored, not a schedule: ${JSON.stringify(name)}`);
    }
    return records;
  }

  private async names(): Promise<string[]> {
    return fs.promises.readdir(this.directory).catch((): string[] => []);
  }

  /** Reads one record; undefined if there is none, or if it cannot be read, which is logged. */
  read(id: string): ScheduleRecord | undefined {
    try {
      const record = ScheduleRecordSchema.parse(
        JSON.parse(readSmallFileSync(path.join(this.folder(id), RECORD))),
      );
      if (record.id !== id) throw new Error(`record of ${record.id}`);
      this.setAsideIds.delete(id);
      return record;
    } catch (error) {
      if (fs.existsSync(path.join(this.folder(id), RECORD)) && !this.setAsideIds.has(id)) {
        this.setAsideIds.add(id);
        this.log(`cannot read schedule ${id}: ${String(error)}`);
      }
      return undefined;
    }
  }

  /** Variables that the user added. @throws Error if they cannot be read. */
  async environment(id: string): Promise<Environment> {
    const text = await readIfExists(path.join(this.folder(id), ENVIRONMENT));
    return text === undefined ? {} : EnvironmentSchema.parse(JSON.parse(text));
  }

  /** Creates the folder of a schedule, completely or not at all. @throws Error EEXIST, ENOTEMPTY; the system's error. */
  async create(record: ScheduleRecord, parts: ScheduleParts): Promise<void> {
    await makePrivateDirectory(this.directory);
    const aside = path.join(this.directory, `${this.aside}new-${record.id}-${randomUUID()}`);
    await mkdir(aside, { mode: 0o700 });
    try {
      for (const [name, data] of filesOf(parts)) await createFile(path.join(aside, name), data);
      await createFile(path.join(aside, RECORD), JSON.stringify(record));
      await flushDirectory(aside);
      await rename(aside, this.folder(record.id));
    } catch (error) {
      await this.discard(aside);
      throw error;
    }
    await flushDirectory(this.directory);
  }

  /** Replaces the record, after the other parts. */
  async save(record: ScheduleRecord, parts: ScheduleParts = {}): Promise<void> {
    const folder = this.folder(record.id);
    for (const [name, data] of filesOf(parts)) await replaceFile(path.join(folder, name), data, 'new');
    await replaceFile(path.join(folder, RECORD), JSON.stringify(record), 'new');
  }

  /** Removes a schedule with its files. @throws the system's error; then the schedule still exists. */
  async remove(id: string): Promise<void> {
    const aside = path.join(this.directory, `${this.aside}deleted-${id}-${randomUUID()}`);
    try {
      await rename(this.folder(id), aside);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      throw error;
    }
    this.setAsideIds.delete(id);
    await flushDirectory(this.directory).catch(() => undefined);
    await this.discard(aside);
  }

  /** Modification time of the folder of all schedules: it changes when one is added or removed. */
  modified(): number | undefined {
    return fs.statSync(this.directory, { throwIfNoEntry: false })?.mtimeMs;
  }

  private folder(id: string): string {
    if (!EXECUTION_ID.test(id)) throw new Error(`no schedule id: ${id}`);
    return path.join(this.directory, id);
  }

  private async discard(folder: string): Promise<void> {
    try {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      this.log(`cannot remove ${folder}: ${String(error)}`);
    }
  }
}

function filesOf({ environment, notebook }: ScheduleParts): [name: string, data: string | Uint8Array][] {
  return [
    ...(environment === undefined ? [] : [[ENVIRONMENT, JSON.stringify(environment)] as [string, string]]),
    ...(notebook === undefined ? [] : [[NOTEBOOK, notebook] as [string, Uint8Array]]),
  ];
}
