import { isTerminal } from '../../execution/states';
import { readSmallFile } from '../../system/small-file';
import type { ConfirmedTime } from './trusted-clock';
import type { DiskUse } from './disk-use';
import { RetentionNoticeSchema, type CleanUp, type RetentionNotice } from '../../protocol/service-schemas';
import type { Entry } from './entry';
import { replaceFile } from '../../system/files';
import { now } from './record';

/** What ended so recently is not deleted for its size: somebody may not have seen it yet. Milliseconds. */
const FRESH_MS = 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** What a retention works with. */
export interface RetentionOptions {
  readonly executions: Iterable<Entry>;
  /** Deletes one. */
  readonly remove: (entry: Entry) => Promise<unknown>;
  readonly disk: Pick<DiskUse, 'measure' | 'of'>;
  /** By which ages are reckoned. */
  readonly time: Pick<ConfirmedTime, 'look'>;
  /** Days and bytes, 0 for no limit; asked anew each time. */
  readonly limits: () => { readonly retentionDays: number; readonly retentionBytes: number };
  /** File that keeps the last notice over a restart. */
  readonly noticeFile: string;
  readonly log: (message: string) => void;
}

/** Deletes executions that are old, or more than the disk is to hold; and those that a person wants to be rid of. */
export class Retention {
  #notice: RetentionNotice | undefined;

  constructor(private readonly options: RetentionOptions) {}

  /** The last time that something was deleted unasked. */
  get notice(): RetentionNotice | undefined {
    return this.#notice;
  }

  /** Reads what a former service noted. */
  async open(): Promise<void> {
    try {
      const text = await readSmallFile(this.options.noticeFile);
      this.#notice = RetentionNoticeSchema.parse(JSON.parse(text));
    } catch {
      // None yet, or one of no use: nothing to tell then.
    }
  }

  /** Measures the disk and deletes what is over the limits. */
  async sweep(): Promise<void> {
    const { disk, executions, time, limits, remove, noticeFile, log } = this.options;
    let total = await disk.measure(executions);
    const { retentionDays, retentionBytes } = limits();
    const confirmed = await time.look(newestOf(executions));
    let count = 0;
    let bytes = 0;
    for (const entry of this.#oldestFirst()) {
      const age = confirmed - Date.parse(endOf(entry));
      const tooOld = retentionDays > 0 && age > retentionDays * DAY_MS;
      const tooMuch = retentionBytes > 0 && total > retentionBytes && age > FRESH_MS;
      if (!tooOld && !tooMuch) continue;
      const size = await disk.of(entry);
      // Pinned or deleted while its size was looked up.
      if (!isExpendable(entry)) continue;
      await remove(entry);
      log(`${entry.record.id}: deleted for its ${tooOld ? 'age' : 'size'}`);
      total -= size;
      bytes += size;
      count++;
    }
    if (count === 0) return;
    await disk.measure(executions);
    this.#notice = { time: now(), count, bytes };
    await replaceFile(noticeFile, JSON.stringify(this.#notice), 'new');
  }

  /**
   * Deletes what had ended before a time, never what is pinned.
   * @param before RFC 3339. @param dryRun only tells what would be deleted.
   */
  async cleanUp(before: string, dryRun: boolean): Promise<CleanUp> {
    const { disk, executions, remove } = this.options;
    const chosen = this.#oldestFirst().filter((entry) => Date.parse(endOf(entry)) <= Date.parse(before));
    let count = 0;
    let bytes = 0;
    let oldest: string | undefined;
    for (const entry of chosen) {
      const size = await disk.of(entry);
      // Pinned or deleted while its size was looked up.
      if (!isExpendable(entry)) continue;
      oldest ??= endOf(entry);
      if (!dryRun) await remove(entry);
      bytes += size;
      count++;
    }
    await disk.measure(executions);
    return { count, bytes, ...(oldest === undefined ? {} : { oldest }) };
  }

  #oldestFirst(): Entry[] {
    return [...this.options.executions].filter(isExpendable).sort((a, b) => (endOf(a) < endOf(b) ? -1 : 1));
  }
}

function endOf({ record }: Entry): string {
  return record.runStatus?.endTime ?? record.updateTime;
}

/** The newest time that any of them tells, in milliseconds; undefined where there are none. */
function newestOf(executions: Iterable<Entry>): number | undefined {
  const times = [...executions].map(({ record }) => Date.parse(record.updateTime));
  return times.length === 0 ? undefined : times.reduce((one, other) => Math.max(one, other));
}

/** True for an execution that may be deleted unasked: it has ended and is not pinned. */
function isExpendable({ record }: Entry): boolean {
  return isTerminal(record.state) && record.pinned !== true && record.deleteTime === undefined;
}
