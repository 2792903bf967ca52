import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';

/**
 * Small records that every window of this machine sees, one file each. Removing one succeeds in exactly one window,
 * which makes it the claim to act on it: an editor's memento cannot do that.
 */
export class RecordFolder<T> {
  /**
   * @param folder is created when the first record is written.
   * @param parse reads a record; throws for what is none. Such a file is set aside, not deleted.
   */
  constructor(
    private readonly folder: string,
    private readonly parse: (value: unknown) => T | Promise<T>,
  ) {}

  /** Writes a record whole or not at all, and replaces an older one of the same key. */
  async put(key: string, record: T): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const aside = path.join(this.folder, `.${randomUUID()}`);
    await writeFile(aside, JSON.stringify(record), { mode: 0o600, flag: 'wx', flush: true });
    await rename(aside, this.file(key));
  }

  /** Every record that can be read, in no order. */
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

  /** True in the one window whose removal it was. */
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
