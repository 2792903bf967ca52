import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { TrustedClock } from '../../../src/service/executions/trusted-clock';
import type { ExecutionRecord } from '../../../src/service/executions/record';
import { Retention } from '../../../src/service/executions/retention';
import type { CleanUp, ServiceInfo } from '../../../src/execution/machine';
import { processStartTime } from '../../../src/system/processes';
import { fakeKernel, PARENT, temporaryFolder, TestService } from './support';

async function infoOf(service: TestService): Promise<ServiceInfo> {
  return (await service.request('GET', PARENT)).body['metadata'] as ServiceInfo;
}

/** Polls until the condition holds; only the test's time limit ends it. */
async function eventually(wanted: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await wanted())) await delay(10);
}

async function names(service: TestService): Promise<string[]> {
  const { body } = await service.request('GET', `${PARENT}/executions`);
  const executions = (body['executions'] ?? []) as { name: string }[];
  return executions.map(({ name }) => path.posix.basename(name)).sort();
}

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

/** Changes a record like another host would: atomically. */
function change(service: TestService, id: string, fields: object, runStatus: object = {}): void {
  const file = service.file(id, 'execution.json');
  const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { runStatus?: object };
  const changed = { ...record, ...fields, runStatus: { ...record.runStatus, ...runStatus } };
  fs.writeFileSync(`${file}.aside`, JSON.stringify(changed));
  fs.renameSync(`${file}.aside`, file);
}

/** Total size of the files of an execution. */
function bytesOf(service: TestService, id: string): number {
  const files = fs.readdirSync(service.file(id, '.')).map((name) => service.file(id, name));
  return files.reduce((sum, file) => sum + fs.statSync(file).size, 0);
}

function configure(folder: string, config: object): void {
  fs.mkdirSync(path.join(folder, 'data'), { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(folder, 'data/config.json'), JSON.stringify(config));
}

// A test can replace systemd-inhibit.
describe('The machine, while an execution runs,', () => {
  let folder: string;
  const searched = process.env['PATH'] ?? '';
  /** Puts a program of this name first on the PATH of services that are started from now on. */
  function inhibitor(script: string): void {
    const bin = path.join(folder, 'bin');
    fs.mkdirSync(bin);
    fs.writeFileSync(path.join(bin, 'systemd-inhibit'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env['PATH'] = `${bin}:${searched}`;
  }
  /** Writes its process id, and then executes its command. */
  const working = () => {
    inhibitor(`echo $$ "$1" >> "${folder}/locks"; while [ "\${1#--}" != "$1" ]; do shift; done; exec "$@"`);
  };
  const locks = (): string[] => {
    const file = path.join(folder, 'locks');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const held = async (): Promise<boolean> => {
    const starts = await Promise.all(locks().map((line) => processStartTime(Number.parseInt(line))));
    return starts.some((start) => start !== undefined);
  };
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => {
    process.env['PATH'] = searched;
  });

  it('is kept awake with one lock, released after the last run or when the service is killed', async () => {
    working();
    const service = await TestService.start(folder, '--max-concurrent', '2');
    await service.create('one', 'wait');
    await service.create('two', 'wait');
    await Promise.all([service.running('one'), service.running('two')]);
    await eventually(held);
    service.go('one');
    await service.ended('one');
    assert.equal(await held(), true);
    service.go('two');
    await service.ended('two');
    await eventually(async () => !(await held()));
    assert.deepEqual(
      locks().map((line) => line.split(' ')[1]),
      ['--what=sleep:idle'],
    );
    await service.create('three', 'wait');
    await service.running('three');
    await eventually(held);
    await service.kill();
    await eventually(async () => !(await held()));
    const next = await TestService.start(folder);
    await eventually(held);
    next.go('three');
    await next.ended('three');
    await eventually(async () => !(await held()));
  });

  it('is not kept awake when the setting is off, from the next check of the settings', async () => {
    working();
    configure(folder, { keepAwake: false });
    const service = await TestService.start(folder);
    await service.create('one', 'wait');
    await service.running('one');
    assert.deepEqual(locks(), []);
    configure(folder, { keepAwake: true });
    await infoOf(service);
    await eventually(held);
    configure(folder, { keepAwake: false, spare: false });
    await infoOf(service);
    await eventually(async () => !(await held()));
    service.go('one');
    await service.ended('one');
  });

  it('may sleep when no wake lock is available: reported once, runs are not affected', async () => {
    inhibitor('echo "Failed to inhibit: no bus" >&2; exit 1');
    const service = await TestService.start(folder);
    for (const id of ['one', 'two']) {
      await service.create(id, 'wait');
      await service.running(id);
      await eventually(() => service.stderr.join('').includes('cannot keep the machine awake'));
      service.go(id);
      assert.equal((await service.ended(id)).state, 'SUCCEEDED');
    }
    const said = service.stderr.join('').match(/cannot keep the machine awake: .*/g);
    assert.deepEqual(said, ['cannot keep the machine awake: systemd-inhibit: Failed to inhibit: no bus']);
  });
});

describe('Executions that are too old or too many', () => {
  it('are deleted, except running, pinned and just finished ones; the deletion is reported, also after a restart', async () => {
    const folder = temporaryFolder();
    configure(folder, { retentionDays: 0, retentionBytes: 0 });
    const first = await TestService.start(folder, '--max-concurrent', '8');
    for (const id of ['old', 'pinned', 'large', 'recent', 'fresh']) {
      await first.create(id);
      await first.ended(id);
      // It is reported before it is written: the runner's own status is on disk already.
      await eventually(() => fs.readFileSync(first.file(id, 'execution.json'), 'utf8').includes('SUCCEEDED'));
    }
    await first.create('running', 'wait');
    await first.running('running');
    const pinned = await first.request('POST', `${PARENT}/executions/pinned:pin`);
    assert.equal((pinned.body['runStatus'] as { pinned?: boolean }).pinned, true);
    await first.kill();
    fs.writeFileSync(first.file('large', 'output.ipynb'), Buffer.alloc(3_000_000));
    fs.writeFileSync(first.file('fresh', 'output.ipynb'), Buffer.alloc(3_000_000));
    for (const id of ['old', 'pinned']) change(first, id, {}, { endTime: daysAgo(31) });
    change(first, 'running', { createTime: daysAgo(40) });
    change(first, 'large', {}, { endTime: daysAgo(3) });
    change(first, 'recent', {}, { endTime: daysAgo(2) });
    // Over the limit without `large`, which is deleted first because it ended first; then there is space.
    configure(folder, { retentionDays: 30, retentionBytes: 3_100_000 });
    const second = await TestService.start(folder, '--max-concurrent', '8');
    await eventually(async () => (await infoOf(second)).retention !== undefined);
    assert.deepEqual(await names(second), ['fresh', 'pinned', 'recent', 'running']);
    const { retention, diskBytes, executions } = await infoOf(second);
    assert.equal(retention?.count, 2);
    assert.ok(retention.bytes > 3_000_000);
    assert.ok(diskBytes !== undefined && diskBytes > 3_000_000 && diskBytes < 3_100_000, String(diskBytes));
    assert.equal(executions, 4);
    // Executions since the last sweep are counted, too.
    fs.writeFileSync(second.file('running', 'kernel.log'), Buffer.alloc(5_000_000));
    await eventually(async () => ((await infoOf(second)).diskBytes ?? 0) > 8_000_000);
    fs.truncateSync(second.file('running', 'kernel.log'));
    assert.deepEqual(fs.readdirSync(path.join(folder, 'data/executions')).sort(), await names(second));
    second.go('running');
    assert.equal((await second.ended('running')).state, 'SUCCEEDED');
    await second.kill();
    const third = await TestService.start(folder);
    assert.deepEqual((await infoOf(third)).retention, retention);
    assert.equal((await third.get('pinned')).runStatus?.pinned, true);
  });

  it('stay when the clock was set far ahead, until it has been stable for a day', async () => {
    const DAY = 86_400_000;
    const start = Date.parse('2026-01-31T00:00:00Z');
    const folder = temporaryFolder();
    const executions = new Map<string, { record: ExecutionRecord }>();
    const add = (id: string, ended: number, state = 'SUCCEEDED'): void => {
      const endTime = new Date(ended).toISOString();
      const record = { id, state, updateTime: endTime, runStatus: { endTime } };
      executions.set(id, { record: record as ExecutionRecord });
    };
    let clock = start;
    /** The remaining executions after a sweep by a service that has just started. */
    const sweep = async (days: number, bytes = 0): Promise<string[]> => {
      clock = start + days * DAY;
      const retention = new Retention({
        executions: [...executions.values()],
        remove: ({ record }) => Promise.resolve(executions.delete(record.id)),
        disk: { measure: () => Promise.resolve(300), of: () => Promise.resolve(100) },
        clock: new TrustedClock(
          path.join(folder, 'clock.json'),
          () => clock,
          () => undefined,
        ),
        limits: () => ({ retentionDays: 30, retentionBytes: bytes }),
        noticeFile: path.join(folder, 'retention.json'),
        log: () => undefined,
      });
      await retention.sweep();
      return [...executions.keys()].filter((id) => id !== 'runs');
    };
    add('runs', start - 60 * DAY, 'RUNNING');
    add('month', start - 31 * DAY);
    add('week', start - 7 * DAY);
    add('now', start);
    assert.deepEqual(await sweep(0), ['week', 'now']);
    assert.deepEqual(await sweep(1), ['week', 'now']);
    // A year ahead: nothing counts as old, and executions that just ended count as just ended.
    for (const days of [366, 366.5]) assert.deepEqual(await sweep(days), ['week', 'now']);
    assert.deepEqual(await sweep(366.6, 50), ['now']);
    // Corrected, the clock is trusted again; a year ahead again, it is not trusted because of its earlier value.
    add('week', start - 7 * DAY);
    assert.deepEqual(await sweep(2), ['now', 'week']);
    assert.deepEqual(await sweep(367.6), ['now', 'week']);
    assert.deepEqual(await sweep(368.5), ['now', 'week']);
    // A day later it is trusted: a year may really have passed.
    assert.deepEqual(await sweep(368.7), []);
    // If the service runs only once a month, it trusts the clock one start later.
    add('visit', start + 371 * DAY);
    assert.deepEqual(await sweep(400), ['visit']);
    assert.deepEqual(await sweep(431), ['visit']);
    assert.deepEqual(await sweep(462), []);
    assert.ok(executions.has('runs'));
  });

  it('are deleted even if the clock cannot be saved or one of them cannot be deleted', async () => {
    const folder = temporaryFolder();
    const endTime = daysAgo(60);
    const all = ['stuck', 'old'].map((id) => ({
      record: { id, state: 'SUCCEEDED', updateTime: endTime, runStatus: { endTime } } as ExecutionRecord,
    }));
    all.push({ record: { id: 'runs', state: 'RUNNING', updateTime: daysAgo(0) } as ExecutionRecord });
    const removed: string[] = [];
    const said: string[] = [];
    const log = (message: string): void => void said.push(message);
    const retention = new Retention({
      executions: all,
      remove: async ({ record }) => {
        await Promise.resolve();
        if (record.id === 'stuck') throw new Error('it is stuck');
        removed.push(record.id);
      },
      disk: { measure: () => Promise.resolve(300), of: () => Promise.resolve(100) },
      clock: new TrustedClock(path.join(folder, 'missing', 'clock.json'), () => Date.now(), log),
      limits: () => ({ retentionDays: 30, retentionBytes: 0 }),
      noticeFile: path.join(folder, 'retention.json'),
      log,
    });
    await retention.sweep();
    assert.deepEqual([removed, retention.notice?.count], [['old'], 1]);
    assert.match(said.join('\n'), /cannot write clock\.json: .*ENOENT/);
    assert.match(said.join('\n'), /stuck: cannot delete: Error: it is stuck/);
    await assert.rejects(retention.cleanUp(new Date().toISOString(), false), /it is stuck/);
    assert.deepEqual(removed, ['old', 'old']);
  });

  it('that are pinned or deleted while sizes are measured are left out', async () => {
    const folder = temporaryFolder();
    const endTime = daysAgo(60);
    const all = ['gone', 'old', 'pinned'].map((id) => ({
      record: { id, state: 'SUCCEEDED', updateTime: endTime, runStatus: { endTime } } as ExecutionRecord,
    }));
    const removed: string[] = [];
    const retention = new Retention({
      executions: all,
      remove: ({ record }) => Promise.resolve(removed.push(record.id)),
      disk: {
        measure: () => Promise.resolve(300),
        of: ({ record }) => {
          if (record.id === 'pinned') record.pinned = true;
          if (record.id === 'gone') record.deleteTime = endTime;
          return Promise.resolve(100);
        },
      },
      clock: { read: () => Promise.resolve(Date.now()) },
      limits: () => ({ retentionDays: 30, retentionBytes: 0 }),
      noticeFile: path.join(folder, 'retention.json'),
      log: () => undefined,
    });
    const swept = retention.sweep();
    while (retention.notice === undefined) await setImmediate();
    assert.deepEqual(
      JSON.parse(fs.readFileSync(path.join(folder, 'retention.json'), 'utf8')),
      retention.notice,
    );
    await swept;
    assert.deepEqual(removed, ['old']);
    assert.deepEqual([retention.notice.count, retention.notice.bytes], [1, 100]);
    for (const { record } of all) Object.assign(record, { pinned: undefined, deleteTime: undefined });
    removed.length = 0;
    const cleaned = await retention.cleanUp(new Date().toISOString(), false);
    assert.deepEqual(removed, ['old']);
    assert.deepEqual(cleaned, { count: 1, bytes: 100, oldest: endTime });
  });

  it('are cleaned up on request: sizes first, then those before a time, never a pinned one', async () => {
    const folder = temporaryFolder();
    const service = await TestService.start(folder, '--max-concurrent', '4');
    for (const id of ['one', 'two', 'kept']) {
      await service.create(id);
      await service.ended(id);
    }
    await service.create('running', 'wait');
    await service.running('running');
    await service.request('POST', `${PARENT}/executions/kept:pin`);
    const cleanUp = async (endedBefore: string, dryRun?: boolean): Promise<CleanUp> => {
      const { code, body } = await service.request('POST', `${PARENT}:cleanUp`, { endedBefore, dryRun });
      assert.equal(code, 200, JSON.stringify(body));
      return body as unknown as CleanUp;
    };
    const now = new Date().toISOString();
    const told = await cleanUp(now, true);
    assert.equal(told.count, 2);
    assert.ok(told.bytes > 0);
    assert.equal(told.oldest, (await service.get('one')).runStatus?.endTime);
    assert.deepEqual(await cleanUp(daysAgo(1), false), { count: 0, bytes: 0 });
    assert.deepEqual(await names(service), ['kept', 'one', 'running', 'two']);
    assert.deepEqual(await cleanUp(now), told);
    assert.deepEqual(await names(service), ['kept', 'running']);
    const left = bytesOf(service, 'kept') + bytesOf(service, 'running');
    assert.equal((await infoOf(service)).diskBytes, left);
    await service.request('POST', `${PARENT}/executions/kept:unpin`, {});
    assert.equal((await cleanUp(new Date().toISOString())).count, 1);
    for (const body of [{}, { endedBefore: 'yesterday' }, { endedBefore: now, more: 1 }])
      assert.equal((await service.request('POST', `${PARENT}:cleanUp`, body)).code, 400);
    service.go('running');
    await service.ended('running');
  });

  it('keep a pin that was set while they were running', async () => {
    const service = await TestService.start(temporaryFolder());
    await service.create('one', 'wait');
    await service.running('one');
    await service.request('POST', `${PARENT}/executions/one:pin`);
    service.go('one');
    assert.equal((await service.ended('one')).runStatus?.pinned, true);
    const record = (): string => fs.readFileSync(service.file('one', 'execution.json'), 'utf8');
    await eventually(() => record().includes('SUCCEEDED'));
    assert.equal((JSON.parse(record()) as { pinned?: boolean }).pinned, true);
  });
});

describe('Executions of another host', () => {
  it('are added, updated and removed in place while a service runs', async () => {
    const folder = temporaryFolder();
    // It checks every second, and keeps running while it is used.
    const service = await TestService.start(folder, '--idle-seconds', '2');
    await service.create('own');
    await service.ended('own');
    const theirs = path.dirname(service.file('theirs', 'execution.json'));
    const host = path.join(folder, 'data/hosts/other');
    fs.mkdirSync(host, { recursive: true });
    // Like another host creates it: atomically.
    fs.mkdirSync(`${theirs}.aside`);
    fs.copyFileSync(service.file('own', 'execution.json'), path.join(`${theirs}.aside`, 'execution.json'));
    const made = { id: 'theirs', host: 'other', boot: 'another', createTime: daysAgo(1), state: 'QUEUED' };
    change(service, 'theirs.aside', made);
    fs.renameSync(`${theirs}.aside`, theirs);
    await eventually(async () => (await names(service)).includes('theirs'));
    assert.equal((await service.get('theirs')).state, 'QUEUED');
    const { body } = await service.request('GET', `${PARENT}/executions?pageSize=1`);
    assert.match(JSON.stringify(body['executions']), /executions\/own/);
    change(service, 'theirs', { state: 'SUCCEEDED' });
    await service.until('theirs', ({ state }) => state === 'SUCCEEDED');
    fs.rmSync(theirs, { recursive: true });
    await eventually(async () => !(await names(service)).includes('theirs'));
    assert.deepEqual(await names(service), ['own']);
  });
});

describe('Parameters with secret names', () => {
  it('are passed to the runner with the patterns that identify them', async () => {
    const folder = temporaryFolder();
    configure(folder, { secretParameters: ['hidden*'] });
    const service = await TestService.start(folder, '--max-concurrent', '1');
    await service.create('first', 'wait');
    await service.running('first');
    await service.create('second', 'succeed', { options: { environment: fakeKernel(folder) } });
    const job = JSON.parse(fs.readFileSync(service.file('second', 'job.json'), 'utf8')) as object;
    assert.deepEqual(Reflect.get(job, 'secretParameters'), ['hidden*']);
    service.go('first');
    await service.ended('second');
  });
});
