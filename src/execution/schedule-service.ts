import type { Schedule, ScheduleRequest } from './schedule';

/** One page of schedules, ordered by the service. */
export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  readonly nextPageToken?: string | undefined;
  /** Names of schedules that the service cannot read, and does not run. */
  readonly unreachable: readonly string[];
}

/** How a triggered run differs from the schedule's others. */
export interface TriggerOptions {
  /** Id of the execution, if the service lets the caller choose it; a repeated call with it starts one run. */
  readonly executionId?: string | undefined;
  /** Parameters of this run, in place of the schedule's own. */
  readonly parameters?: string | undefined;
}

/**
 * The schedules of a service that has them, see `ExecutionService.schedules`. A method that the service lacks is absent,
 * and the editor does not offer it. Every method rejects with a ServiceError; an aborted signal rejects with its reason.
 */
export interface ScheduleService {
  /**
   * Creates a schedule. A repeated call with the same id and content returns the same schedule; with other content it
   * rejects with ALREADY_EXISTS. Rejects with INVALID_ARGUMENT, args `field`, if it would never run or could not.
   */
  create(scheduleId: string, schedule: ScheduleRequest, signal?: AbortSignal): Promise<Schedule>;
  get(name: string, signal?: AbortSignal): Promise<Schedule>;
  list(page: { pageSize?: number; pageToken?: string }, signal?: AbortSignal): Promise<SchedulePage>;
  /** Deletes the schedule; its executions stay. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** Starts a run now. It is the first of the returned schedule's `recentExecutions`. */
  trigger(name: string, options: TriggerOptions, signal?: AbortSignal): Promise<Schedule>;
  /**
   * Changes fields of a schedule.
   * @param updateMask the fields to change, such as `cronSchedule` or `executionTemplate.parameters`. A field that
   *   `schedule` lacks is removed.
   */
  patch?(
    name: string,
    schedule: ScheduleRequest,
    updateMask: readonly string[],
    signal?: AbortSignal,
  ): Promise<Schedule>;
  pause?(name: string, signal?: AbortSignal): Promise<Schedule>;
  resume?(name: string, signal?: AbortSignal): Promise<Schedule>;
}
