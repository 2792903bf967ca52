import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';

/**
 * Small records shared by all windows of this machine, one file each. Removing a record succeeds in exactly one window,
 * so the removal serves as the claim to act on it. VS Code's memento cannot do this.
 */
export class RecordFolder<T> {
  /**
   * @param folder created with the first record.
   * @param parse parses a record; throws if it is invalid. An invalid file is set aside, not deleted.
   */
  constructor(
    private readonly folder: string,
    private readonly parse: (value: unknown) => T | Promise<T>,
  ) {}

  /** Writes a record atomically, replacing an older one of the same key. */
  async put(key: string, record: T): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const aside = path.join(this.folder, `.${randomUUID()}`);
    await writeFile(aside, JSON.stringify(record), { mode: 0o600, flag: 'wx', flush: true });
    await rename(aside, this.file(key));
  }

  /** All valid records, in no particular order. */
  async all(): Promise<T[]> {
    const names = await readdir(this.folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const records: T[] = [];
    for (const name of names) {
      if (!name.endsWith('.json')) continue;
      const file = path.join(this.folder, name);
      try {
        records.push(await this.parse(JSON.parse(await readFile(file, 'utf8'))));
      } catch (error) {
        if (!isMissing(error)) await rename(file, `${file}.corrupt`).catch(() => undefined);
      }
    }
    return records;
  }

  /** Removes a record. True in the one window that removed it. */
  async claim(key: string): Promise<boolean> {
    try {
      await unlink(this.file(key));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  private file(key: string): string {
    return path.join(this.folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
