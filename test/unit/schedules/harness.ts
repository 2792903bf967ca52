import { setImmediate } from 'node:timers/promises';
import { ServiceError } from '../../../src/execution/errors';
import type { Execution } from '../../../src/execution/execution';
import type { ScheduleOptions } from '../../../src/execution/schedule';
import type { CreateRequest } from '../../../src/service/create/request';
import { ScheduleEntries } from '../../../src/service/schedules/schedule-entries';
import { ScheduleManager } from '../../../src/service/schedules/schedule-manager';
import type { ScheduleRecord } from '../../../src/service/schedules/schedule-record';
import { ScheduledRuns, type Executions } from '../../../src/service/schedules/scheduled-runs';
import { Scheduler, type SchedulerClock } from '../../../src/service/schedules/scheduler';

const PLACE = { host: 'here', boot: 'boot' };

/** A clock that the test advances. */
class TestClock implements SchedulerClock {
  private waiting: { due: number; wake: () => void }[] = [];
  /** Milliseconds that timers have counted; sleep and changes of the clock are not included. */
  private awake = 0;
  /** Time of the machine's clock. */
  time = Date.parse('2026-01-01T00:00:30Z');

  now(): number {
    return this.time;
  }

  wait(milliseconds: number, wake: () => void): { cancel(): void } {
    const timer = { due: this.awake + milliseconds, wake };
    this.waiting.push(timer);
    return {
      cancel: () => {
        this.waiting = this.waiting.filter((other) => other !== timer);
      },
    };
  }

  /** Number of pending timers. */
  get timers(): number {
    return this.waiting.length;
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.awake + milliseconds;
    await settle();
    for (;;) {
      const [next] = this.waiting.filter(({ due }) => due <= end).sort((one, other) => one.due - other.due);
      const step = (next?.due ?? end) - this.awake;
      this.awake += step;
      this.time += step;
      if (next === undefined) return;
      this.waiting = this.waiting.filter((other) => other !== next);
      next.wake();
      await settle();
    }
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await setImmediate();
}

/** A killed service does nothing more. */
const never = (): Promise<never> => new Promise<never>(() => undefined);

/** The disk of a machine: it survives the service. */
export class Machine {
  readonly clock = new TestClock();
  readonly schedules = new Map<string, string>();
  readonly executions = new Map<string, Execution>();
  /** Ids of all executions ever created, in order. */
  readonly created: string[] = [];
  /** Duration of each run, milliseconds. */
  duration = 1000;
  /** Error with which creating an execution is refused. */
  refusal: ServiceError | undefined;
  /** The service is killed at its n-th change of the disk: before it, or after it if `killAfter`. */
  killAt = Number.POSITIVE_INFINITY;
  killAfter = false;
  /** Writing fails. */
  isFull = false;
  private running: { scheduler: Scheduler; manager: ScheduleManager } | undefined;

  /** Starts the service after the previous one was killed. */
  async start(): Promise<void> {
    this.kill();
    const alive = { value: true };
    const change = async (apply: () => void): Promise<void> => {
      if (!alive.value) return never();
      if (this.isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      const dies = --this.killAt === 0;
      if (!dies || this.killAfter) apply();
      await Promise.resolve();
      if (!dies) return;
      alive.value = false;
      this.kill();
      return never();
    };
    const save = (record: ScheduleRecord): Promise<void> => {
      const text = JSON.stringify(record);
      return change(() => this.schedules.set(record.id, text));
    };
    const read = (id: string): ScheduleRecord | undefined => {
      const text = this.schedules.get(id);
      return text === undefined ? undefined : (JSON.parse(text) as ScheduleRecord);
    };
    const store = {
      setAside: [],
      modified: () => 0,
      removeUnfinished: () => Promise.resolve(),
      notebook: () => '/none',
      environment: () => Promise.resolve({}),
      load: () => Promise.resolve([...this.schedules.keys()].flatMap((id) => read(id) ?? [])),
      read,
      create: save,
      save,
      remove: (id: string) => change(() => this.schedules.delete(id)),
    };
    const executions: Executions & { check(): Promise<void> } = {
      find: (id) => this.present(id),
      check: () => Promise.resolve(),
      create: async (id: string, request: CreateRequest) => {
        if (this.refusal !== undefined) throw this.refusal;
        if (this.executions.has(id)) throw new ServiceError('ALREADY_EXISTS', 'alreadyExists', id);
        const createTime = new Date(this.clock.time).toISOString();
        const execution: Execution = {
          name: `projects/local/locations/local/executions/${id}`,
          state: 'RUNNING',
          createTime,
          runStatus: { schedule: request.schedule },
        };
        await change(() => {
          this.executions.set(id, execution);
          this.created.push(id);
        });
        return execution;
      },
    };
    const hosts = { isTheirs: () => false, isGone: () => Promise.resolve(false) };
    const entries = new ScheduleEntries({ store, hosts, hostIdentity: PLACE, log: () => undefined });
    await entries.load();
    const { clock } = this;
    const runs = new ScheduledRuns(store, executions);
    const scheduler = new Scheduler({ entries, runs, executions, clock, log: () => undefined });
    const manager = new ScheduleManager({
      entries,
      store,
      scheduler,
      runs,
      executions,
      hostIdentity: PLACE,
      clock,
    });
    this.running = { scheduler, manager };
    scheduler.start();
    await settle();
  }

  kill(): void {
    this.running?.scheduler.stop();
    this.running = undefined;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  get manager(): ScheduleManager {
    if (this.running === undefined) throw new Error('not running');
    return this.running.manager;
  }

  /** Adds a schedule as if it was created now; no file is read. */
  add(id: string, cronSchedule: string, scheduleOptions: ScheduleOptions = {}, timeZone = 'UTC'): void {
    const time = new Date(this.clock.time).toISOString();
    const record: ScheduleRecord = {
      version: 1,
      id,
      content: '',
      createTime: time,
      updateTime: time,
      displayName: id,
      cronSchedule,
      timeZone,
      executionTemplate: { inputNotebookFile: 'file:///n.ipynb' },
      runOptions: {},
      scheduleOptions,
      ...PLACE,
      decidedUntil: this.clock.time,
      waiting: [],
      startedRuns: 0,
      missedRuns: 0,
      recentMissedRuns: [],
      recentRuns: [],
      failures: 0,
    };
    this.schedules.set(id, JSON.stringify(record));
  }

  /** Due times of the runs of a schedule, in the order in which they were started: `01T06:00`. */
  runs(id: string): string[] {
    return this.created
      .filter((each) => each.startsWith(`${id}-`))
      .map((each) => each.slice(id.length + 1).replace(/^(\d{6})(\d\d)t(\d\d)(\d\d)z$/, '$2T$3:$4'));
  }

  end(id: string, state: string): void {
    const execution = this.executions.get(id);
    if (execution !== undefined) this.executions.set(id, { ...execution, state });
  }

  /** A run ends by itself after its duration. */
  private present(id: string): Execution | undefined {
    const execution = this.executions.get(id);
    if (execution?.state !== 'RUNNING') return execution;
    const since = this.clock.time - Date.parse(execution.createTime ?? '');
    if (since >= this.duration || since < 0) this.end(id, 'SUCCEEDED');
    return this.executions.get(id);
  }
}
