import type { MissedRuns } from '../../execution/schedule';
import {
  addMissed,
  remainingRuns,
  timesOf,
  timeText,
  type DueRun,
  type ScheduleRecord,
} from './schedule-record';

/** A run that starts less than this after its due time is late, not missed. Milliseconds. */
const LATE_MS = 60_000;

/** If the clock was set back by more than this, due times are decided anew. Milliseconds. */
const SET_BACK_MS = 24 * 60 * 60 * 1000;

/** Most runs that wait for the previous one, or are caught up by `missed: runAll`. */
export const MAX_WAITING = 50;

/** Most missed runs that are counted after a time without runs. Counting takes about 0.4 ms each. */
const MAX_COUNTED = 100;

/** True if {@link followClock} would change the record. */
export function isOtherClock(
  { decidedUntil, decidedBefore = Infinity }: ScheduleRecord,
  now: number,
): boolean {
  return decidedUntil > now + SET_BACK_MS || decidedBefore <= now;
}

/**
 * Adapts a record to a clock that was set back. By up to a day, no due time is decided twice: nothing is due until the
 * clock is where it was. By more, the former time was wrong, or the new one is: runs are due again from now on, and once
 * the clock is where it was, no run in between counts as missed.
 */
export function followClock(record: ScheduleRecord, now: number): void {
  if (!isOtherClock(record, now)) return;
  const { decidedUntil, decidedBefore = 0 } = record;
  if (decidedUntil > now + SET_BACK_MS) {
    record.decidedUntil = now;
    record.decidedBefore = Math.max(decidedUntil, decidedBefore);
  } else {
    record.decidedUntil = Math.max(decidedUntil, decidedBefore);
    delete record.decidedBefore;
  }
}

/**
 * Decides for each due time that has passed whether it runs: adds the runs to `waiting`, and the others to the missed
 * ones. Once this record is on disk, a crash can neither lose nor double a run.
 * @param now milliseconds since the epoch.
 * @param cause of runs that were missed, see {@link MissedRuns}.
 * @param isStarted whether the run of a due time was started.
 */
export function decideDueRuns(
  record: ScheduleRecord,
  now: number,
  cause: string,
  isStarted: (dueTime: number) => boolean,
): void {
  // Runs that a crash prevented, and that are not late but missed by now, are decided again.
  const interrupted = record.waiting.filter(
    ({ waits, dueTime }) => waits !== true && isMissed(dueTime, now) && !isStarted(dueTime),
  );
  record.waiting = record.waiting.filter((run) => !interrupted.includes(run));
  const due =
    record.paused !== undefined || remainingRuns(record) <= 0
      ? []
      : timesOf(record).between(record.decidedUntil, now, MAX_COUNTED);
  const andMore = due.length > MAX_COUNTED;
  if (andMore) due.shift();
  record.decidedUntil = Math.max(record.decidedUntil, due.at(-1) ?? 0);
  const times = [...interrupted.map(({ dueTime }) => dueTime), ...due];
  const onTime = times.filter((time) => !isMissed(time, now));
  const late = times.filter((time) => isMissed(time, now));
  const first = Math.max(0, late.length - caughtUpRuns(record, onTime.length));
  const lost = late.slice(0, first);
  const { missed, overlap } = record.scheduleOptions;
  const runs = [
    ...late.slice(first).map((dueTime) => dueRun(dueTime, missed === 'runAll' || overlap === 'queue')),
    ...onTime.map((dueTime) => dueRun(dueTime, overlap === 'queue')),
  ];
  if (lost.length > 0) addMissed(record, missedRow(lost, cause, andMore));
  record.waiting.push(...runs.slice(0, Math.max(0, remainingRuns(record))));
}

/** How many of the missed runs are caught up. A run that is on time makes `runOnce` superfluous. */
function caughtUpRuns({ scheduleOptions, waiting }: ScheduleRecord, onTime: number): number {
  switch (scheduleOptions.missed ?? 'runOnce') {
    case 'skip':
      return 0;
    case 'runOnce':
      return onTime === 0 ? 1 : 0;
    case 'runAll':
      return Math.max(0, MAX_WAITING - waiting.length);
  }
}

function dueRun(dueTime: number, waits: boolean): DueRun {
  return waits ? { dueTime, waits } : { dueTime };
}

/** Pauses a schedule. Runs that wait are missed: they must not start long after they were due. */
export function pause(record: ScheduleRecord, why: NonNullable<ScheduleRecord['paused']>): void {
  record.paused = why;
  for (const { dueTime } of record.waiting) addMissed(record, missedRow([dueTime], 'paused'));
  record.waiting = [];
}

function isMissed(dueTime: number, now: number): boolean {
  return now - dueTime >= LATE_MS;
}

/** A row for missed runs, oldest first. */
export function missedRow(times: readonly number[], cause: string, andMore = false): MissedRuns {
  const [first = 0] = times;
  const last = times.at(-1) ?? first;
  return {
    dueTime: timeText(first),
    ...(times.length > 1 ? { lastDueTime: timeText(last) } : {}),
    count: times.length,
    ...(andMore ? { andMore } : {}),
    cause,
  };
}
