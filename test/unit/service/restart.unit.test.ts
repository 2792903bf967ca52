import * as assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until';
import { FAKE_RUNNER, PARENT, ROOT, states, temporaryFolder, TestService } from './support';

function pidOf(service: TestService, id: string): number {
  return Number(fs.readFileSync(service.file(id, 'pid'), 'utf8'));
}

describe('A service that was killed', () => {
  it('finds its running, waiting and finished executions, and runs none twice', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder, '--max-concurrent', '2');
    await first.create('ended');
    await first.ended('ended');
    for (const id of ['lives', 'ends', 'waits']) await first.create(id, 'wait');
    await first.running('lives');
    await first.running('ends');
    await first.kill();
    first.go('ends');
    const second = await TestService.start(folder, '--max-concurrent', '2');
    assert.equal((await second.ended('ends')).state, 'SUCCEEDED');
    assert.equal((await second.get('ended')).state, 'SUCCEEDED');
    assert.equal((await second.get('lives')).state, 'RUNNING');
    await second.running('waits');
    second.go('lives');
    second.go('waits');
    const lives = await second.ended('lives');
    assert.deepEqual(states(lives), ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED']);
    await second.ended('waits');
    assert.equal(second.runs().length, 4);
  });

  it('continues a cancellation after the restart', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    await first.create('late', 'wait');
    await first.running('late');
    process.kill(pidOf(first, 'late'), 'SIGSTOP');
    await first.request('POST', `${PARENT}/executions/late:cancel`);
    await first.kill();
    process.kill(pidOf(first, 'late'), 'SIGCONT');
    const second = await TestService.start(folder);
    assert.equal((await second.ended('late')).state, 'CANCELLED');
  });

  it('cancels after the restart when the runner had not received the request yet', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    await first.create('late', 'wait');
    await first.running('late');
    await first.kill();
    const file = first.file('late', 'execution.json');
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(file, JSON.stringify({ ...record, cancelTime: new Date().toISOString() }));
    const second = await TestService.start(folder);
    assert.equal((await second.ended('late')).state, 'CANCELLED');
  });

  it('reports correct states after everything was killed: lost runs failed, waiting ones run, deleted ones are gone', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    await first.create('going');
    await first.ended('going');
    await first.create('lost', 'wait');
    await first.running('lost');
    await first.create('waiting');
    process.kill(pidOf(first, 'lost'), 'SIGSTOP');
    await first.create('gone', 'wait');
    await first.request('DELETE', `${PARENT}/executions/gone`);
    await first.kill();
    process.kill(pidOf(first, 'lost'), 'SIGKILL');
    // Deleted, and killed before it was gone.
    const going = first.file('going', 'execution.json');
    const record = JSON.parse(fs.readFileSync(going, 'utf8')) as object;
    fs.writeFileSync(
      going,
      JSON.stringify({ ...record, state: 'SUCCEEDED', deleteTime: '2026-01-01T00:00:00Z' }),
    );
    const unfinished = ['status.json.new', 'output.ipynb.new'].map((name) => first.file('lost', name));
    for (const file of unfinished) fs.writeFileSync(file, '{');
    // Between creating and renaming: remains of a create or a delete.
    const half = first.file('.01234567-new-half-01234567-89ab-cdef-0123-456789abcdef', '.');
    fs.mkdirSync(half);
    fs.utimesSync(half, 0, 0);
    const [host = ''] = fs.readdirSync(path.join(folder, 'data/hosts'));
    const run = path.join(folder, 'data/hosts', host, 'run');
    fs.mkdirSync(path.join(run, '0123456789'));
    const second = await TestService.start(folder);
    const lost = await second.ended('lost');
    assert.deepEqual([lost.state, lost.runStatus?.cause], ['FAILED', 'hostLost']);
    assert.deepEqual(unfinished.filter(fs.existsSync), []);
    assert.equal((await second.ended('waiting')).state, 'SUCCEEDED');
    for (const id of ['gone', 'going']) {
      await until(
        `${id} is gone`,
        async () => (await second.request('GET', `${PARENT}/executions/${id}`)).code === 404,
      );
    }
    assert.deepEqual(fs.readdirSync(second.file('.', '.')).sort(), ['lost', 'waiting']);
    while (fs.readdirSync(run).length > 0) await second.get('lost');
  });

  it('runs an execution once that was just handed to a runner', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    await first.create('once');
    await first.kill();
    const second = await TestService.start(folder);
    assert.equal((await second.ended('once')).state, 'SUCCEEDED');
    assert.equal(second.runs().length, 1);
  });

  it('runs an execution with another runner when its first runner exited instead', async () => {
    const folder = temporaryFolder();
    const script = path.join(folder, 'leaves.cjs');
    fs.writeFileSync(
      script,
      `const [, , , runtime, job] = process.argv;
      if (job !== undefined) require(${JSON.stringify(FAKE_RUNNER)});
      else require('node:net').createServer((s) => {
        // With its first request, or with the service.
        for (const end of ['data', 'close']) s.on(end, () => process.exit());
      }).listen(runtime + '/control');`,
    );
    const service = await TestService.start(folder, '--runner', script);
    await service.create('other');
    assert.deepEqual(states(await service.ended('other')), [
      'INITIALIZING',
      'QUEUED',
      'PREPARING',
      'QUEUED',
      'PREPARING',
      'RUNNING',
      'SUCCEEDED',
    ]);
    assert.equal(service.runs().length, 1);
  });

  it('sets a corrupt record aside and reports it; other records are not affected', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    for (const id of ['good', 'torn', 'liar']) {
      await first.create(id);
      await first.ended(id);
    }
    await first.kill();
    fs.truncateSync(first.file('torn', 'execution.json'), 40);
    fs.copyFileSync(first.file('good', 'execution.json'), first.file('liar', 'execution.json'));
    const second = await TestService.start(folder);
    const { body } = await second.request('GET', `${PARENT}/executions`);
    assert.equal((body['executions'] as unknown[]).length, 1);
    assert.equal(fs.readFileSync(second.file('torn', 'execution.json'), 'utf8').length, 40);
    assert.match(second.stderr.join(''), /cannot read the record of torn, execution set aside/);
    // Its folder still exists: the id is in use and no file is overwritten.
    assert.equal((await second.create('torn')).code, 409);
  });
});

describe('A runner that does not respond', () => {
  it('is killed when its execution is cancelled', async () => {
    const service = await TestService.start(temporaryFolder(), '--cancel-ms', '50');
    await service.create('stuck', 'wait');
    await service.running('stuck');
    process.kill(pidOf(service, 'stuck'), 'SIGSTOP');
    await service.request('POST', `${PARENT}/executions/stuck:cancel`);
    const stuck = await service.ended('stuck');
    assert.deepEqual([stuck.state, stuck.runStatus?.cause], ['CANCELLED', 'cancelled']);
  });
});

describe('A data directory with a long name', () => {
  it('has its sockets elsewhere, in a folder that other users cannot access', async () => {
    const folder = path.join(temporaryFolder(), 'x'.repeat(100));
    fs.mkdirSync(folder);
    const service = await TestService.start(folder);
    await service.create('long', 'wait');
    await service.running('long');
    const { runtime } = JSON.parse(fs.readFileSync(service.file('long', 'execution.json'), 'utf8')) as {
      runtime: string;
    };
    assert.ok(!runtime.startsWith(folder));
    assert.equal(fs.statSync(path.dirname(runtime)).mode & 0o777, 0o700);
    service.go('long');
    assert.equal((await service.ended('long')).state, 'SUCCEEDED');
  });
});

describe('Two services for one data directory', () => {
  it('started at the same instant: one wins', async () => {
    const folder = temporaryFolder();
    const results = await Promise.allSettled([1, 2, 3].map(() => TestService.start(folder)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results)
      if (result.status === 'rejected') assert.match(String(result.reason), /serves .* already/);
  });

  it('the one that exits ends the spare runner that it had started', async () => {
    const folder = temporaryFolder();
    const runner = ['--runner', path.join(ROOT, 'dist/runner.js')];
    await TestService.start(folder, ...runner);
    const hosts = path.join(folder, 'data', 'hosts');
    const [host = ''] = fs.readdirSync(hosts);
    const runtimes = (): string[] => fs.readdirSync(path.join(hosts, host, 'run'));
    const before = runtimes();
    assert.equal(before.length, 1);
    await assert.rejects(TestService.start(folder, ...runner), /already/);
    assert.deepEqual(runtimes(), before);
  });

  it('a newer build takes over and adopts running executions', async () => {
    const folder = temporaryFolder();
    const old = await TestService.start(folder, '--build', '1.0.0-aaa');
    await old.create('runs', 'wait');
    await old.running('runs');
    const exit = once(old.process, 'exit');
    const current = await TestService.start(folder, '--build', '1.1.0-bbb', '--replace');
    await exit;
    assert.equal((await current.get('runs')).state, 'RUNNING');
    current.go('runs');
    assert.equal((await current.ended('runs')).state, 'SUCCEEDED');
    await assert.rejects(TestService.start(folder, '--build', '1.1.0-bbb', '--replace'), /already/);
  });

  it('one that hangs is killed', async () => {
    const folder = temporaryFolder();
    const hung = await TestService.start(folder, '--build', 'a');
    hung.process.kill('SIGSTOP');
    const exit = once(hung.process, 'exit');
    await TestService.start(folder, '--build', 'b', '--replace');
    assert.deepEqual(await exit, [null, 'SIGKILL']);
  });
});

describe('A data directory shared by several hosts', () => {
  /** Makes it look as if another host had accepted the execution and was last alive at `alive`. */
  function moveAway(service: TestService, id: string, alive: Date): void {
    const file = service.file(id, 'execution.json');
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(file, JSON.stringify({ ...record, host: 'other', boot: 'another' }));
    const host = path.join(service.folder, 'data/hosts/other');
    fs.mkdirSync(host, { recursive: true });
    fs.utimesSync(host, alive, alive);
  }

  it('shows executions of another host and does not change them until that host has been silent for long', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    await first.create('theirs', 'wait');
    await first.running('theirs');
    await first.create('queued');
    await first.kill();
    moveAway(first, 'theirs', new Date());
    moveAway(first, 'queued', new Date());
    const second = await TestService.start(folder);
    assert.equal((await second.get('theirs')).state, 'RUNNING');
    assert.equal((await second.get('queued')).state, 'QUEUED');
    for (const [method, target] of [
      ['POST', 'theirs:cancel'],
      ['DELETE', 'theirs'],
    ] as const) {
      const { code, body } = await second.request(method, `${PARENT}/executions/${target}`);
      assert.equal(code, 400);
      assert.equal((body['error'] as { message: string }).message, 'theirs runs on other');
    }
    await second.create('own');
    await second.ended('own');
    assert.equal(second.runs().length, 2);
    await second.kill();
    process.kill(pidOf(first, 'theirs'), 'SIGKILL');
    moveAway(first, 'theirs', new Date(0));
    const third = await TestService.start(folder);
    const lost = await third.ended('theirs');
    assert.deepEqual(
      [lost.state, lost.runStatus?.cause, lost.runStatus?.host],
      ['FAILED', 'hostLost', 'other'],
    );
    assert.equal((await third.ended('queued')).state, 'SUCCEEDED');
  });
});

describe('An unused service', () => {
  it('exits, but not while an execution runs', async () => {
    const folder = temporaryFolder();
    const service = await TestService.start(folder, '--idle-seconds', '0.3');
    const exit = once(service.process, 'exit');
    await service.create('busy', 'wait');
    await service.running('busy');
    const [host = ''] = fs.readdirSync(path.join(folder, 'data', 'hosts'));
    const endpoint = path.join(folder, 'data', 'hosts', host, 'endpoint.json');
    // No requests for longer than its idle timeout.
    await delay(1000);
    assert.ok(fs.existsSync(endpoint));
    service.go('busy');
    assert.deepEqual(await exit, [0, null]);
    assert.ok(!fs.existsSync(endpoint));
    assert.match(service.stderr.join(''), /stopping: idle/);
  });

  it('restarts its idle timeout after each request', async () => {
    const service = await TestService.start(temporaryFolder(), '--idle-seconds', '0.5');
    const exit = once(service.process, 'exit');
    const start = performance.now();
    let lastRequest = start;
    while (performance.now() - start < 1500 && service.process.exitCode === null) {
      const time = performance.now();
      const answer = await service.request('GET', PARENT).catch(() => undefined);
      if (answer?.code === 200) lastRequest = time;
    }
    await exit;
    assert.ok(performance.now() - lastRequest >= 500);
  });

  it('exits when its data directory is removed', async () => {
    const folder = temporaryFolder();
    const service = await TestService.start(folder, '--idle-seconds', '100');
    const exit = once(service.process, 'exit');
    fs.rmSync(path.join(folder, 'data'), { recursive: true });
    assert.deepEqual(await exit, [0, null]);
  });
});
