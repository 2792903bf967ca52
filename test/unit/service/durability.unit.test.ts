import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { until } from '../../support/until';
import { PARENT, states, temporaryFolder, TestService, Unruly, type Answer } from './support';
import { HOLDS } from './unruly-disk';

/** The final state of an execution is just being written. */
const END = '\\.execution\\.json';

describe('What the service has confirmed', () => {
  let folder: string;
  let unruly: Unruly;
  let service: TestService;
  beforeEach(async () => {
    folder = temporaryFolder();
    unruly = new Unruly(folder);
    service = await TestService.startBy(folder, { env: unruly.env });
  });
  afterEach(async () => service.kill());

  function onDisk(id: string): Record<string, unknown> {
    return JSON.parse(fs.readFileSync(service.file(id, 'execution.json'), 'utf8')) as Record<string, unknown>;
  }

  /** Lets an execution end while the disk does not accept any of it yet. */
  async function endsSlowly(id: string, maxAttempts: number, hold = END): Promise<void> {
    await service.create(id, 'wait', { options: { maxAttempts } });
    await service.running(id);
    unruly.order({ hold });
    service.go(id);
    await until('its end is being written', () => service.stderr.join('').includes(HOLDS));
  }

  /** Returns the answer to a request, which may need the disk, and then kills the service. */
  async function answerThenKill(method: string, target: string): Promise<Answer> {
    const answer = service.request(method, `${PARENT}/executions/${target}`);
    const others = (async (): Promise<undefined> => {
      for (let asked = 0; asked < 5; asked++) await service.request('GET', PARENT);
    })();
    // An answer that arrives while the disk accepts nothing is a broken promise.
    if ((await Promise.race([answer, others])) === undefined) unruly.order({});
    const told = await answer;
    await service.kill();
    unruly.order({});
    return told;
  }

  // With more than one attempt the end is shown once it is on disk.
  for (const [when, maxAttempts] of [
    ['while the end is shown already', 1],
    ['while the end is not shown yet', 2],
  ] as const) {
    it(`is on disk: that an execution is deleted, ${when}`, async () => {
      await endsSlowly('one', maxAttempts);
      assert.equal((await answerThenKill('DELETE', 'one')).code, 200);
      const isThere = fs.existsSync(service.file('one', 'execution.json'));
      assert.ok(!isThere || onDisk('one')['deleteTime'] !== undefined);
      service = await TestService.start(folder);
      await until('it is gone', async () => {
        const { code: found } = await service.request('GET', `${PARENT}/executions/one`);
        return found === 404;
      });
    });

    it(`is on disk: that an execution is pinned, ${when}`, async () => {
      await endsSlowly('one', maxAttempts);
      const { code } = await answerThenKill('POST', 'one:pin');
      assert.equal(code, 200);
      const { state, pinned } = onDisk('one');
      assert.deepEqual([state, pinned], ['SUCCEEDED', true]);
    });
  }

  it('is on disk: that an execution is cancelled before its end is shown, and how it ended', async () => {
    await endsSlowly('one', 2);
    assert.equal((await answerThenKill('POST', 'one:cancel')).code, 200);
    const { state, cancelTime } = onDisk('one');
    assert.deepEqual([state, typeof cancelTime], ['SUCCEEDED', 'string']);
  });

  it('is on disk: that a waiting execution is cancelled, before any list shows it', async () => {
    await service.kill();
    service = await TestService.startBy(folder, { env: unruly.env }, '--max-concurrent', '1');
    await service.create('first', 'wait');
    await service.running('first');
    await service.create('one', 'wait');
    unruly.order({ hold: `one/${END}` });
    const cancelled = service.request('POST', `${PARENT}/executions/one:cancel`);
    await until('it is being written', () => service.stderr.join('').includes(HOLDS));
    assert.equal((await service.get('one')).state, 'QUEUED');
    // It becomes first in the queue meanwhile, and must not start.
    service.go('first');
    await until('its place is free', async () => {
      const { body } = await service.request('GET', PARENT);
      return (body['metadata'] as { running: number }).running === 0 || service.runs().length > 1;
    });
    unruly.order({});
    assert.equal((await cancelled).body['state'], 'CANCELLED');
    assert.equal(onDisk('one')['state'], 'CANCELLED');
    assert.ok(!states(await service.get('one')).includes('PREPARING'));
    assert.equal(service.runs().length, 1);
    assert.ok(!fs.existsSync(service.file('one', 'job.json')));
  });

  it('has no environment variables of a waiting execution that was cancelled when the service was killed', async () => {
    await service.kill();
    service = await TestService.startBy(folder, { env: unruly.env }, '--max-concurrent', '1');
    await service.create('first', 'wait');
    await service.running('first');
    await service.create('one', 'wait');
    unruly.order({ fail: { match: 'rm .*job\\.json', code: 'EACCES' } });
    assert.equal((await service.request('POST', `${PARENT}/executions/one:cancel`)).code, 200);
    assert.ok(fs.existsSync(service.file('one', 'job.json')));
    await service.kill();
    unruly.order({});
    service = await TestService.start(folder);
    await until('its job is removed', () => !fs.existsSync(service.file('one', 'job.json')));
    service.go('first');
    await service.ended('first');
  });

  it('is on disk: that an execution exists, before any list shows it', async () => {
    unruly.order({ hold: 'rename .*executions' });
    const created = service.create('one');
    await until('it is being written', () => service.stderr.join('').includes(HOLDS));
    const { body } = await service.request('GET', `${PARENT}/executions`);
    assert.deepEqual(body['executions'] ?? [], []);
    const cancelled = service.request('POST', `${PARENT}/executions/one:cancel`);
    unruly.order({});
    assert.equal((await created).code, 200);
    assert.equal((await cancelled).code, 200);
    await service.ended('one');
  });

  it('has no environment variables: they are deleted before the end is shown', async () => {
    await endsSlowly('one', 2, 'rm .*retry\\.json');
    assert.equal((await service.get('one')).state, 'RUNNING');
    unruly.order({});
    await service.ended('one');
    assert.ok(!fs.existsSync(service.file('one', 'retry.json')));
  });

  it('is kept: an execution cancelled before its runner started does not run', async () => {
    await service.create('one', 'wait');
    await service.running('one');
    await service.kill();
    // As after a service that was killed after its answer, before the runner started.
    const pid = Number(fs.readFileSync(service.file('one', 'pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    for (const name of ['claim', 'status.json']) fs.rmSync(service.file('one', name));
    const cancelTime = new Date().toISOString();
    fs.writeFileSync(service.file('one', 'execution.json'), JSON.stringify({ ...onDisk('one'), cancelTime }));
    service = await TestService.start(folder);
    const execution = await service.ended('one');
    assert.deepEqual([execution.state, execution.runStatus?.cause], ['CANCELLED', 'cancelled']);
    assert.ok(!states(execution).includes('RUNNING'));
    assert.equal(service.runs().length, 1);
  });
}).timeout(60_000);
