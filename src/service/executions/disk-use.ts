import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isTerminal } from '../../execution/states';
import type { Entry } from './entry';
import type { FolderStore } from './folder-store';

/** How much the executions' folders hold. What has ended does not change any more and is measured once. */
export class DiskUse {
  readonly #ended = new WeakMap<Entry, number>();
  #total: number | undefined;
  /** How often it was begun to measure: the last one begun tells the total. */
  #measurements = 0;
  #looking = false;

  constructor(private readonly store: FolderStore) {}

  /**
   * Bytes of all folders when they were last measured; for the next who asks they are measured again. Not for the first
   * time: who asks a service that has just started, with thousands of folders, waits for something else.
   */
  look(entries: Iterable<Entry>): number | undefined {
    if (this.#total !== undefined && !this.#looking) {
      this.#looking = true;
      void this.measure(entries).finally(() => {
        this.#looking = false;
      });
    }
    return this.#total;
  }

  /** Bytes of one execution's folder; 0 where it is gone. */
  async of(entry: Entry): Promise<number> {
    const known = this.#ended.get(entry);
    if (known !== undefined) return known;
    const { id, state } = entry.record;
    const size = await sizeOf(this.store.folder(id));
    if (isTerminal(state)) this.#ended.set(entry, size);
    return size;
  }

  /** Measures all of them, one after the other: nobody waits for it, and runs should not feel it. */
  async measure(entries: Iterable<Entry>): Promise<number> {
    const measurement = ++this.#measurements;
    let total = 0;
    for (const entry of [...entries]) total += this.#ended.get(entry) ?? (await this.of(entry));
    if (measurement === this.#measurements) this.#total = total;
    return total;
  }
}

async function sizeOf(folder: string): Promise<number> {
  const names = await fs.readdir(folder).catch((): string[] => []);
  const sizes = await Promise.all(
    names.map((name) =>
      fs.lstat(path.join(folder, name)).then(
        (stat) => (stat.isFile() ? stat.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
