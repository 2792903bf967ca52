import { isTerminal } from '../../execution/states';
import { readSmallFile } from '../../system/small-file';
import type { TrustedClock } from './trusted-clock';
import type { DiskUse } from './disk-use';
import { RetentionNoticeSchema, type CleanUp, type RetentionNotice } from '../../execution/machine';
import type { Entry } from './entry';
import { replaceFile } from '../../system/files';
import { now } from './record';

/** Executions that ended within this time are not deleted for size: the user may not have seen them. Milliseconds. */
const FRESH_MS = 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Dependencies of a {@link Retention}. */
export interface RetentionOptions {
  readonly executions: Iterable<Entry>;
  /** Deletes an execution. */
  readonly remove: (entry: Entry) => Promise<unknown>;
  readonly disk: Pick<DiskUse, 'measure' | 'of'>;
  /** The clock for ages. */
  readonly clock: Pick<TrustedClock, 'read'>;
  /** Limits in days and bytes, 0 for none; read again each time. */
  readonly limits: () => { readonly retentionDays: number; readonly retentionBytes: number };
  /** File that keeps the last notice across restarts. */
  readonly noticeFile: string;
  readonly log: (message: string) => void;
}

/** Deletes executions that are too old or use too much space; on request, those that ended before a given time. */
export class Retention {
  private lastNotice: RetentionNotice | undefined;

  constructor(private readonly options: RetentionOptions) {}

  /** The last automatic deletion. */
  get notice(): RetentionNotice | undefined {
    return this.lastNotice;
  }

  /** Reads the notice that a previous service saved. */
  async open(): Promise<void> {
    try {
      const text = await readSmallFile(this.options.noticeFile);
      this.lastNotice = RetentionNoticeSchema.parse(JSON.parse(text));
    } catch {
      // Missing or invalid: there is no notice.
    }
  }

  /** Measures the disk use, and deletes what exceeds the limits. */
  async sweep(): Promise<void> {
    const { disk, executions, clock, limits, remove, noticeFile, log } = this.options;
    let total = await disk.measure(executions);
    const { retentionDays, retentionBytes } = limits();
    const confirmed = await clock.read(newestOf(executions));
    let count = 0;
    let bytes = 0;
    for (const entry of this.oldestFirst()) {
      const age = confirmed - Date.parse(endOf(entry));
      const tooOld = retentionDays > 0 && age > retentionDays * DAY_MS;
      const tooMuch = retentionBytes > 0 && total > retentionBytes && age > FRESH_MS;
      if (!tooOld && !tooMuch) continue;
      const size = await disk.of(entry);
      // Pinned or deleted while its size was measured.
      if (!isExpendable(entry)) continue;
      try {
        await remove(entry);
      } catch (error) {
        log(`${entry.record.id}: cannot delete: ${String(error)}`);
        continue;
      }
      log(`${entry.record.id}: deleted because of its ${tooOld ? 'age' : 'size'}`);
      total -= size;
      bytes += size;
      count++;
    }
    if (count === 0) return;
    await disk.measure(executions);
    const notice = { time: now(), count, bytes };
    // Shown only when it is on disk, so that it does not disappear with a restart.
    await replaceFile(noticeFile, JSON.stringify(notice), 'new').finally(() => {
      this.lastNotice = notice;
    });
  }

  /**
   * Deletes executions that ended before a given time, except pinned ones.
   * @param before RFC 3339. @param dryRun only report what would be deleted.
   * @throws the first error, if some could not be deleted; the others are still deleted.
   */
  async cleanUp(before: string, dryRun: boolean): Promise<CleanUp> {
    const { disk, executions, remove } = this.options;
    const chosen = this.oldestFirst().filter((entry) => Date.parse(endOf(entry)) <= Date.parse(before));
    let count = 0;
    let bytes = 0;
    let oldest: string | undefined;
    const errors: unknown[] = [];
    for (const entry of chosen) {
      const size = await disk.of(entry);
      // Pinned or deleted while its size was measured.
      if (!isExpendable(entry)) continue;
      try {
        if (!dryRun) await remove(entry);
      } catch (error) {
        errors.push(error);
        continue;
      }
      oldest ??= endOf(entry);
      bytes += size;
      count++;
    }
    await disk.measure(executions);
    if (errors.length > 0) throw errors[0];
    return { count, bytes, ...(oldest === undefined ? {} : { oldest }) };
  }

  private oldestFirst(): Entry[] {
    return [...this.options.executions].filter(isExpendable).sort((a, b) => (endOf(a) < endOf(b) ? -1 : 1));
  }
}

function endOf({ record }: Entry): string {
  return record.runStatus?.endTime ?? record.updateTime;
}

/** The newest update time of the executions, milliseconds since the epoch; undefined if there are none. */
function newestOf(executions: Iterable<Entry>): number | undefined {
  const times = [...executions].map(({ record }) => Date.parse(record.updateTime));
  return times.length === 0 ? undefined : times.reduce((one, other) => Math.max(one, other));
}

/** True for an execution that may be deleted: it has ended, is not pinned, and is not being deleted already. */
function isExpendable({ record }: Entry): boolean {
  return isTerminal(record.state) && record.pinned !== true && record.deleteTime === undefined;
}
