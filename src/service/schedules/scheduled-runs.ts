import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { Execution, ScheduledBy } from '../../execution/execution';
import { activate } from '../../system/activation';
import { expandVariables, withoutEditorVariables } from '../../system/environment';
import { describePython } from '../../system/python-environment';
import type { CreateRequest } from '../create/request';
import { scheduleName, timeText, timesOf, type ScheduleRecord } from './schedule-record';
import type { Environment, ScheduleStore } from './schedule-store';

/** The executions of the service, as far as schedules need them. */
export interface Executions {
  /** Creates an execution, see {@link ExecutionManager.create}. */
  create(id: string, request: CreateRequest): Promise<Execution>;
  /** Undefined if there is none. */
  find(id: string): Execution | undefined;
}

/** Most characters of an execution id. */
const MAX_ID = 63;

/**
 * Id of the execution of a due time. It is made of these two alone, so that no restart, take-over or second service can
 * start the same run twice: `nightly-20261128t0500z`.
 */
export function executionIdOf(scheduleId: string, dueTime: number): string {
  const time = new Date(dueTime).toISOString().replaceAll(/[-:]|:?\d\d\.\d{3}/g, '');
  return withSuffix(scheduleId, time.toLowerCase());
}

/** Joins both to an execution id. A schedule id that is too long is cut, and its hash is added. */
export function withSuffix(scheduleId: string, suffix: string): string {
  const most = MAX_ID - suffix.length - 1;
  if (scheduleId.length <= most) return `${scheduleId}-${suffix}`;
  const hash = createHash('sha256').update(scheduleId).digest('hex').slice(0, 8);
  return `${scheduleId.slice(0, most - 9)}-${hash}-${suffix}`;
}

/** Creates the executions of schedules. */
export class ScheduledRuns {
  constructor(
    private readonly store: Pick<ScheduleStore, 'environment' | 'notebook'>,
    private readonly executions: Executions,
  ) {}

  /**
   * Starts the run of a due time, unless it was started before.
   * @throws ServiceError, see {@link ExecutionManager.create}.
   */
  async startDue(record: ScheduleRecord, dueTime: number): Promise<Execution> {
    const moved = timesOf(record).isMoved(dueTime);
    return this.start(executionIdOf(record.id, dueTime), record, undefined, {
      name: scheduleName(record.id),
      dueTime: timeText(dueTime),
      ...(moved ? { moved } : {}),
    });
  }

  /**
   * Starts a run that the user asked for, unless it was started before.
   * @param parameters take the place of the schedule's own.
   * @throws ServiceError, see {@link ExecutionManager.create}.
   */
  async startNow(record: ScheduleRecord, id: string, parameters: string | undefined): Promise<Execution> {
    return this.start(id, record, parameters, { name: scheduleName(record.id) });
  }

  private async start(
    id: string,
    record: ScheduleRecord,
    parameters: string | undefined,
    schedule: ScheduledBy,
  ): Promise<Execution> {
    const existing = this.executions.find(id);
    if (existing?.runStatus?.schedule?.name === schedule.name) return existing;
    const request = await this.request(record);
    const { executionTemplate } = request;
    return this.executions.create(id, {
      ...request,
      executionTemplate: parameters === undefined ? executionTemplate : { ...executionTemplate, parameters },
      schedule,
    });
  }

  private async request(record: ScheduleRecord): Promise<CreateRequest> {
    const request = await runRequest(record, await this.store.environment(record.id));
    if (record.scheduleOptions.notebook !== 'snapshot') return request;
    const inputNotebookFile = pathToFileURL(this.store.notebook(record.id)).href;
    return { ...request, executionTemplate: { ...request.executionTemplate, inputNotebookFile } };
  }
}

/**
 * The request that creates a run of a schedule.
 * @param additions variables that the user added.
 */
export async function runRequest(
  {
    description,
    executionTemplate,
    runOptions,
  }: Pick<CreateRequest, 'executionTemplate' | 'runOptions'> & { readonly description?: string | undefined },
  additions: Environment,
): Promise<CreateRequest> {
  const source = runOptions.source ?? executionTemplate.inputNotebookFile;
  return {
    description,
    executionTemplate,
    runOptions: { ...runOptions, source },
    environment: await runEnvironment(runOptions.interpreter, additions),
  };
}

/**
 * The environment of a run, built anew each time: the service's own, with the interpreter's environment activated, and
 * the variables that the user added.
 */
async function runEnvironment(
  interpreter: string | undefined,
  additions: Environment,
): Promise<Record<string, string>> {
  const own = withoutEditorVariables(process.env);
  const base = interpreter === undefined ? own : await activate(await describePython(interpreter), own);
  return { ...base, ...expandVariables(additions, base) };
}
