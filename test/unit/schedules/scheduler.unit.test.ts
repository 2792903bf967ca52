import * as assert from 'node:assert/strict';
import { ServiceError } from '../../../src/execution/errors';
import type { MissedRuns, ScheduleOptions } from '../../../src/execution/schedule';
import { CronTimes } from '../../../src/service/schedules/cron-times';
import { executionIdOf, withSuffix } from '../../../src/service/schedules/scheduled-runs';
import { Machine } from './harness';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A machine that runs since 2026-01-01T00:00:30Z, with one schedule `s`. */
async function machine(cron: string, options: ScheduleOptions = {}, duration = SECOND): Promise<Machine> {
  const made = new Machine();
  made.duration = duration;
  made.add('s', cron, options);
  await made.start();
  return made;
}

/** Rows of missed runs, oldest first: cause, first and last due time, number. */
function missed({ manager }: Machine): string[] {
  const rows = [...(manager.get('s').scheduleStatus?.recentMissedRuns ?? [])].reverse();
  const short = (time: string): string => time.slice(8, 16);
  return rows.map(({ cause, dueTime, lastDueTime, count }: MissedRuns) =>
    lastDueTime === undefined
      ? `${cause} ${short(dueTime)}`
      : `${cause} ${short(dueTime)}–${short(lastDueTime)} (${count})`,
  );
}

describe('The scheduler', () => {
  it('starts each run when it is due, with one timer', async () => {
    const one = await machine('*/20 * * * *');
    await one.clock.pass(HOUR);
    assert.deepEqual(one.runs('s'), ['01T00:20', '01T00:40', '01T01:00']);
    assert.equal(one.clock.timers, 1);
    for (const { name, createTime } of one.executions.values())
      assert.match(createTime ?? '', /:\d0:00\.000Z$/, name);
  });

  it('starts runs of 500 schedules with one timer', async function () {
    this.timeout(120_000);
    const many = new Machine();
    for (let index = 0; index < 500; index++) many.add(`s${index}`, `${index % 60} * * * *`);
    await many.start();
    await many.clock.pass(HOUR);
    assert.equal(many.clock.timers, 1);
    assert.equal(many.created.length, 500);
    assert.equal(new Set(many.created).size, 500);
  });

  const policies: [missed: ScheduleOptions['missed'], runs: string[], rows: string[]][] = [
    ['skip', ['01T10:00'], ['machineAsleep 01T01:00–01T09:00 (9)']],
    [undefined, ['01T09:00', '01T10:00'], ['machineAsleep 01T01:00–01T08:00 (8)']],
    ['runAll', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((hour) => `01T${String(hour).padStart(2, '0')}:00`), []],
  ];
  for (const [policy, runs, rows] of policies) {
    it(`after a sleep of nine hours, with missed: ${policy ?? 'runOnce'}`, async () => {
      const one = await machine('0 * * * *', policy === undefined ? {} : { missed: policy });
      one.clock.time += 9 * HOUR;
      await one.clock.pass(HOUR);
      assert.deepEqual(one.runs('s'), runs);
      assert.deepEqual(missed(one), rows);
    });
  }

  it('runs all missed runs one after the other', async () => {
    const one = await machine('0 * * * *', { missed: 'runAll', overlap: 'allow' }, 10 * MINUTE);
    one.clock.time += 3 * HOUR;
    await one.clock.pass(5 * MINUTE);
    assert.deepEqual(one.runs('s'), ['01T01:00']);
    await one.clock.pass(25 * MINUTE);
    assert.deepEqual(one.runs('s'), ['01T01:00', '01T02:00', '01T03:00']);
  });

  it('treats a run as late, not missed, if the service starts within a minute', async () => {
    const one = await machine('0 * * * *', { missed: 'skip' });
    one.kill();
    one.clock.time = Date.parse('2026-01-01T01:00:59Z');
    await one.start();
    assert.deepEqual(one.runs('s'), ['01T01:00']);
    one.kill();
    one.clock.time = Date.parse('2026-01-01T02:01:00Z');
    await one.start();
    assert.deepEqual(missed(one), ['serviceNotRunning 01T02:00']);
  });

  it('counts at most a hundred missed runs, and reports that there are more', async () => {
    const one = await machine('* * * * *');
    one.kill();
    one.clock.time += 30 * DAY;
    await one.start();
    const { missedRuns, recentMissedRuns = [] } = one.manager.get('s').scheduleStatus ?? {};
    assert.equal(recentMissedRuns[0]?.andMore, true);
    assert.equal(missedRuns, recentMissedRuns[0].count);
    assert.equal(one.created.length, 1);
  });

  it('repeats no run when the clock is set back or forward', async () => {
    const one = await machine('*/30 * * * *');
    await one.clock.pass(3 * HOUR);
    one.clock.time -= 2 * HOUR;
    await one.clock.pass(2 * HOUR);
    one.clock.time += 2 * HOUR;
    await one.clock.pass(HOUR);
    assert.equal(new Set(one.created).size, one.created.length);
    assert.deepEqual(one.runs('s').slice(0, 7), [
      ...['00:30', '01:00', '01:30', '02:00', '02:30', '03:00'].map((time) => `01T${time}`),
      '01T05:00',
    ]);
    assert.deepEqual(missed(one), ['machineAsleep 01T03:30–01T04:30 (3)']);
  });

  it('delays nothing when the clock was years wrong, and does not count those years as missed', async () => {
    const one = await machine('0 * * * *', { missed: 'skip' });
    await one.clock.pass(HOUR);
    // An empty battery: the clock restarts, and is corrected after two hours.
    const before = one.clock.time;
    one.clock.time = Date.parse('2020-05-05T00:00:30Z');
    await one.clock.pass(2 * HOUR);
    one.clock.time = before + 2 * HOUR;
    await one.clock.pass(HOUR);
    assert.deepEqual(one.runs('s'), ['01T01:00', '05T01:00', '05T02:00', '01T04:00']);
    assert.deepEqual(missed(one), ['machineAsleep 01T02:00–01T03:00 (2)']);
  });

  it('overlap: skip reports the runs that were due meanwhile', async () => {
    const one = await machine('*/10 * * * *', {}, 25 * MINUTE);
    await one.clock.pass(40 * MINUTE);
    assert.deepEqual(one.runs('s'), ['01T00:10', '01T00:40']);
    assert.deepEqual(missed(one), ['overlap 01T00:20–01T00:30 (2)']);
  });

  it('overlap: queue starts them one after the other, also after a restart', async () => {
    const one = await machine('*/10 * * * *', { overlap: 'queue', maxRuns: 3 }, 25 * MINUTE);
    await one.clock.pass(32 * MINUTE);
    assert.deepEqual(one.runs('s'), ['01T00:10']);
    assert.equal(one.manager.get('s').scheduleStatus?.waitingRuns, 2);
    await one.start();
    await one.clock.pass(HOUR);
    assert.deepEqual(one.runs('s'), ['01T00:10', '01T00:20', '01T00:30']);
    assert.deepEqual(missed(one), []);
  });

  it('overlap: allow starts them at the same time', async () => {
    const one = await machine('*/10 * * * *', { overlap: 'allow' }, 25 * MINUTE);
    await one.clock.pass(30 * MINUTE);
    assert.deepEqual(one.runs('s'), ['01T00:10', '01T00:20', '01T00:30']);
  });

  it('pauses after consecutive failures, and restarts counting when it is resumed', async () => {
    const one = await machine('*/10 * * * *', { pauseAfterFailures: 2 }, DAY);
    const endAs = async (state: string): Promise<void> => {
      await one.clock.pass(10 * MINUTE);
      one.end(one.created.at(-1) ?? '', state);
    };
    for (const state of ['FAILED', 'SUCCEEDED', 'EXPIRED', 'CANCELLED']) await endAs(state);
    assert.equal(one.manager.get('s').state, 'ENABLED');
    await endAs('FAILED');
    await one.clock.pass(MINUTE);
    const { state, scheduleStatus } = one.manager.get('s');
    assert.deepEqual([state, scheduleStatus?.reason], ['PAUSED', 'pausedAfterFailures']);
    await one.clock.pass(HOUR);
    assert.equal(one.created.length, 5);
    await one.manager.resume('s');
    await endAs('FAILED');
    assert.equal(one.manager.get('s').state, 'ENABLED');
    assert.deepEqual(missed(one), []);
  });

  it('reports a run that cannot be created as missed, with the error', async () => {
    const one = await machine('0 * * * *', { pauseAfterFailures: 1 });
    one.refusal = new ServiceError('INVALID_ARGUMENT', 'fileNotReadable', 'gone', { path: '/n.ipynb' });
    await one.clock.pass(HOUR);
    const { state, scheduleStatus } = one.manager.get('s');
    assert.equal(state, 'PAUSED');
    const [row] = scheduleStatus?.recentMissedRuns ?? [];
    assert.deepEqual(row, {
      dueTime: '2026-01-01T01:00:00Z',
      count: 1,
      cause: 'notCreated',
      reason: 'fileNotReadable',
      args: { path: '/n.ipynb' },
      message: 'gone',
    });
  });

  it('delays a run for a minute when the disk is full, and then reports it', async () => {
    const one = await machine('0 * * * *', { missed: 'skip' });
    one.isFull = true;
    await one.clock.pass(HOUR);
    one.isFull = false;
    await one.clock.pass(MINUTE);
    assert.deepEqual(one.runs('s'), ['01T01:00']);
    one.isFull = true;
    await one.clock.pass(HOUR + 10 * MINUTE);
    one.isFull = false;
    await one.clock.pass(MINUTE);
    assert.deepEqual(missed(one), ['storageNotWritable 01T02:00']);
  });

  it('finishes a schedule after maxRuns, or at its end, and reports which', async () => {
    const one = await machine('0 * * * *', { maxRuns: 2 });
    await one.clock.pass(5 * HOUR);
    assert.deepEqual(one.runs('s'), ['01T01:00', '01T02:00']);
    const { state, scheduleStatus } = one.manager.get('s');
    assert.deepEqual([state, scheduleStatus?.reason], ['DISABLED', 'maxRunsReached']);
    const other = await machine('0 * * * *', {
      startTime: '2026-01-01T02:00:00Z',
      endTime: '2026-01-01T03:00:00Z',
    });
    await other.clock.pass(5 * HOUR);
    assert.deepEqual(other.runs('s'), ['01T02:00', '01T03:00']);
    const ended = other.manager.get('s');
    assert.deepEqual([ended.state, ended.scheduleStatus?.reason], ['DISABLED', 'endTimeReached']);
  });

  it('ignores due times while paused, and reports waiting runs as missed', async () => {
    const one = await machine('*/10 * * * *', { overlap: 'queue' }, 25 * MINUTE);
    await one.clock.pass(20 * MINUTE);
    await one.manager.pause('s');
    await one.clock.pass(HOUR);
    await one.manager.resume('s');
    await one.clock.pass(10 * MINUTE);
    assert.deepEqual(one.runs('s'), ['01T00:10', '01T01:30']);
    assert.deepEqual(missed(one), ['paused 01T00:20']);
  });

  it('loses and repeats no run when it is killed before or after any change of the disk', async () => {
    for (const killAfter of [false, true]) {
      for (let killAt = 1; killAt <= 12; killAt++) {
        const one = await machine('* * * * *', { missed: 'skip' });
        Object.assign(one, { killAt, killAfter });
        for (let second = 0; second < 4 * 60; second += 5) {
          await one.clock.pass(5 * SECOND);
          if (!one.isRunning) await one.start();
        }
        const where = `${killAfter ? 'after' : 'before'} change ${killAt}`;
        assert.deepEqual(one.runs('s'), ['01T00:01', '01T00:02', '01T00:03', '01T00:04'], where);
        assert.equal(one.manager.get('s').scheduleStatus?.startedRuns, 4, where);
        assert.deepEqual(missed(one), [], where);
      }
    }
  });

  it('accounts for each due time with a run or a report that it was missed, whatever happens', async function () {
    this.timeout(120_000);
    for (let seed = 1; seed <= 10; seed++) await random(seed);
  });

  it('builds valid ids of executions from schedule and due time', () => {
    const due = Date.parse('2026-11-28T05:00:00Z');
    assert.equal(executionIdOf('nightly', due), 'nightly-20261128t0500z');
    const [long, other] = [
      executionIdOf(`a${'b'.repeat(62)}`, due),
      executionIdOf(`a${'b'.repeat(61)}c`, due),
    ];
    assert.equal(long.length, 63);
    assert.match(long, /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
    assert.notEqual(long, other);
    assert.equal(withSuffix('a', 'now'), 'a-now');
  });
});

/** Sleeps, kills, full disks and changes of the clock in a random order, and afterwards every due time is accounted for. */
async function random(seed: number): Promise<void> {
  let state = seed;
  const pick = (most: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
  const choose = <T>(...values: T[]): T | undefined => values[pick(values.length)];
  const cron = '*/7 * * * *';
  const one = await machine(cron, {
    missed: choose('skip', 'runOnce', 'runAll', undefined),
    overlap: choose('skip', 'queue', 'allow', undefined),
  });
  const start = one.clock.time;
  let latest = start;
  for (let step = 0; step < 40; step++) {
    one.duration = pick(20) * MINUTE;
    one.isFull = pick(8) === 0;
    const event = pick(6);
    if (event === 0) one.kill();
    else if (event === 1) Object.assign(one, { killAt: 1 + pick(6), killAfter: pick(2) === 0 });
    else if (event === 2) one.clock.time += pick(60) * MINUTE;
    else if (event === 3) one.clock.time -= pick(60) * MINUTE;
    await one.clock.pass(pick(15 * 60) * SECOND);
    latest = Math.max(latest, one.clock.time);
    if (!one.isRunning) await one.start();
  }
  // Late runs are done now, and each queue is empty.
  Object.assign(one, { isFull: false, killAt: Number.POSITIVE_INFINITY, duration: 0 });
  one.clock.time = Math.max(latest, one.clock.time);
  await one.start();
  await one.clock.pass(2 * HOUR);
  const due = new CronTimes({ cronSchedule: cron, timeZone: 'UTC' }).between(start, one.clock.time, 10_000);
  const { missedRuns = 0, startedRuns, waitingRuns } = one.manager.get('s').scheduleStatus ?? {};
  const where = `seed ${seed}`;
  assert.equal(new Set(one.created).size, one.created.length, where);
  assert.equal(startedRuns, one.created.length, where);
  assert.equal(waitingRuns, 0, where);
  assert.equal(one.created.length + missedRuns, due.length, where);
}
