import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../execution/errors';
import { EXECUTION_ID } from '../../execution/execution-name';
import type { Schedule } from '../../execution/schedule';
import { readClientFile } from '../create/client-files';
import { fieldInvalid, type CreateRequest } from '../create/request';
import { stemOf } from '../create/request-paths';
import { errorCode } from '../../system/files';
import { pause } from './due-runs';
import type { ScheduleEntries, ScheduleEntry } from './schedule-entries';
import { presentSchedule, type ScheduleRecord } from './schedule-record';
import { applyMask, contentOfSchedule, parseSchedule, type ScheduleInput } from './schedule-request';
import type { Environment, ScheduleParts, ScheduleStore } from './schedule-store';
import { runRequest, withSuffix, type Executions, type ScheduledRuns } from './scheduled-runs';
import { addRun, type Scheduler, type SchedulerClock } from './scheduler';

/** Most schedules of a service: each of them takes a little memory and time. */
const MAX_SCHEDULES = 10_000;

/** Dependencies of a {@link ScheduleManager}. */
export interface ScheduleManagerOptions {
  readonly entries: ScheduleEntries;
  readonly store: Pick<ScheduleStore, 'environment'>;
  readonly scheduler: Pick<Scheduler, 'check'>;
  readonly runs: ScheduledRuns;
  readonly executions: Executions & {
    /** Checks a request as a create does, without creating anything. */
    check(request: CreateRequest, notebook: Uint8Array): Promise<void>;
  };
  readonly hostIdentity: { readonly host: string; readonly boot: string };
  readonly clock: Pick<SchedulerClock, 'now'>;
}

/** What the API can do with schedules. Whatever a client has been told is on disk. */
export class ScheduleManager {
  constructor(private readonly options: ScheduleManagerOptions) {}

  /** All schedules, by id. */
  list(): Schedule[] {
    return this.options.entries.all.map((entry) => this.present(entry));
  }

  /** Ids of schedules that cannot be read. They do not run. */
  get unreachable(): string[] {
    return this.options.entries.unreachable;
  }

  /** @throws ServiceError NOT_FOUND `scheduleNotFound` */
  get(id: string): Schedule {
    return this.present(this.options.entries.get(id));
  }

  /**
   * Creates a schedule, or returns the existing one if id and content are the same. Its first run is due after now.
   * @throws ServiceError, see schedule-request.ts, and {@link ExecutionManager.create} for `executionTemplate` and
   *   `runOptions`; ALREADY_EXISTS `alreadyExists`; RESOURCE_EXHAUSTED `storageNotWritable`, `schedulesExhausted`.
   */
  async create(id: string, body: unknown): Promise<Schedule> {
    const { entries, hostIdentity, clock } = this.options;
    if (!EXECUTION_ID.test(id)) throw fieldInvalid('scheduleId', `must match ${EXECUTION_ID.source}`);
    const created = clock.now();
    const input = parseSchedule(body, created);
    const content = contentOfSchedule(input);
    const existing = entries.find(id);
    if (existing?.record.content === content) return this.present(existing);
    if (existing !== undefined) throw alreadyExists(id);
    if (entries.all.length >= MAX_SCHEDULES) {
      const message = `a service has at most ${MAX_SCHEDULES} schedules`;
      throw new ServiceError('RESOURCE_EXHAUSTED', 'schedulesExhausted', message);
    }
    const notebook = await this.check(input);
    const time = new Date(created).toISOString();
    const record: ScheduleRecord = {
      version: 1,
      id,
      content,
      createTime: time,
      updateTime: time,
      ...fieldsOf(input),
      ...hostIdentity,
      decidedUntil: created,
      waiting: [],
      startedRuns: 0,
      missedRuns: 0,
      recentMissedRuns: [],
      recentRuns: [],
      failures: 0,
    };
    try {
      return this.present(await entries.add(record, partsOf(input, notebook)));
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
      // Another request was faster, or the folder belongs to a schedule that cannot be read.
      const other = entries.find(id);
      if (other?.record.content === content) return this.present(other);
      throw alreadyExists(id);
    } finally {
      this.options.scheduler.check();
    }
  }

  /**
   * Changes the fields that `updateMask` names. With another time to run, only due times from now on count.
   * @throws ServiceError like {@link create}, and NOT_FOUND.
   */
  async update(id: string, body: unknown, updateMask: string): Promise<Schedule> {
    const { clock } = this.options;
    return this.change(id, async (record) => {
      const { description, cronSchedule, timeZone, executionTemplate, runOptions, scheduleOptions } = record;
      const current = { description, cronSchedule, timeZone, executionTemplate, runOptions, scheduleOptions };
      const { changed, paths } = applyMask(current, body, updateMask);
      const time = clock.now();
      const input = parseSchedule(changed, time);
      const isOther = (...names: string[]): boolean =>
        paths.some((path) => names.some((name) => path === name || path.startsWith(`${name}.`)));
      const notebook = isOther(
        'executionTemplate',
        'runOptions',
        'scheduleOptions.notebook',
        'scheduleOptions',
      )
        ? await this.check(input, await this.options.store.environment(id))
        : undefined;
      Object.assign(record, fieldsOf(input), { updateTime: new Date(time).toISOString() });
      if (isOther('cronSchedule', 'timeZone', 'scheduleOptions')) {
        record.decidedUntil = time;
        delete record.decidedBefore;
      }
      const isNewNotebook =
        executionTemplate.inputNotebookFile !== input.executionTemplate.inputNotebookFile ||
        scheduleOptions.notebook !== input.scheduleOptions.notebook;
      const { environment, ...parts } = partsOf(input, isNewNotebook ? notebook : undefined);
      const isNewEnvironment = environment !== undefined || paths.includes('runOptions.environment');
      return isNewEnvironment ? { ...parts, environment: environment ?? {} } : parts;
    });
  }

  /** Deletes a schedule; its executions stay. @throws ServiceError NOT_FOUND; `otherHost`; `storageNotWritable` */
  async delete(id: string): Promise<void> {
    await this.options.entries.remove(id);
    this.options.scheduler.check();
  }

  /** Pauses a schedule. Due times while it is paused are not missed. @throws ServiceError like {@link delete}. */
  async pause(id: string): Promise<Schedule> {
    return this.change(id, (record) => {
      if (record.paused === undefined) pause(record, 'pausedByUser');
      record.updateTime = this.time();
      return undefined;
    });
  }

  /** Resumes a schedule: runs are due from now on. @throws ServiceError like {@link delete}. */
  async resume(id: string): Promise<Schedule> {
    return this.change(id, (record) => {
      if (record.paused === undefined) return undefined;
      delete record.paused;
      record.failures = 0;
      record.decidedUntil = Math.max(record.decidedUntil, this.options.clock.now());
      record.updateTime = this.time();
      return undefined;
    });
  }

  /**
   * Starts a run now, even if the schedule is paused or a run has not ended. It counts neither as missed nor toward
   * `maxRuns`.
   * @param executionId chosen by the client, so that a repeated request starts one run; empty for one of the service.
   * @param parameters take the place of the schedule's own.
   * @throws ServiceError like {@link delete}, and {@link ExecutionManager.create}.
   */
  async trigger(id: string, executionId: string, parameters: string | undefined): Promise<Schedule> {
    const { runs } = this.options;
    const name = executionId === '' ? withSuffix(id, `now-${randomBytes(4).toString('hex')}`) : executionId;
    return this.change(id, async (record) => {
      const execution = await runs.startNow(record, name, parameters);
      addRun(record, execution.name, execution.createTime);
      return undefined;
    });
  }

  private async change(id: string, change: Parameters<ScheduleEntries['change']>[1]): Promise<Schedule> {
    try {
      return this.present(await this.options.entries.change(id, change));
    } finally {
      this.options.scheduler.check();
    }
  }

  /** Checks what runs as the create of an execution does. @returns the notebook. */
  private async check(input: ScheduleInput, additions: Environment = {}): Promise<Uint8Array> {
    const notebook = await readClientFile(
      input.executionTemplate.inputNotebookFile,
      'executionTemplate.inputNotebookFile',
    );
    const request = await runRequest(input, input.environment ?? additions);
    await this.options.executions.check(request, notebook);
    return notebook;
  }

  private present({ record, next }: ScheduleEntry): Schedule {
    return presentSchedule(record, next, (id) => this.options.executions.find(id));
  }

  private time(): string {
    return new Date(this.options.clock.now()).toISOString();
  }
}

function fieldsOf(input: ScheduleInput) {
  const { description, cronSchedule, timeZone, executionTemplate, runOptions, scheduleOptions } = input;
  const displayName = stemOf(input).replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return { displayName, description, cronSchedule, timeZone, executionTemplate, runOptions, scheduleOptions };
}

function partsOf(input: ScheduleInput, notebook: Uint8Array | undefined): ScheduleParts {
  return {
    ...(input.environment === undefined ? {} : { environment: input.environment }),
    ...(input.scheduleOptions.notebook === 'snapshot' && notebook !== undefined ? { notebook } : {}),
  };
}

function alreadyExists(scheduleId: string): ServiceError {
  const message = `schedule ${scheduleId} exists with other content`;
  return new ServiceError('ALREADY_EXISTS', 'alreadyExists', message, { scheduleId });
}
