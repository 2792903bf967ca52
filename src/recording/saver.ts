import * as fs from 'node:fs/promises';
import { unfinished } from '../protocol/execution-folder';
import type { OutputNotebook } from './output-notebook';
import { renameOver } from '../system/files';

/** The part of node:fs/promises that saves a notebook. */
export type SaverFileSystem = Pick<typeof fs, 'open' | 'rename' | 'rm'>;

/** Milliseconds from a new output to its save, if saves are quick. */
const DELAY = 500;
/** After a save, the next one waits at least this many times its duration. */
const COST_FACTOR = 20;

/**
 * Writes `pieces` as the new content of `path`: to a file beside it, flushed, then renamed. Readers see either the old
 * or the new content, even after a power cut.
 * @param ready Must resolve before the new content is visible; if it rejects, the old content stays.
 * @throws SystemError; the old content is still there, and nothing else.
 */
export async function replaceWithPieces(
  path: string,
  pieces: readonly Uint8Array[],
  fileSystem: SaverFileSystem = fs,
  ready: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  // It may reject while the pieces are being written.
  ready.catch(() => undefined);
  const temporary = unfinished(path);
  try {
    const file = await fileSystem.open(temporary, 'w', 0o600);
    try {
      const { bytesWritten } = await file.writev(pieces as Uint8Array[]);
      // A disk that fills up may take only a part without an error; writing the rest then fails.
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (bytesWritten < length) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten));
      await file.sync();
    } finally {
      await file.close();
    }
    await ready;
    await renameOver(temporary, path, (from, to) => fileSystem.rename(from, to));
  } catch (error) {
    await fileSystem.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Start and end of the last save, in milliseconds of any clock. */
interface LastSave {
  readonly start: number;
  readonly end: number;
}

/** Milliseconds from `now` until a change may be saved. */
export function delayUntilSave(last: LastSave | undefined, now: number): number {
  return Math.max(DELAY, last ? last.end + COST_FACTOR * (last.end - last.start) - now : 0);
}

/** Saves a growing document at a bounded rate. */
export class OutputSaver {
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private savedRevision = -1;
  private lastSave: LastSave | undefined;
  private stopped = false;

  /**
   * @param onError Called when an intermediate save failed; then the timer makes no more of them.
   * @param flush Called with each save, and awaited before the new document is in place. After a power cut the document
   *   is restored from the journal, which must not contain less than what was saved.
   */
  constructor(
    private readonly path: string,
    private readonly document: OutputNotebook,
    private readonly onError: (error: unknown) => void,
    private readonly fileSystem: SaverFileSystem = fs,
    private readonly flush: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** Call this when the document has changed: it will be saved soon. */
  changed(): void {
    if (this.timer || this.stopped) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        void this.saveSoFar();
      },
      delayUntilSave(this.lastSave, performance.now()),
    );
  }

  /** Saves the outputs so far, while more may come. Never rejects: a failure is reported to `onError`. */
  async saveSoFar(): Promise<void> {
    try {
      await this.save();
    } catch (error) {
      this.stop();
      this.onError(error);
    }
  }

  /**
   * Saves now, after a save in progress.
   * @throws SystemError if it cannot be written.
   */
  save(): Promise<void> {
    this.saving = this.saving.then(() => this.write());
    return this.saving;
  }

  /** Stops the timer: it makes no more saves. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async write(): Promise<void> {
    const start = performance.now();
    const { revision } = this.document;
    if (revision === this.savedRevision) return;
    const flushed = this.flush();
    await replaceWithPieces(this.path, this.document.serialize(), this.fileSystem, flushed);
    this.savedRevision = revision;
    this.lastSave = { start, end: performance.now() };
    if (this.document.revision !== revision) this.changed();
  }
}
