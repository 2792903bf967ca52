import * as fs from 'node:fs/promises';
import { unfinished } from '../protocol/execution-folder';
import type { OutputNotebook } from './output-notebook';
import { renameOver } from '../system/files';

/** The part of node:fs/promises that a notebook is saved with. */
export type SaverFileSystem = Pick<typeof fs, 'open' | 'rename' | 'rm'>;

/** Milliseconds from a new output to its save, while saving is cheap. */
const DELAY = 500;
/** Saves take at most one part in so many of the time. */
const COST_FACTOR = 20;

/**
 * Writes `pieces` as the new content of `path`: beside it, flushed, then renamed. Whoever reads sees the old or the new
 * content, also after a power cut.
 * @param ready What has to be over before anybody sees the new content; where it fails there is none.
 * @throws SystemError; the old content is still there, and nothing else.
 */
export async function replaceWithPieces(
  path: string,
  pieces: readonly Uint8Array[],
  fileSystem: SaverFileSystem = fs,
  ready: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  // Its failure may come while the pieces are written.
  ready.catch(() => undefined);
  const aside = unfinished(path);
  try {
    const file = await fileSystem.open(aside, 'w', 0o600);
    try {
      const { bytesWritten } = await file.writev(pieces as Uint8Array[]);
      // Less than all, as a disk that fills up takes it, is no error yet; the rest is.
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (bytesWritten < length) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten));
      await file.sync();
    } finally {
      await file.close();
    }
    await ready;
    await renameOver(aside, path, (from, to) => fileSystem.rename(from, to));
  } catch (error) {
    await fileSystem.rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** When the last save was under way, in milliseconds of any clock. */
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
   * @param onError Called when a save before the last one failed; there are no others on the timer then.
   * @param flush Called with each save, and over before the new document is in its place: after a power cut the document
   *   is made anew from the journal, which must not know less than what was saved.
   */
  constructor(
    private readonly path: string,
    private readonly document: OutputNotebook,
    private readonly onError: (error: unknown) => void,
    private readonly fileSystem: SaverFileSystem = fs,
    private readonly flush: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** The document has changed: it is saved some time soon. */
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

  /** Saves what there is so far, while more may come. Never rejects: a failure is told to `onError`. */
  async saveSoFar(): Promise<void> {
    try {
      await this.save();
    } catch (error) {
      this.stop();
      this.onError(error);
    }
  }

  /**
   * Saves now, after the save that is under way.
   * @throws SystemError where it cannot be written.
   */
  save(): Promise<void> {
    this.saving = this.saving.then(() => this.write());
    return this.saving;
  }

  /** No more saves on the timer. */
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
