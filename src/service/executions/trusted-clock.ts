import * as z from 'zod/mini';
import { readSmallFile } from '../../system/small-file';
import { replaceFile } from '../../system/files';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A clock that stands farther ahead than this may be wrong. */
const DOUBTFUL_MS = 7 * DAY_MS;

/** `clock.json`; times are milliseconds since the epoch. */
const SeenSchema = z.object({
  /** A time that has surely been. */
  confirmed: z.number(),
  /** What the clock said when it was first seen standing much farther ahead. */
  doubtful: z.optional(z.number()),
});
type Seen = z.infer<typeof SeenSchema>;

/**
 * What the clock says now, given what was known of it. A clock that was set far ahead, by a mistake or an empty battery,
 * must not make everything look old: it is believed when it has gone on from there for a day.
 */
export function confirm({ confirmed, doubtful }: Seen, clock: number): Seen {
  // Set back, or gone on as clocks do.
  if (clock - confirmed <= DOUBTFUL_MS) return { confirmed: clock };
  if (doubtful === undefined || clock < doubtful) return { confirmed, doubtful: clock };
  // Whoever is here once in a month is always far ahead, and a visit behind.
  return clock - doubtful < DAY_MS ? { confirmed, doubtful } : confirm({ confirmed: doubtful }, clock);
}

/** A time by which ages can be reckoned: never later than the clock, and not what a clock says that has just jumped. */
export class ConfirmedTime {
  #seen: Seen | undefined;

  /** @param file keeps it while no service runs. */
  constructor(
    private readonly file: string,
    private readonly clock: () => number,
  ) {}

  /**
   * Looks at the clock.
   * @param newest the newest time that is known, which counts until it has been looked for the first time.
   * @returns milliseconds since the epoch. @throws the system's error where it cannot be written down.
   */
  async look(newest: number | undefined): Promise<number> {
    const clock = this.clock();
    this.#seen = confirm((this.#seen ??= await this.#read()) ?? { confirmed: newest ?? clock }, clock);
    await replaceFile(this.file, JSON.stringify(this.#seen), 'new');
    return this.#seen.confirmed;
  }

  async #read(): Promise<Seen | undefined> {
    try {
      return SeenSchema.parse(JSON.parse(await readSmallFile(this.file)));
    } catch {
      return undefined;
    }
  }
}
