import { Cron } from 'croner';
import { fieldInvalid } from '../create/request';

/** Most characters of a pattern. */
const MAX_PATTERN = 200;

/** When runs are due, as the user wrote it. Times are milliseconds since the epoch. */
export interface CronRule {
  readonly cronSchedule: string;
  readonly timeZone: string | undefined;
  /** No run is due before. */
  readonly startTime?: number | undefined;
  /** No run is due after. */
  readonly endTime?: number | undefined;
}

/**
 * The due times of a cron pattern in a time zone, in milliseconds since the epoch.
 *
 * Changes of daylight saving time follow Vixie cron. With a wildcard or a step in the minutes or hours, such as an
 * hourly run, runs follow real time: a repeated hour has its runs twice, a skipped hour has none. Otherwise, such as for
 * `30 2 * * *`, a time that clocks skip is due at the first minute after the gap, and a time that clocks repeat is due
 * the first time only.
 */
export class CronTimes {
  private readonly cron: Cron;
  /** The last two answers of {@link after}: each step of a run asks for the same ones. */
  private recent: { readonly time: number; readonly next: number | undefined }[] = [];

  /** @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `cronSchedule` or `timeZone`. */
  constructor(private readonly rule: CronRule) {
    this.cron = parse(rule);
  }

  /** The first due time after `time`; undefined if there is none. */
  after(time: number): number | undefined {
    const known = this.recent.find((each) => each.time === time);
    if (known !== undefined) return known.next;
    const next = this.compute(time);
    this.recent = [{ time, next }, ...this.recent.slice(0, 1)];
    return next;
  }

  private compute(time: number): number | undefined {
    const { startTime = -Infinity, endTime = Infinity } = this.rule;
    const next = this.cron.nextRun(new Date(Math.max(time, startTime - 1)))?.getTime();
    return next === undefined || next > endTime ? undefined : next;
  }

  /**
   * Due times after `from`, up to and including `to`, oldest first.
   * @param most number of times to return: the last ones. One more is returned if there are more.
   */
  between(from: number, to: number, most: number): number[] {
    const times: number[] = [];
    for (let time = this.after(from); time !== undefined && time <= to; time = this.after(time)) {
      times.push(time);
      if (times.length > most) return this.last(most + 1, to);
    }
    return times;
  }

  private last(count: number, to: number): number[] {
    const { endTime = Infinity } = this.rule;
    const end = new Date(Math.min(to, endTime) + 1);
    return this.cron
      .previousRuns(count, end)
      .map((date) => date.getTime())
      .reverse();
  }

  /** True if clocks do not show a time that fits the pattern then: it lay in a gap, and the run was moved after it. */
  isMoved(time: number): boolean {
    return !this.cron.match(new Date(time));
  }
}

function parse({ cronSchedule, timeZone = 'UTC' }: CronRule): Cron {
  const pattern = cronSchedule.trim();
  if (cronSchedule.length > MAX_PATTERN) throw invalid(`has more than ${MAX_PATTERN} characters`);
  // croner also takes dates as patterns.
  const fields = pattern.split(/\s+/).length;
  if (!pattern.startsWith('@') && fields !== 5) {
    throw invalid(
      fields === 6
        ? 'has six fields, but a schedule runs at most once a minute: remove the seconds'
        : 'must have five fields: minute, hour, day of month, month, day of week',
    );
  }
  if (!isTimeZone(timeZone)) throw fieldInvalid('timeZone', `${JSON.stringify(timeZone)} is no time zone`);
  let cron: Cron;
  try {
    cron = new Cron(pattern, {
      paused: true,
      timezone: timeZone,
      mode: '5-part',
      fixedTimeRule: 'no-wildcard',
    });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error));
  }
  return cron;
}

function invalid(problem: string): Error {
  return fieldInvalid('cronSchedule', problem);
}

/** True for the name of an IANA time zone. Newer versions of Node also take offsets, which older ones refuse. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name) || name.length > 100) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
