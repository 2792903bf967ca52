import { randomUUID } from 'node:crypto';
import { ServiceError } from '../execution/errors';
import { EXECUTION_ID } from '../execution/execution-name';
import type { Schedule, ScheduleRequest } from '../execution/schedule';
import type { SchedulePage, ScheduleService, TriggerOptions } from '../execution/schedule-service';
import { PARENT } from '../protocol/service-paths';
import type { HttpRequest } from './http-client';

/** Milliseconds for a request; one that checks or starts a run reads the notebook and looks for its kernel. */
const TIMEOUT = 10_000;
const RUN_TIMEOUT = 60_000;

/** Loaded with the first request, see embedded-execution-service.ts. */
const answers = () => import('./schedule-answers');

/** The schedules of the embedded service. */
export class EmbeddedSchedules implements ScheduleService {
  /** @param send sends a request to the service, which is started if necessary, and repeats it if it was lost. */
  constructor(private readonly send: (request: HttpRequest) => Promise<unknown>) {}

  async create(scheduleId: string, schedule: ScheduleRequest, signal?: AbortSignal): Promise<Schedule> {
    const path = `v1/${PARENT}/schedules?scheduleId=${encodeURIComponent(scheduleId)}`;
    return this.fetchOperation({ method: 'POST', path, body: schedule, timeout: RUN_TIMEOUT, signal });
  }

  async get(name: string, signal?: AbortSignal): Promise<Schedule> {
    return this.fetchSchedule({ method: 'GET', path: pathOf(name), timeout: TIMEOUT, signal });
  }

  async list(page: { pageSize?: number; pageToken?: string }, signal?: AbortSignal): Promise<SchedulePage> {
    const query = new URLSearchParams();
    if (page.pageSize !== undefined) query.set('pageSize', String(page.pageSize));
    if (page.pageToken !== undefined) query.set('pageToken', page.pageToken);
    const path = `v1/${PARENT}/schedules?${query.toString()}`;
    const answer = await this.send({ method: 'GET', path, timeout: TIMEOUT, signal });
    return (await answers()).parsePage(answer);
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    await this.send({ method: 'DELETE', path: pathOf(name), timeout: TIMEOUT, signal });
  }

  async trigger(name: string, options: TriggerOptions, signal?: AbortSignal): Promise<Schedule> {
    // Chosen here, because the request may be repeated.
    const { executionId = `now-${randomUUID()}`, parameters } = options;
    const path = `${pathOf(name)}:trigger?executionId=${encodeURIComponent(executionId)}`;
    return this.fetchOperation({ method: 'POST', path, body: { parameters }, timeout: RUN_TIMEOUT, signal });
  }

  async patch(
    name: string,
    schedule: ScheduleRequest,
    updateMask: readonly string[],
    signal?: AbortSignal,
  ): Promise<Schedule> {
    const path = `${pathOf(name)}?updateMask=${encodeURIComponent(updateMask.join(','))}`;
    return this.fetchSchedule({ method: 'PATCH', path, body: schedule, timeout: RUN_TIMEOUT, signal });
  }

  async pause(name: string, signal?: AbortSignal): Promise<Schedule> {
    return this.fetchSchedule({ method: 'POST', path: `${pathOf(name)}:pause`, timeout: TIMEOUT, signal });
  }

  async resume(name: string, signal?: AbortSignal): Promise<Schedule> {
    return this.fetchSchedule({ method: 'POST', path: `${pathOf(name)}:resume`, timeout: TIMEOUT, signal });
  }

  /** Sends a request whose answer is a schedule. */
  private async fetchSchedule(request: HttpRequest): Promise<Schedule> {
    const answer = await this.send(request);
    return (await answers()).parseSchedule(answer);
  }

  /** Sends a request whose answer is an operation that is done, with a schedule. */
  private async fetchOperation(request: HttpRequest): Promise<Schedule> {
    const answer = await this.send(request);
    const { OperationSchema, parseSchedule } = await answers();
    return parseSchedule(OperationSchema.parse(answer).response);
  }
}

/** @throws ServiceError NOT_FOUND for a name that cannot belong to this service. */
function pathOf(name: string): string {
  const parent = `${PARENT}/schedules/`;
  const scheduleId = name.startsWith(parent) ? name.slice(parent.length) : '';
  if (EXECUTION_ID.test(scheduleId)) return `v1/${name}`;
  throw new ServiceError('NOT_FOUND', 'scheduleNotFound', `no schedule ${name}`, { scheduleId });
}
