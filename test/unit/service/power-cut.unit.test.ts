import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isTerminal } from '../../../src/execution/states';
import { FolderStore } from '../../../src/service/executions/folder-store';
import type { ExecutionRecord } from '../../../src/service/executions/record';
import { PARENT, ROOT, temporaryFolder, TestService } from './support';
import { DIES, interfereWithDisk, type Change, type Orders } from './unruly-disk';
import { until } from '../../support/until';

function record(state: string): ExecutionRecord {
  const time = '2026-01-02T03:04:05.678Z';
  return {
    version: 1,
    id: 'one',
    content: 'x',
    createTime: time,
    updateTime: time,
    stem: 'notebook',
    executionTemplate: {},
    runOptions: {},
    state,
    history: [],
    attempt: 1,
    outputNotebookFile: 'file:///x',
  };
}

/** The service is killed at every n-th step. */
const EVERY = 4;

/** Activities during which the power was cut, one after the other. */
const STEPS: readonly ((store: FolderStore) => Promise<void>)[] = [
  (store) => store.create(record('QUEUED'), { 'input.ipynb': '{}', 'job.json': '{}' }),
  (store) => store.save({ record: record('RUNNING') }),
  (store) => store.save({ record: record('SUCCEEDED') }),
  (store) => store.remove('one'),
];
const STATES = [undefined, 'QUEUED', 'RUNNING', 'SUCCEEDED', undefined];

describe('A power cut', () => {
  it('at any step of any write leaves either the old record or the new one', async () => {
    let changes = 0;
    for (let cutAt = 1; ; cutAt++) {
      const directory = path.join(temporaryFolder(), 'executions');
      const complaints: string[] = [];
      const store = new FolderStore(directory, 'host', () => undefined);
      await store.load();
      let done = 0;
      const cut = await cutPowerAt(cutAt, async () => {
        for (const step of STEPS) {
          await step(store);
          done++;
        }
      });
      const after = new FolderStore(directory, 'host', (line) => complaints.push(line));
      const states = (await after.load()).map(({ state }) => state);
      const where = `cut at ${cut ?? 'the end'}: ${states.join()}`;
      assert.ok(
        [STATES[done], STATES[done + 1]].some((state) => state === states[0]),
        where,
      );
      assert.deepEqual(complaints, [], where);
      const left = fs.readdirSync(directory);
      assert.deepEqual(left, states.length === 0 ? [] : ['one'], where);
      if (states.length > 0) assert.ok(fs.existsSync(path.join(directory, 'one/job.json')), where);
      if (cut === undefined) break;
      changes = cutAt;
    }
    assert.ok(changes > 20, `${changes} steps`);
  });

  it('at any step of the service loses nothing and runs nothing twice; waiting executions run', async function () {
    // Longer than each of its waits, so that a hang shows where.
    this.timeout(240_000);
    // Each step costs two starts: EVERY = 1 tests all of them.
    let next = 2;
    let last = Number.POSITIVE_INFINITY;
    const worker = async (): Promise<void> => {
      while (next <= last) {
        const dieAt = next;
        next += EVERY;
        if (await crashAndRestart(dieAt)) continue;
        last = Math.min(last, dieAt - 1);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    assert.ok(last > 20, `${last} steps`);
  });
});

/** Runs `work` until its `count`-th change of a file, which is cut in half, and stops there. @returns that change. */
async function cutPowerAt(count: number, work: () => Promise<void>): Promise<string | undefined> {
  let changes = 0;
  let cut: string | undefined;
  const dead = new Error('the power is cut');
  const restore = interfereWithDisk(async (change: Change) => {
    if (++changes < count) return;
    if (changes === count) {
      cut = `${change.call} ${path.basename(change.path)}`;
      await change.half();
    }
    throw dead;
  });
  try {
    await work();
  } catch (error) {
    if (error !== dead) throw error;
  } finally {
    await restore();
  }
  return cut;
}

/** Runs two executions on a service that dies at a step, and checks them after the next start. @returns whether it died. */
async function crashAndRestart(dieAt: number): Promise<boolean> {
  const folder = temporaryFolder();
  const orders = path.join(folder, 'orders.json');
  fs.writeFileSync(orders, JSON.stringify({ dieAt } satisfies Orders));
  const preload = path.join(ROOT, 'out/test/unit/service/unruly.main.js');
  const doomed = await TestService.startBy(
    folder,
    { command: [process.execPath, '--require', preload], env: { UNRULY: orders } },
    '--max-concurrent',
    '1',
  ).catch(() => undefined);
  const told = new Set<string>();
  for (const id of ['first', 'second']) {
    const answer = await doomed?.create(id).catch(() => undefined);
    if (answer?.code === 200) told.add(id);
  }
  if (doomed !== undefined) {
    const { process: child } = doomed;
    // Its last write may happen a moment after its last message.
    const isDone = (): boolean =>
      ['first', 'second'].every((id) =>
        readIfExists(doomed.file(id, 'execution.json')).includes('SUCCEEDED'),
      );
    await until(
      `the service that dies at ${dieAt} had died or was done`,
      () => child.signalCode !== null || isDone(),
    );
    await doomed.kill();
  }
  const died = doomed === undefined || doomed.stderr.join('').includes(DIES);
  const service = await TestService.start(folder);
  const { body } = await service.request('GET', `${PARENT}/executions`);
  const there = ((body['executions'] ?? []) as { name: string }[]).map(({ name }) => path.basename(name));
  const where = `died at ${dieAt}`;
  for (const id of told) assert.ok(there.includes(id), `${where}: ${id} is lost`);
  for (const id of there) {
    const { state } = await until(`${id} had ended; the service ${where}`, async () => {
      const execution = await service.get(id);
      return isTerminal(execution.state) && execution;
    });
    assert.equal(state, 'SUCCEEDED', `${where}: ${id}`);
  }
  const runs = service.runs().filter(Boolean);
  assert.deepEqual(runs.length, new Set(runs).size, `${where}: ${runs.join()}`);
  assert.deepEqual(
    // Warnings about wake locks do not matter here.
    service.stderr.filter((line) => !/listens on|keep the machine awake/.test(line)),
    [],
    where,
  );
  await service.kill();
  return died;
}

function readIfExists(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}
