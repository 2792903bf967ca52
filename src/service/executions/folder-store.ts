import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { rename, rm, mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { EXECUTION_ID } from '../../execution/execution-name';
import { ServiceError } from '../../execution/errors';
import { FILES, unfinished } from '../../protocol/execution-folder';
import { readSmallFileSync } from '../../system/small-file';
import { jobFiles } from './attempt-files';
import {
  createFile,
  errorCode,
  flushDirectory,
  isStorageError,
  makePrivateDirectory,
  replaceFile,
} from '../../system/files';
import { isOfSystem, isOwnName } from '../../protocol/own-names';
import { recordToSave, type Entry } from './entry';
import { ExecutionRecordSchema, type ExecutionRecord } from './record';

/** Age at which an unfinished folder of another host is removed, milliseconds. */
const STALE_MS = 60 * 60 * 1000;

/** A folder that changed within this time may change again with the same modification time, milliseconds. */
const SETTLED_MS = 2000;

/** Maximum number of unknown entries that a log message lists. */
const MAX_LISTED = 10;

/** The files of a new execution, by name. */
export type InitialFiles = Readonly<Record<string, string | Uint8Array>>;

/**
 * The folders of the executions. A folder appears and disappears as a whole: it is filled or emptied under a name that
 * begins with a dot, as no execution id does.
 */
export class FolderStore {
  private readonly saves = new Map<string, Promise<void>>();
  private readonly setAsideIds = new Set<string>();

  /** Modification time of the folder of all executions when its names were last read. */
  private modified = Number.NaN;

  /** Prefix of the names of this host's unfinished folders. */
  private readonly temporaryPrefix: string;

  constructor(
    private readonly directory: string,
    host: string,
    private readonly log: (message: string) => void,
  ) {
    this.temporaryPrefix = `.${createHash('sha256').update(host).digest('hex').slice(0, 8)}-`;
  }

  /** The folder of an execution. @throws ServiceError for an invalid id, which could name another path. */
  folder(id: string): string {
    if (!EXECUTION_ID.test(id))
      throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `invalid execution id: ${id}`);
    return path.join(this.directory, id);
  }

  file(id: string, name: keyof typeof FILES): string {
    return path.join(this.folder(id), FILES[name]);
  }

  /** Ids of executions whose record cannot be read. Their folders stay until they are deleted. */
  get setAside(): string[] {
    return [...this.setAsideIds];
  }

  isSetAside(id: string): boolean {
    return this.setAsideIds.has(id);
  }

  /**
   * Reads every record, and removes what an interrupted create or delete left behind. Other entries are left alone and
   * logged.
   */
  async load(): Promise<ExecutionRecord[]> {
    await makePrivateDirectory(this.directory);
    const records: ExecutionRecord[] = [];
    const foreign: string[] = [];
    // Synchronous: no request can be answered before this, and 10,000 small files are read three times as fast.
    for (const name of fs.readdirSync(this.directory)) {
      if (isOwnName('unfinishedFolder', name)) {
        await this.removeStaleFolder(path.join(this.directory, name));
        continue;
      }
      const record = EXECUTION_ID.test(name) ? this.read(name) : undefined;
      if (record !== undefined) records.push(record);
      else if (!this.setAsideIds.has(name) && !isOfSystem(name)) foreign.push(name);
    }
    if (foreign.length > 0) {
      const names = foreign.slice(0, MAX_LISTED).map((name) => JSON.stringify(name));
      this.log(`ignored ${foreign.length} unknown entries in ${this.directory}: ${names.join(', ')}`);
    }
    return records;
  }

  /** Ids of the existing folders; undefined if none was added or removed since the last call. */
  changedNames(): string[] | undefined {
    try {
      const { mtimeMs } = fs.statSync(this.directory);
      if (mtimeMs === this.modified) return undefined;
      this.modified = Math.abs(Date.now() - mtimeMs) > SETTLED_MS ? mtimeMs : Number.NaN;
      const names = fs.readdirSync(this.directory).filter((name) => EXECUTION_ID.test(name));
      for (const id of this.setAside) if (!names.includes(id)) this.setAsideIds.delete(id);
      return names;
    } catch (error) {
      // Not available for now, like a network disk: the executions may still exist.
      this.log(`cannot list executions: ${String(error)}`);
      return undefined;
    }
  }

  /** Removes an unfinished folder. Another host may still be working on its own; this one has only just started. */
  private async removeStaleFolder(folder: string): Promise<void> {
    const isOwn = path.basename(folder).startsWith(this.temporaryPrefix);
    // Undefined if another host has just removed it.
    const changed = fs.lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined || (!isOwn && changed > Date.now() - STALE_MS)) return;
    await this.discard(folder);
  }

  /** Removes a folder that is no longer needed. If that fails, it stays until the next start. */
  private async discard(folder: string): Promise<void> {
    try {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      this.log(`cannot remove ${folder}: ${String(error)}`);
    }
  }

  /** Reads one record; undefined if there is none. One that cannot be read is set aside until it can. */
  read(id: string): ExecutionRecord | undefined {
    try {
      const record = parseRecord(id, readSmallFileSync(this.file(id, 'execution')));
      this.setAsideIds.delete(id);
      return record;
    } catch (error) {
      const code = errorCode(error);
      // The first version of this product renamed records that it could not read.
      const isDamaged = code === undefined || this.has(id, `${FILES.execution}.corrupt`);
      const isThere = isDamaged || (code !== 'ENOTDIR' && this.has(id, FILES.execution));
      if (isThere) this.setRecordAside(id, error, isDamaged && !(error instanceof NewerVersionError));
      return undefined;
    }
  }

  /** Whether the folder of an execution has an entry of this name, even a dangling link. */
  private has(id: string, name: string): boolean {
    try {
      return fs.readdirSync(this.folder(id)).includes(name);
    } catch {
      return false;
    }
  }

  /**
   * Sets aside an execution whose record cannot be read, and logs it once. Its files stay: after a system error, or
   * with a record of a newer version, reading may succeed another time.
   * @param isLost it will never run, so its job is removed, which contains the user's environment.
   */
  private setRecordAside(id: string, error: unknown, isLost: boolean): void {
    if (this.setAsideIds.has(id)) return;
    this.setAsideIds.add(id);
    this.log(`cannot read the record of ${id}, execution set aside: ${String(error)}`);
    if (!isLost) return;
    for (const file of jobFiles(this, id)) {
      try {
        fs.rmSync(file, { force: true });
      } catch (removal) {
        this.log(`cannot remove ${file}: ${String(removal)}`);
      }
    }
  }

  /**
   * Creates the folder of a new execution, completely or not at all.
   * @throws Error EEXIST or ENOTEMPTY if there is one already; the system's error.
   */
  async create(record: ExecutionRecord, files: InitialFiles): Promise<void> {
    const folder = this.folder(record.id);
    const temporary = path.join(this.directory, `${this.temporaryPrefix}new-${record.id}-${randomUUID()}`);
    await mkdir(temporary, { mode: 0o700 });
    let created = temporary;
    try {
      const all = { ...files, [FILES.execution]: serialize(record) };
      const writes = Object.entries(all).map(([name, data]) => createFile(path.join(temporary, name), data));
      // Wait for all of them, before the folder is discarded after a failure.
      for (const write of await Promise.allSettled(writes))
        if (write.status === 'rejected') throw write.reason;
      await flushDirectory(temporary);
      await rename(temporary, folder);
      created = folder;
      await flushDirectory(this.directory);
    } catch (error) {
      await this.discard(created);
      throw error;
    }
  }

  /**
   * Replaces the record, see {@link recordToSave}. Saves of one execution happen one after the other, in the order of
   * the calls.
   * @throws the system's error.
   */
  async save(entry: Entry): Promise<void> {
    const { record } = entry;
    const data = serialize(recordToSave(entry));
    const former = this.saves.get(record.id) ?? Promise.resolve();
    const save = former
      .catch(() => undefined)
      .then(() => replaceFile(this.file(record.id, 'execution'), data, 'new'));
    this.saves.set(record.id, save);
    try {
      await save;
    } finally {
      if (this.saves.get(record.id) === save) this.saves.delete(record.id);
    }
  }

  /**
   * Removes an execution with its files. When this resolves, the removal survives a power failure.
   * @throws the system's error; then the execution may exist again after a power failure.
   */
  async remove(id: string): Promise<void> {
    const temporary = path.join(this.directory, `${this.temporaryPrefix}deleted-${id}-${randomUUID()}`);
    try {
      await rename(this.folder(id), temporary);
    } catch (error) {
      // An earlier call has renamed it, and may have failed to flush that.
      if (errorCode(error) !== 'ENOENT') throw error;
    }
    this.setAsideIds.delete(id);
    try {
      await flushDirectory(this.directory);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    } finally {
      await this.discard(temporary);
    }
  }

  /** Removes the files of a previous attempt. The output stays until the next one replaces it. */
  async clearAttempt(id: string): Promise<void> {
    await Promise.all(
      [FILES.status, FILES.journal, FILES.claim].map((name) =>
        rm(path.join(this.folder(id), name), { force: true }),
      ),
    );
  }

  /** Removes files that a killed runner had not finished writing. */
  async removeUnfinished(id: string): Promise<void> {
    const files = [this.file(id, 'status'), this.file(id, 'output')];
    await Promise.all(files.map((file) => rm(unfinished(file), { force: true })));
  }
}

/** The record was written by a newer version of this product. */
class NewerVersionError extends Error {
  override readonly name = 'NewerVersionError';
}

/** @throws Error if it is not a record of this execution; NewerVersionError. */
function parseRecord(id: string, text: string): ExecutionRecord {
  const content: unknown = JSON.parse(text);
  const { version } = Object(content) as { version?: unknown };
  if (typeof version === 'number' && version > 1) throw new NewerVersionError(`version ${version}`);
  const record = ExecutionRecordSchema.parse(content);
  if (record.id !== id) throw new Error(`the record belongs to ${record.id}`);
  return record;
}

function serialize(record: ExecutionRecord): string {
  return JSON.stringify(record);
}

/** Converts a disk error to RESOURCE_EXHAUSTED `storageNotWritable` (args `code`); returns any other error as it is. */
export function storageError(error: unknown): unknown {
  if (!isStorageError(error)) return error;
  const code = errorCode(error) ?? '';
  const message = `the data directory cannot be written to: ${code}`;
  return new ServiceError('RESOURCE_EXHAUSTED', 'storageNotWritable', message, { code });
}
