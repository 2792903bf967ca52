import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { CronTimes } from '../../../src/service/schedules/cron-times';
import { ROOT } from '../../support/paths';
import { VENV_PYTHON } from '../../support/python';

const MINUTE = 60_000;
const START = Date.parse('2027-07-01T00:00:00Z');
const END = Date.parse('2028-07-01T00:00:00Z');

/** Zones with daylight saving time of an hour, of half an hour, at midnight, in both hemispheres, and without it. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Cairo',
  'America/Santiago',
];
const PATTERNS = [
  '30 2 * * *',
  '0 0 * * *',
  '15 1,2 * * SUN',
  '0 */12 * * SUN',
  '20 9-17/4 * * MON-FRI',
  '0 0 L * *',
  '0 12 * * 5#2',
  '45 23 1,15 JAN-JUN *',
  '0 6 29 2 *',
  '0 0 13 * 5',
];

function times(cronSchedule: string, timeZone?: string): CronTimes {
  return new CronTimes({ cronSchedule, timeZone });
}

/** Due times after `from`, as text in UTC. */
function next(cronSchedule: string, timeZone: string, from: string, count: number): string[] {
  const cron = times(cronSchedule, timeZone);
  const found: string[] = [];
  let time = Date.parse(from);
  while (found.length < count) {
    time = cron.after(time) ?? Number.NaN;
    found.push(new Date(time).toISOString().slice(0, 16) + (cron.isMoved(time) ? ' moved' : ''));
  }
  return found;
}

describe('Due times', () => {
  it('match an independent implementation, for a year in eight time zones', function () {
    this.timeout(120_000);
    const cases = ZONES.flatMap((zone) =>
      PATTERNS.map((pattern) => [pattern, zone, START / 1000, END / 1000]),
    );
    // The times around each change of daylight saving time, for a pattern with frequent due times.
    for (const [zone, start] of [
      ['Europe/Berlin', '2027-10-30T20:00:00Z'],
      ['Europe/Berlin', '2028-03-25T20:00:00Z'],
      ['Australia/Lord_Howe', '2027-10-02T10:00:00Z'],
      ['Australia/Lord_Howe', '2028-04-01T10:00:00Z'],
    ] as const) {
      const from = Date.parse(start) / 1000;
      cases.push(['*/10 * * * *', zone, from, from + 12 * 3600]);
    }
    const script = path.join(ROOT, 'test/unit/schedules/croniter-runs.py');
    const answer = execFileSync(VENV_PYTHON, [script], { input: JSON.stringify(cases), maxBuffer: 1 << 26 });
    const expected = JSON.parse(answer.toString()) as number[][];
    let runs = 0;
    for (const [index, [pattern = '', zone = '', start = 0, end = 0]] of cases.entries()) {
      const cron = times(String(pattern), String(zone));
      const found: number[] = [];
      let time: number | undefined = Number(start) * 1000;
      for (;;) {
        time = cron.after(time);
        if (time === undefined || time > Number(end) * 1000) break;
        found.push(time / 1000);
      }
      assert.deepEqual(found, expected[index], `${pattern} in ${zone}`);
      runs += found.length;
    }
    assert.ok(runs > 10_000, String(runs));
  });

  it('a skipped local time is due after the gap, and reported; a repeated one is due once', () => {
    assert.deepEqual(next('30 2 * * *', 'Europe/Berlin', '2027-03-27T12:00:00Z', 2), [
      '2027-03-28T01:00 moved',
      '2027-03-29T00:30',
    ]);
    assert.deepEqual(next('30 2 * * *', 'Europe/Berlin', '2027-10-30T12:00:00Z', 2), [
      '2027-10-31T00:30',
      '2027-11-01T01:30',
    ]);
    assert.deepEqual(next('0 0 * * *', 'Africa/Cairo', '2027-04-29T12:00:00Z', 2), [
      '2027-04-29T22:00 moved',
      '2027-04-30T21:00',
    ]);
  });

  it('a run every quarter of an hour follows real time through both changes', () => {
    for (const start of ['2027-03-28T00:00:00Z', '2027-10-31T00:00:00Z']) {
      const cron = times('*/15 * * * *', 'Europe/Berlin');
      for (let time = Date.parse(start), count = 0; count < 16; count++) {
        const following: number = cron.after(time) ?? 0;
        assert.equal(following - time, 15 * MINUTE);
        time = following;
      }
    }
  });

  it('29 February is due every leap year', () => {
    assert.deepEqual(next('0 6 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 3), [
      '2028-02-29T06:00',
      '2032-02-29T06:00',
      '2036-02-29T06:00',
    ]);
  });

  it('respect a start and an end, both inclusive', () => {
    const [first, last] = [START + 2 * MINUTE, START + 4 * MINUTE];
    const cron = new CronTimes({
      cronSchedule: '* * * * *',
      timeZone: 'UTC',
      startTime: first,
      endTime: last,
    });
    assert.deepEqual(cron.between(START - 1, END, 10), [first, START + 3 * MINUTE, last]);
    assert.equal(cron.after(last), undefined);
    // Only the last ones, and one more to show that there were others.
    assert.deepEqual(cron.between(START - 1, END, 1), [START + 3 * MINUTE, last]);
    assert.deepEqual(times('* * * * *').between(START, START + 60 * MINUTE, 2), [
      START + 58 * MINUTE,
      START + 59 * MINUTE,
      START + 60 * MINUTE,
    ]);
  });
});
