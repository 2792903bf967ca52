import * as z from 'zod/mini';
import { readSmallFile } from '../../system/small-file';
import { replaceFile } from '../../system/files';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A clock this far ahead of the confirmed time may be wrong, milliseconds. */
const DOUBTFUL_MS = 7 * DAY_MS;

/** `clock.json`; times are milliseconds since the epoch. */
const ClockStateSchema = z.object({
  /** A time that has certainly passed. */
  confirmed: z.number(),
  /** Reading of the clock when it was first too far ahead. */
  doubtful: z.optional(z.number()),
});
type ClockState = z.infer<typeof ClockStateSchema>;

/**
 * Updates the confirmed time from the clock. A clock that was set far ahead, by mistake or by an empty battery, must
 * not make all executions old: it is trusted once it has continued from there for a day.
 */
export function confirm({ confirmed, doubtful }: ClockState, clock: number): ClockState {
  // The clock was set back, or went forward normally.
  if (clock - confirmed <= DOUBTFUL_MS) return { confirmed: clock };
  if (doubtful === undefined || clock < doubtful) return { confirmed, doubtful: clock };
  // If the service runs only once a month, every start looks like a clock jump, so trust the previous reading.
  return clock - doubtful < DAY_MS ? { confirmed, doubtful } : confirm({ confirmed: doubtful }, clock);
}

/** A time to compute ages with: never later than the clock, and not affected by a clock that has just jumped ahead. */
export class TrustedClock {
  private state: ClockState | undefined;

  /** @param file keeps the confirmed time across restarts. */
  constructor(
    private readonly file: string,
    private readonly clock: () => number,
    private readonly log: (message: string) => void,
  ) {}

  /**
   * Reads the clock and updates the confirmed time.
   * @param newest the newest time known, milliseconds since the epoch; used if no confirmed time was saved yet.
   * @returns the confirmed time, milliseconds since the epoch.
   */
  async read(newest: number | undefined): Promise<number> {
    const clock = this.clock();
    this.state = confirm((this.state ??= await this.load()) ?? { confirmed: newest ?? clock }, clock);
    // On a full disk, old executions must still be deleted. An older time in the file only deletes fewer of them.
    await replaceFile(this.file, JSON.stringify(this.state), 'new').catch((error: unknown) => {
      this.log(`cannot write clock.json: ${String(error)}`);
    });
    return this.state.confirmed;
  }

  private async load(): Promise<ClockState | undefined> {
    try {
      return ClockStateSchema.parse(JSON.parse(await readSmallFile(this.file)));
    } catch {
      return undefined;
    }
  }
}
