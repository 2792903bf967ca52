import * as z from 'zod/mini';
import { ExecutionSchema, ExecutionTemplateSchema, RunOptionsSchema } from './execution';

/*
 * The Schedule resource of the Notebooks API v1 (discovery revision 20260812) with its own field names, plus three
 * blocks that this product adds: `runOptions` (beside `executionTemplate`), `scheduleOptions` (input) and
 * `scheduleStatus` (output). Times are RFC 3339 in UTC.
 */

const optionalString = z.optional(z.string());

/** The states of the resource. The embedded service uses ENABLED, PAUSED and DISABLED. */
export const SCHEDULE_STATES = [
  'STATE_UNSPECIFIED',
  'ENABLED',
  'PAUSED',
  'DISABLED',
  'UPDATE_FAILED',
  'INITIALIZING',
  'DELETING',
] as const;
/** A state as reported; a string outside {@link SCHEDULE_STATES} is shown unchanged. */
export type ScheduleState = (typeof SCHEDULE_STATES)[number] | (string & {});

/** Which notebook runs: the file as it is at each run, or its content when the schedule was created. */
export const NOTEBOOK_CHOICES = ['current', 'snapshot'] as const;
/** What happens with runs that were missed: none is run, the last one is run, or all are run, oldest first. */
export const MISSED_CHOICES = ['skip', 'runOnce', 'runAll'] as const;
/** What happens when a run is due and the previous one has not ended: it is skipped, waits, or runs at the same time. */
export const OVERLAP_CHOICES = ['skip', 'queue', 'allow'] as const;

/** Options of a schedule that the resource has no field for. */
export const ScheduleOptionsSchema = z.object({
  /** No run is due before this time. */
  startTime: optionalString,
  /** No run is due after this time. */
  endTime: optionalString,
  /** Maximum number of runs that are started by the schedule itself. */
  maxRuns: z.optional(z.number()),
  /** `current` if absent. */
  notebook: z.optional(z.enum(NOTEBOOK_CHOICES)),
  /** `runOnce` if absent. */
  missed: z.optional(z.enum(MISSED_CHOICES)),
  /** `skip` if absent. */
  overlap: z.optional(z.enum(OVERLAP_CHOICES)),
  /** The schedule pauses itself after this many failed runs in a row. */
  pauseAfterFailures: z.optional(z.number()),
});
export type ScheduleOptions = z.infer<typeof ScheduleOptionsSchema>;

/**
 * Runs that were due and did not run: one, or several in a row for the same cause. Causes: `serviceNotRunning`;
 * `machineAsleep` (or its clock was set forward); `serviceBusy`; `storageNotWritable`; `overlap` (the previous run had
 * not ended); `paused` (while it waited for the previous run); `notCreated`: then `reason`, `args` and `message` are
 * those of the ServiceError.
 */
export const MissedRunsSchema = z.object({
  /** When the first of them was due. */
  dueTime: z.string(),
  /** When the last of them was due; absent for a single one. */
  lastDueTime: optionalString,
  count: z.number(),
  /** There were more before `dueTime`, which were not counted. */
  andMore: z.optional(z.boolean()),
  cause: z.string(),
  reason: optionalString,
  args: z.optional(z.record(z.string(), z.string())),
  message: optionalString,
});
export type MissedRuns = z.infer<typeof MissedRunsSchema>;

/** What is known about a schedule beyond `state`. Output only. */
export const ScheduleStatusSchema = z.object({
  /** When the next run is due; absent if none will be, or while the schedule is paused. */
  nextRunTime: optionalString,
  /** When the last run was started. */
  lastRunTime: optionalString,
  /** Number of runs that were started when they were due, or caught up. */
  startedRuns: z.optional(z.number()),
  /** Number of runs that were missed; `recentMissedRuns` says when and why, newest first. */
  missedRuns: z.optional(z.number()),
  recentMissedRuns: z.optional(z.array(MissedRunsSchema)),
  /** Runs that are due and wait for the previous one to end. */
  waitingRuns: z.optional(z.number()),
  /**
   * Why it is not ENABLED: `pausedByUser`, `pausedAfterFailures`, `maxRunsReached`, `endTimeReached`, or
   * `noMoreRuns`.
   */
  reason: optionalString,
  /** Host name of the machine whose service runs it. */
  host: optionalString,
});
export type ScheduleStatus = z.infer<typeof ScheduleStatusSchema>;

/** Schedule of the Notebooks API v1 with the added blocks. */
export const ScheduleSchema = z.object({
  /** `projects/{project}/locations/{location}/schedules/{scheduleId}` */
  name: optionalString,
  displayName: optionalString,
  description: optionalString,
  state: optionalString,
  /** Cron with five fields, or a nickname such as `@daily`. */
  cronSchedule: optionalString,
  /** IANA time zone; UTC if absent. */
  timeZone: optionalString,
  createTime: optionalString,
  updateTime: optionalString,
  executionTemplate: z.optional(ExecutionTemplateSchema),
  /** `environment` is added to the environment that each run is given, and never echoed. */
  runOptions: z.optional(RunOptionsSchema),
  scheduleOptions: z.optional(ScheduleOptionsSchema),
  scheduleStatus: z.optional(ScheduleStatusSchema),
  /** The newest runs with their names and states, newest first. */
  recentExecutions: z.optional(z.array(ExecutionSchema)),
});
/** A schedule as a client sends it: output-only fields may be absent. */
export type ScheduleRequest = z.infer<typeof ScheduleSchema>;
/** A schedule as a service returns it. */
export type Schedule = ScheduleRequest & { name: string; state: ScheduleState };

/**
 * Parses one schedule of a service's answer.
 * @throws ZodError if it is not a schedule: not an object, without a name, or with a field of the wrong type.
 */
export function parseSchedule(value: unknown): Schedule {
  const schedule = AnsweredScheduleSchema.parse(value);
  return { ...schedule, state: schedule.state ?? 'STATE_UNSPECIFIED' };
}
const AnsweredScheduleSchema = z.extend(ScheduleSchema, { name: z.string() });
