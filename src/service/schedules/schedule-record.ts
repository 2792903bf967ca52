import * as z from 'zod/mini';
import { ExecutionTemplateSchema, RunOptionsSchema, type Execution } from '../../execution/execution';
import {
  MissedRunsSchema,
  ScheduleOptionsSchema,
  type MissedRuns,
  type Schedule,
  type ScheduleStatus,
} from '../../execution/schedule';
import { PARENT } from '../../protocol/service-paths';
import { CronTimes } from './cron-times';

/** A run that is due and not yet started. Times are milliseconds since the epoch. */
const DueRunSchema = z.object({
  dueTime: z.number(),
  /** It waits until the previous run has ended, whatever `scheduleOptions.overlap` says. */
  waits: z.optional(z.boolean()),
});
export type DueRun = z.infer<typeof DueRunSchema>;

const RecentRunSchema = z.object({
  executionId: z.string(),
  /** Absent if the user triggered it. */
  dueTime: z.optional(z.number()),
  /** Absent until it has ended. */
  state: z.optional(z.string()),
});

/** `schedule.json`. */
export const ScheduleRecordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** SHA-256 of the create request; distinguishes a repeated request from a different one. */
  content: z.string(),
  createTime: z.string(),
  updateTime: z.string(),
  displayName: z.string(),
  description: z.optional(z.string()),
  cronSchedule: z.string(),
  timeZone: z.optional(z.string()),
  executionTemplate: z.extend(ExecutionTemplateSchema, { inputNotebookFile: z.string() }),
  /** Without `environment`, which has a file of its own. */
  runOptions: RunOptionsSchema,
  scheduleOptions: ScheduleOptionsSchema,
  /** The host whose service runs it. */
  host: z.string(),
  boot: z.string(),
  paused: z.optional(z.enum(['pausedByUser', 'pausedAfterFailures'])),
  /** For each due time up to here it is decided whether it runs. Milliseconds since the epoch. */
  decidedUntil: z.number(),
  /** What `decidedUntil` was before the clock was set back by more than a day. */
  decidedBefore: z.optional(z.number()),
  waiting: z.array(DueRunSchema),
  startedRuns: z.number(),
  missedRuns: z.number(),
  recentMissedRuns: z.array(MissedRunsSchema),
  /** Newest first. */
  recentRuns: z.array(RecentRunSchema),
  lastRunTime: z.optional(z.string()),
  /** Runs that failed in a row, without those that the user triggered. */
  failures: z.number(),
});
export type ScheduleRecord = z.infer<typeof ScheduleRecordSchema>;

/** Most entries of `recentMissedRuns`, and of `recentExecutions`. */
const MAX_MISSED = 20;
export const MAX_RECENT = 10;

/** Resource name of a schedule. */
export function scheduleName(id: string): string {
  return `${PARENT}/schedules/${id}`;
}

/** Due times by rule, least recently used first. Making one takes time, and each takes up to 100 KB of memory. */
const known = new Map<string, CronTimes>();
const MAX_KNOWN = 50;

/** The due times of a schedule. @throws ServiceError, see {@link CronTimes}. */
export function timesOf({
  cronSchedule,
  timeZone,
  scheduleOptions,
}: Pick<ScheduleRecord, 'cronSchedule' | 'timeZone' | 'scheduleOptions'>): CronTimes {
  const { startTime, endTime } = scheduleOptions;
  const rule = JSON.stringify([cronSchedule, timeZone, startTime, endTime]);
  const times =
    known.get(rule) ??
    new CronTimes({
      cronSchedule,
      timeZone,
      startTime: startTime === undefined ? undefined : Date.parse(startTime),
      endTime: endTime === undefined ? undefined : Date.parse(endTime),
    });
  known.delete(rule);
  known.set(rule, times);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return times;
}

/** How many more runs the schedule may start; the waiting ones are counted as started. */
export function remainingRuns({ scheduleOptions, startedRuns, waiting }: ScheduleRecord): number {
  return (scheduleOptions.maxRuns ?? Infinity) - startedRuns - waiting.length;
}

/** When the next run is due, milliseconds since the epoch; undefined if none will be, or while it is paused. */
export function nextDueTime(record: ScheduleRecord): number | undefined {
  if (record.paused !== undefined || remainingRuns(record) <= 0) return undefined;
  return timesOf(record).after(record.decidedUntil);
}

/** Adds runs that were missed. They join the row before if they follow it directly, for the same cause. */
export function addMissed(record: ScheduleRecord, missed: MissedRuns): void {
  record.missedRuns += missed.count;
  const [last, ...older] = record.recentMissedRuns;
  const isNext =
    last?.cause === missed.cause &&
    last.message === missed.message &&
    missed.andMore !== true &&
    timesOf(record).after(Date.parse(last.lastDueTime ?? last.dueTime)) === Date.parse(missed.dueTime);
  record.recentMissedRuns = isNext
    ? [joined(last, missed), ...older]
    : [missed, ...record.recentMissedRuns].slice(0, MAX_MISSED);
}

function joined(last: MissedRuns, missed: MissedRuns): MissedRuns {
  const lastDueTime = missed.lastDueTime ?? missed.dueTime;
  return { ...last, count: last.count + missed.count, lastDueTime };
}

/**
 * The resource as clients see it.
 * @param next see {@link nextDueTime}.
 * @param execution looks up an execution; undefined if it was deleted.
 */
export function presentSchedule(
  record: ScheduleRecord,
  next: number | undefined,
  execution: (id: string) => Execution | undefined,
): Schedule {
  const { id, displayName, description, cronSchedule, timeZone, executionTemplate, runOptions } = record;
  const { createTime, updateTime, scheduleOptions, startedRuns, missedRuns, recentMissedRuns } = record;
  const recent = record.recentRuns.slice(0, MAX_RECENT).flatMap(({ executionId }) => {
    const found = execution(executionId);
    return found === undefined ? [] : [inShort(found)];
  });
  const status: ScheduleStatus = {
    nextRunTime: next === undefined ? undefined : timeText(next),
    lastRunTime: record.lastRunTime,
    startedRuns,
    missedRuns,
    waitingRuns: record.waiting.length,
    recentMissedRuns,
    reason: record.paused ?? (next === undefined ? whyFinished(record) : undefined),
    host: record.host,
  };
  return {
    name: scheduleName(id),
    displayName,
    description,
    state: record.paused !== undefined ? 'PAUSED' : next === undefined ? 'DISABLED' : 'ENABLED',
    cronSchedule,
    timeZone,
    createTime,
    updateTime,
    executionTemplate,
    runOptions,
    scheduleOptions,
    scheduleStatus: status,
    recentExecutions: recent,
  };
}

/** Name, state and times, but not what each run was asked to do. */
function inShort({ name, displayName, state, createTime, updateTime, runStatus }: Execution): Execution {
  const { cause, startTime, endTime, schedule } = runStatus ?? {};
  return {
    name,
    displayName,
    state,
    createTime,
    updateTime,
    runStatus: { cause, startTime, endTime, schedule },
  };
}

function whyFinished(record: ScheduleRecord): string {
  if (remainingRuns(record) <= 0) return 'maxRunsReached';
  const { endTime, ...others } = record.scheduleOptions;
  const later = timesOf({ ...record, scheduleOptions: others }).after(record.decidedUntil);
  return endTime === undefined || later === undefined ? 'noMoreRuns' : 'endTimeReached';
}

/** RFC 3339 in UTC without a fraction: due times are whole minutes. */
export function timeText(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
