import * as assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Execution } from '../../../src/execution/execution';
import { temporaryFolder, TestService, Unruly } from '../service/support';
import type { Orders } from '../service/unruly-disk';
import { until } from '../../support/until';
import { ScheduleClient, type Changes } from './support';

const MINUTE = 60_000;

/** A service whose clock the test sets, with a schedule that is due each minute. */
class Fixture {
  private readonly folder = temporaryFolder();
  private readonly unruly = new Unruly(this.folder);
  private clock = 0;
  /** Due time of the first run, milliseconds since the epoch. */
  readonly due = Math.ceil(Date.now() / MINUTE + 1) * MINUTE;
  client!: ScheduleClient;

  /** @param before milliseconds between the start of the service and the first run. */
  static async start(changes: Changes = {}, before = 4000, ...more: string[]): Promise<Fixture> {
    const fixture = new Fixture();
    fixture.setClock(fixture.due - before);
    await fixture.restart(...more);
    await fixture.client.create('each', { cronSchedule: '* * * * *', ...changes });
    return fixture;
  }

  /** Starts the service after it was killed. */
  async restart(...more: string[]): Promise<void> {
    this.client = new ScheduleClient(
      await TestService.startBy(this.folder, { env: this.unruly.env }, ...more),
    );
  }

  setClock(time: number): void {
    this.clock = time - Date.now();
    this.order({});
  }

  /** Keeps the clock as it is. */
  order(orders: Orders): void {
    this.unruly.order({ clock: this.clock, ...orders });
  }

  /** The runs, once there are this many. */
  async runs(count: number): Promise<Execution[]> {
    return until(`there are ${count} runs`, async () => {
      const runs = await this.client.runs('each');
      return runs.length >= count && runs;
    });
  }
}

function timeText(time: number): string {
  return new Date(time).toISOString().replace('.000', '');
}

function dueTimes(executions: readonly Execution[]): (string | undefined)[] {
  return executions.map(({ runStatus }) => runStatus?.schedule?.dueTime);
}

describe('A service with a schedule', function () {
  this.timeout(240_000);

  it('starts the run when it is due, and logs it', async () => {
    const fixture = await Fixture.start();
    const { client, due } = fixture;
    const [run, ...more] = await fixture.runs(1);
    assert.ok(run !== undefined);
    assert.deepEqual(dueTimes([run, ...more]), [timeText(due)]);
    const id = run.name.slice(run.name.lastIndexOf('/') + 1);
    assert.equal(
      id,
      `each-${timeText(due)
        .replaceAll(/[-:]|00Z/g, '')
        .toLowerCase()}z`,
    );
    await client.service.ended(id);
    const { scheduleStatus, recentExecutions } = await client.until(
      'each',
      'the run is told',
      ({ scheduleStatus: status }) => status?.startedRuns === 1,
    );
    assert.equal(scheduleStatus?.missedRuns, 0);
    assert.equal(scheduleStatus.lastRunTime, run.createTime);
    assert.deepEqual(
      recentExecutions?.map(({ name, state }) => [name, state]),
      [[run.name, 'SUCCEEDED']],
    );
  });

  it('does not exit while a run is planned, and exits when none is', async () => {
    // The run is due much later than a service without schedules would exit.
    const fixture = await Fixture.start({}, 5000, '--idle-seconds', '1.5');
    const [run] = await fixture.runs(1);
    assert.ok(run !== undefined);
    const { service } = fixture.client;
    const left = once(service.process, 'exit');
    await fixture.client.call('each', 'pause');
    await left;
    assert.match(service.stderr.join(''), /stopping: idle/);
  });

  it('catches up with the last run that was due while it was not running, and reports the others', async () => {
    const fixture = await Fixture.start();
    await fixture.client.service.kill();
    fixture.setClock(fixture.due + 4 * MINUTE - 20_000);
    await fixture.restart();
    const [run] = await fixture.runs(1);
    assert.equal(run?.runStatus?.schedule?.dueTime, timeText(fixture.due + 3 * MINUTE));
    const { scheduleStatus } = await fixture.client.until(
      'each',
      'it is told',
      ({ scheduleStatus: status }) => status?.startedRuns === 1,
    );
    const [missed] = scheduleStatus?.recentMissedRuns ?? [];
    assert.equal(missed?.cause, 'serviceNotRunning');
    assert.equal(missed.dueTime, timeText(fixture.due));
    assert.equal(missed.lastDueTime, timeText(fixture.due + 2 * MINUTE));
    assert.equal(missed.count, 3);
  });

  it('when it is killed at any step of a run, starts the run once', async () => {
    // Each step costs two starts of the service. `npm run soak` tests many more.
    const steps = [1, 3, 5, 7, 12, 20, 26];
    const player = async (): Promise<void> => {
      for (let step = steps.shift(); step !== undefined; step = steps.shift()) await diesAndComesBack(step);
    };
    await Promise.all([player(), player()]);
  });
});

/** Kills the service at its n-th change of a file of a run that is due, and starts it again. */
async function diesAndComesBack(dieAt: number): Promise<void> {
  const fixture = await Fixture.start();
  fixture.order({ dieAt, dieIn: '/(?:schedules|executions)/' });
  const { service } = fixture.client;
  await until('it dies or the run has ended', async () => {
    if (service.process.exitCode !== null || service.process.signalCode !== null) return true;
    const { recentExecutions } = await fixture.client.get('each').catch(() => ({ recentExecutions: [] }));
    return recentExecutions?.[0]?.state === 'SUCCEEDED';
  });
  fixture.order({});
  const died = service.process.signalCode !== null;
  if (died) await fixture.restart();
  const status = await fixture.client.until(
    'each',
    `the run is told after step ${dieAt}`,
    ({ scheduleStatus }) => {
      return (scheduleStatus?.startedRuns ?? 0) > 0;
    },
  );
  const where = `at step ${dieAt}: ${service.stderr.filter((line) => line.includes('dies at')).join('')}`;
  const runs = await fixture.client.runs('each');
  // The next minute may have started.
  assert.deepEqual(dueTimes(runs).slice(0, 1), [timeText(fixture.due)], where);
  assert.equal(new Set(dueTimes(runs)).size, runs.length, where);
  assert.equal(status.scheduleStatus?.missedRuns, 0, where);
  const started = fixture.client.service.runs().map((line) => line.split(' ')[0]);
  assert.equal(new Set(started).size, started.length, where);
  await fixture.client.service.kill();
}
