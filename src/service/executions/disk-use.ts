import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isTerminal } from '../../execution/states';
import type { Entry } from './entry';
import type { FolderStore } from './folder-store';

/** Disk use of the executions' folders. An execution that has ended no longer changes, so it is measured once. */
export class DiskUse {
  private readonly ended = new WeakMap<Entry, number>();
  private total: number | undefined;
  /** Measurements started so far: only the latest sets the total. */
  private measurements = 0;
  private isMeasuring = false;

  constructor(private readonly store: FolderStore) {}

  /**
   * Total bytes when last measured; also starts a new measurement in the background. Undefined until {@link measure}
   * was called once: a service that has just started must not read thousands of folders for a request.
   */
  lastTotal(entries: Iterable<Entry>): number | undefined {
    if (this.total !== undefined && !this.isMeasuring) {
      this.isMeasuring = true;
      void this.measure(entries).finally(() => {
        this.isMeasuring = false;
      });
    }
    return this.total;
  }

  /** Bytes of one execution's folder; 0 if it is gone. */
  async of(entry: Entry): Promise<number> {
    const known = this.ended.get(entry);
    if (known !== undefined) return known;
    const { id, state } = entry.record;
    const size = await sizeOf(this.store.folder(id));
    if (isTerminal(state)) this.ended.set(entry, size);
    return size;
  }

  /** Measures all folders, one after the other, so that runs are not slowed down. @returns the total in bytes. */
  async measure(entries: Iterable<Entry>): Promise<number> {
    const measurement = ++this.measurements;
    let total = 0;
    for (const entry of [...entries]) total += this.ended.get(entry) ?? (await this.of(entry));
    if (measurement === this.measurements) this.total = total;
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
