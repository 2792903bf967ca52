import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseExecution, type Execution } from '../../../src/execution/execution';
import { parseSchedule, type Schedule } from '../../../src/execution/schedule';
import { until } from '../../support/until';
import { fakeKernel, NOTEBOOK, PARENT, type Answer, type TestService } from '../service/support';

/** Differences from a schedule that is due each day at 06:00 in Berlin. */
export type Changes = Record<string, unknown> & { readonly executionTemplate?: Record<string, unknown> };

/** The schedules of a service with the fake runner. */
export class ScheduleClient {
  readonly notebook: string;

  constructor(readonly service: TestService) {
    this.notebook = path.join(service.folder, 'my notebook.ipynb');
    if (!fs.existsSync(this.notebook)) fs.writeFileSync(this.notebook, NOTEBOOK);
  }

  /** The body of a create. */
  body({ executionTemplate, ...changes }: Changes = {}): Record<string, unknown> {
    return {
      cronSchedule: '0 6 * * *',
      timeZone: 'Europe/Berlin',
      executionTemplate: { inputNotebookFile: pathToFileURL(this.notebook).href, ...executionTemplate },
      runOptions: { environment: fakeKernel(this.service.folder) },
      ...changes,
    };
  }

  async create(id: string, changes: Changes = {}): Promise<Answer> {
    return this.service.request('POST', `${PARENT}/schedules?scheduleId=${id}`, this.body(changes));
  }

  async patch(id: string, updateMask: string, body: unknown): Promise<Answer> {
    return this.service.request('PATCH', `${PARENT}/schedules/${id}?updateMask=${updateMask}`, body);
  }

  /** Calls a custom method, such as `pause`. */
  async call(id: string, method: string, body: unknown = {}, query = ''): Promise<Answer> {
    return this.service.request('POST', `${PARENT}/schedules/${id}:${method}${query}`, body);
  }

  async get(id: string): Promise<Schedule> {
    return parseSchedule((await this.service.request('GET', `${PARENT}/schedules/${id}`)).body);
  }

  async until(id: string, what: string, wanted: (schedule: Schedule) => boolean): Promise<Schedule> {
    return until(what, async () => {
      const schedule = await this.get(id);
      return wanted(schedule) && schedule;
    });
  }

  /** The executions of a schedule, oldest first. */
  async runs(id: string): Promise<Execution[]> {
    const filter = encodeURIComponent(`schedule_id="projects/local/locations/local/schedules/${id}"`);
    const { body } = await this.service.request('GET', `${PARENT}/executions?filter=${filter}`);
    return ((body['executions'] ?? []) as unknown[]).map(parseExecution).reverse();
  }

  /** A file of a schedule. */
  file(id: string, name: string): string {
    return path.join(this.service.folder, 'data', 'schedules', id, name);
  }
}
