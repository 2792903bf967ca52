import * as assert from 'node:assert/strict';
import { once } from 'node:events';
import * as path from 'node:path';
import { PARENT, temporaryFolder, TestService, Unruly } from './support';

/** Ids of all executions, page by page. */
async function listAll(service: TestService, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  for (let token = ''; ;) {
    const { body } = await service.request(
      'GET',
      `${PARENT}/executions?pageSize=${pageSize}&pageToken=${token}`,
    );
    ids.push(...((body['executions'] ?? []) as { name: string }[]).map(({ name }) => path.basename(name)));
    token = (body['nextPageToken'] as string | undefined) ?? '';
    if (token === '') return ids;
  }
}

const numbered = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('Many clients', () => {
  it('submit 200 executions at once: they wait in order, survive the service, and run once each', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder, '--max-concurrent', '1');
    await first.create('first', 'wait');
    await first.running('first');
    const ids = numbered(200, 'many');
    const answers = await Promise.all(ids.map((id) => first.create(id)));
    assert.deepEqual(new Set(answers.map(({ code }) => code)), new Set([200]));
    assert.deepEqual((await listAll(first, 77)).sort(), ['first', ...ids].sort());
    await first.kill();
    const second = await TestService.start(folder, '--max-concurrent', '4');
    const order = (await listAll(second, 1000)).reverse();
    assert.deepEqual([...order].sort(), ['first', ...ids].sort());
    // Starting 200 processes would take long and test nothing more.
    const chosen = order.slice(1, 13);
    second.go('first');
    for (const id of ['first', ...chosen]) assert.equal((await second.ended(id)).state, 'SUCCEEDED', id);
    const runs = second.runs().map((run) => path.basename(run.split(' ')[0] ?? ''));
    for (const id of chosen) assert.equal(runs.filter((run) => run === id).length, 1, id);
  });

  it('list while 10 others create: each list has every confirmed execution once, newest first', async () => {
    const service = await TestService.start(temporaryFolder(), '--max-concurrent', '1');
    await service.create('first', 'wait');
    const told = ['first'];
    let creators = 10;
    const create = async (name: string): Promise<void> => {
      for (const id of numbered(5, name)) {
        const { code, body } = await service.create(id);
        assert.equal(code, 200, JSON.stringify(body));
        told.push(id);
      }
      creators--;
    };
    let lists = 0;
    const list = async (pageSize: number): Promise<void> => {
      while (creators > 0) {
        const before = [...told];
        const ids = await listAll(service, pageSize);
        lists++;
        assert.equal(new Set(ids).size, ids.length, 'one is there twice');
        const missing = before.filter((id) => !ids.includes(id));
        assert.deepEqual(missing, []);
      }
    };
    await Promise.all([
      ...numbered(10, 'client').map((name) => create(`${name}-`)),
      ...Array.from({ length: 10 }, (_, index) => list(3 + index * 7)),
    ]);
    assert.ok(lists >= 10);
    assert.equal((await listAll(service, 1000)).length, 51);
  });
}).timeout(60_000);

describe('A clock that jumps', () => {
  const HOUR = 3_600_000;

  it('removes nothing from the list, and delays no execution', async () => {
    const folder = temporaryFolder();
    const unruly = new Unruly(folder);
    const service = await TestService.startBy(folder, { env: unruly.env });
    const ids: string[] = [];
    // The last one is created an hour before the first.
    for (const clock of [0, HOUR, -HOUR, 0]) {
      const id = `at${ids.length}`;
      ids.push(id);
      await service.create(id, 'wait');
      await service.running(id);
      // Forwards or backwards, in the middle of the run.
      unruly.order({ clock });
      service.go(id);
      assert.equal((await service.ended(id)).state, 'SUCCEEDED');
      for (const pageSize of [1, 2, 3, 10])
        assert.deepEqual((await listAll(service, pageSize)).sort(), ids, `pages of ${pageSize}`);
    }
    const before = await listAll(service, 10);
    await service.kill();
    unruly.order({});
    const next = await TestService.startBy(folder, { env: unruly.env });
    assert.deepEqual(await listAll(next, 2), before);
  });

  it('does not prevent an idle service from exiting', async () => {
    const folder = temporaryFolder();
    const unruly = new Unruly(folder, { clock: 24 * HOUR });
    const service = await TestService.startBy(folder, { env: unruly.env }, '--idle-seconds', '0.3');
    unruly.order({});
    // It may have exited before the wait starts.
    if (service.process.exitCode === null) await once(service.process, 'exit');
    assert.deepEqual([service.process.exitCode, service.process.signalCode], [0, null]);
  });
}).timeout(60_000);
