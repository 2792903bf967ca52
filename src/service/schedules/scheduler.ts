import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import { isTerminal } from '../../execution/states';
import { Semaphore } from '../semaphore';
import { decideDueRuns, followClock, isOtherClock, MAX_WAITING, missedRow, pause } from './due-runs';
import type { ScheduleEntries, ScheduleEntry } from './schedule-entries';
import { addMissed, MAX_RECENT, type DueRun, type ScheduleRecord } from './schedule-record';
import { executionIdOf, type Executions, type ScheduledRuns } from './scheduled-runs';

/** The clock of the system, or of a test. */
export interface SchedulerClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after so many milliseconds, which may be too late: the machine may sleep meanwhile. */
  wait(milliseconds: number, wake: () => void): { cancel(): void };
}

export const systemClock: SchedulerClock = {
  now: () => Date.now(),
  wait: (milliseconds, wake) => {
    const timer = setTimeout(wake, milliseconds).unref();
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
};

/** Dependencies of a {@link Scheduler}. */
export interface SchedulerOptions {
  readonly entries: ScheduleEntries;
  readonly runs: ScheduledRuns;
  readonly executions: Pick<Executions, 'find'>;
  readonly clock: SchedulerClock;
  readonly log: (message: string) => void;
}

/**
 * How often the clock is read, milliseconds, even if nothing is due: a timer does not notice that the machine slept or
 * that its clock was changed.
 */
const CHECK_MS = 30_000;
/** If so much more time has passed between two looks, the machine slept or its clock was changed. Milliseconds. */
const ASLEEP_MS = 30_000;
/** How long to wait after a record could not be written, milliseconds. */
const RETRY_MS = 5_000;

/** Most schedules that start runs at the same time. */
const MAX_AT_ONCE = 8;

/** States of a run that failed. */
const FAILED = ['FAILED', 'EXPIRED'];

/** Starts the runs of the schedules when they are due: one timer for all of them. */
export class Scheduler {
  private timer: { cancel(): void } | undefined;
  private isStarted = false;
  /** Time of the last check. */
  private lastCheck = 0;
  /** Schedules that this service has looked at before. */
  private readonly seen = new Set<string>();
  /** Schedules that have work in progress. */
  private readonly busy = new Set<string>();
  /** Schedules whose work failed: when to try again, and the cause of runs that are missed until then. */
  private readonly retries = new Map<string, { readonly time: number; readonly cause: string }>();
  private readonly semaphore = new Semaphore(MAX_AT_ONCE);

  constructor(private readonly options: SchedulerOptions) {}

  /** True while a run is due or will be: the service must not stop then. */
  get waits(): boolean {
    return this.options.entries.own.some(
      ({ next, record }) => next !== undefined || record.waiting.length > 0,
    );
  }

  /** Looks for due runs, now and from now on. */
  start(): void {
    this.isStarted = true;
    this.check();
  }

  stop(): void {
    this.isStarted = false;
    this.timer?.cancel();
  }

  /** Looks for due runs; call it whenever a schedule has changed or an execution has ended. */
  check(): void {
    if (!this.isStarted) return;
    const now = this.options.clock.now();
    const slept = now - this.lastCheck > CHECK_MS + ASLEEP_MS;
    this.lastCheck = now;
    for (const entry of this.options.entries.own) this.checkSchedule(entry, now, slept);
    this.arm(now);
  }

  private checkSchedule(entry: ScheduleEntry, now: number, slept: boolean): void {
    const { id } = entry.record;
    const retry = this.retries.get(id);
    // It would lie further ahead if the clock was set back.
    const isTime = retry === undefined || retry.time <= now || retry.time > now + RETRY_MS;
    if (isTime) this.retries.delete(id);
    if (isTime && !this.busy.has(id) && this.hasWork(entry, now)) {
      const cause = slept ? 'machineAsleep' : (retry?.cause ?? 'serviceBusy');
      this.work(id, now, this.seen.has(id) ? cause : 'serviceNotRunning');
    }
    this.seen.add(id);
  }

  private arm(now: number): void {
    this.timer?.cancel();
    const times = this.options.entries.own.map(({ record, next }) =>
      this.busy.has(record.id) ? undefined : (this.retries.get(record.id)?.time ?? next),
    );
    const next = times.reduce<number>((first, time) => Math.min(first, time ?? Infinity), Infinity);
    const milliseconds = Math.min(Math.max(next - now, 1), CHECK_MS);
    this.timer = this.options.clock.wait(milliseconds, () => {
      this.check();
    });
  }

  private hasWork({ record, next }: ScheduleEntry, now: number): boolean {
    return (
      (next !== undefined && next <= now) ||
      isOtherClock(record, now) ||
      this.ended(record).length > 0 ||
      (record.waiting.length > 0 && this.canStart(record) !== undefined)
    );
  }

  /** Does what a schedule needs now, in the background. */
  private work(id: string, now: number, cause: string): void {
    this.busy.add(id);
    this.semaphore
      .run(() => this.serve(id, now, cause))
      .catch((error: unknown) => {
        this.options.log(`schedule ${id}: ${String(error)}`);
        const time = this.options.clock.now() + RETRY_MS;
        this.retries.set(id, { time, cause: error instanceof ServiceError ? error.reason : 'serviceBusy' });
      })
      .finally(() => {
        this.busy.delete(id);
        if (!this.isStarted) return;
        const [entry, time] = [this.options.entries.find(id), this.options.clock.now()];
        if (entry !== undefined) this.checkSchedule(entry, time, false);
        this.arm(time);
      });
  }

  private async serve(id: string, now: number, cause: string): Promise<void> {
    const { entries } = this.options;
    // On disk before anything is started: from here on the run is neither lost nor doubled.
    await entries.change(id, (record) => {
      followClock(record, now);
      this.noteEnds(record);
      decideDueRuns(record, now, cause, (dueTime) => this.execution(record, dueTime) !== undefined);
      return undefined;
    });
    for (;;) {
      const record = entries.find(id)?.record;
      const run = record === undefined || !this.isStarted ? undefined : this.canStart(record);
      if (run === undefined) return;
      await entries.change(id, async (changed) => {
        await this.startRun(changed, run);
        return undefined;
      });
    }
  }

  /** The next waiting run, if it can be started or skipped now. */
  private canStart(record: ScheduleRecord): DueRun | undefined {
    const [run] = record.waiting;
    if (run === undefined || record.paused !== undefined) return undefined;
    const mayWait = run.waits === true && record.waiting.length <= MAX_WAITING;
    return mayWait && this.isActive(record) ? undefined : run;
  }

  /** Starts the first waiting run, or notes why it is missed. */
  private async startRun(record: ScheduleRecord, { dueTime, waits }: DueRun): Promise<void> {
    record.waiting = record.waiting.filter((run) => run.dueTime !== dueTime);
    const mayOverlap = record.scheduleOptions.overlap === 'allow' && waits !== true;
    if (!mayOverlap && this.execution(record, dueTime) === undefined && this.isActive(record)) {
      addMissed(record, missedRow([dueTime], 'overlap'));
      return;
    }
    try {
      const execution = await this.options.runs.startDue(record, dueTime);
      record.startedRuns += 1;
      addRun(record, execution.name, execution.createTime, dueTime);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.reason === 'storageNotWritable') throw error;
      const { reason, args, message } = error;
      addMissed(record, { ...missedRow([dueTime], 'notCreated'), reason, args, message });
      this.countFailure(record);
    }
  }

  private execution({ id }: ScheduleRecord, dueTime: number): Execution | undefined {
    return this.options.executions.find(executionIdOf(id, dueTime));
  }

  /** Whether a run of the schedule has not ended. */
  private isActive(record: ScheduleRecord): boolean {
    return record.recentRuns.some(({ executionId, state }) => {
      const execution = state === undefined ? this.options.executions.find(executionId) : undefined;
      return execution !== undefined && !isTerminal(execution.state);
    });
  }

  /** The runs that have ended, or were deleted, since the record was written. */
  private ended(record: ScheduleRecord): { executionId: string; state: string }[] {
    return record.recentRuns.flatMap(({ executionId, state }) => {
      if (state !== undefined) return [];
      const now = this.options.executions.find(executionId)?.state ?? 'STATE_UNSPECIFIED';
      return isTerminal(now) || now === 'STATE_UNSPECIFIED' ? [{ executionId, state: now }] : [];
    });
  }

  /** Notes the states of runs that have ended, oldest first, and pauses the schedule after too many failures. */
  private noteEnds(record: ScheduleRecord): void {
    for (const { executionId, state } of this.ended(record).reverse()) {
      const run = record.recentRuns.find((each) => each.executionId === executionId);
      if (run === undefined) continue;
      run.state = state;
      if (run.dueTime === undefined) continue;
      if (FAILED.includes(state)) this.countFailure(record);
      else if (state === 'SUCCEEDED') record.failures = 0;
    }
    trimRuns(record);
  }

  private countFailure(record: ScheduleRecord): void {
    record.failures += 1;
    const { pauseAfterFailures = Infinity } = record.scheduleOptions;
    if (record.failures < pauseAfterFailures || record.paused !== undefined) return;
    pause(record, 'pausedAfterFailures');
    this.options.log(`schedule ${record.id}: paused after ${record.failures} failed runs`);
  }
}

/** Adds a run that was just started. @param name of the execution. */
export function addRun(
  record: ScheduleRecord,
  name: string,
  createTime: string | undefined,
  dueTime?: number,
): void {
  const executionId = name.slice(name.lastIndexOf('/') + 1);
  record.lastRunTime = createTime;
  record.recentRuns = [
    { executionId, ...(dueTime === undefined ? {} : { dueTime }) },
    ...record.recentRuns.filter((run) => run.executionId !== executionId),
  ];
  trimRuns(record);
}

/** Keeps the newest runs, and all that have not ended. */
function trimRuns(record: ScheduleRecord): void {
  record.recentRuns = record.recentRuns.filter(
    ({ state }, index) => index < MAX_RECENT || state === undefined,
  );
}
