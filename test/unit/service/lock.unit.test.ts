import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { until } from '../../support/until';
import { ROOT, temporaryFolder, Unruly } from './support';
import { DIES, HOLDS, type Orders } from './unruly-disk';

const PROGRAM = path.join(ROOT, 'out/test/unit/service/lock.main.js');

/** A file system without hard links, such as FAT and some network shares. */
const WITHOUT_LINKS = { match: '^link .*/lock\\.', code: 'EPERM' };

/** A process that acquires the lock of a folder and holds it until it ends. */
class LockHolder {
  readonly process: ChildProcess;
  readonly unruly: Unruly;
  said = '';

  constructor(folder: string, orders: Orders) {
    this.unruly = new Unruly(temporaryFolder(), orders);
    this.process = spawn(process.execPath, [PROGRAM, folder], {
      stdio: 'pipe',
      env: { ...process.env, ...this.unruly.env },
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (data: Buffer) => (this.said += data.toString()));
  }

  async says(pattern: RegExp): Promise<string> {
    return until(`a process says ${String(pattern)}`, () => pattern.exec(this.said)?.[0]);
  }

  async kill(): Promise<void> {
    const ended = once(this.process, 'exit');
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await ended;
  }
}

describe('The lock of a data directory without hard links', () => {
  const outcome = /held|taken/;

  it('is free again after a process died at any step of acquiring it', async () => {
    const folder = temporaryFolder();
    let steps = 0;
    for (;;) {
      const first = new LockHolder(folder, { fail: WITHOUT_LINKS, dieAt: steps + 1, dieIn: '/lock\\.' });
      const isWhole = !(await first.says(new RegExp(`held|${DIES}`))).includes(DIES);
      await first.kill();
      if (isWhole) break;
      steps++;
      const next = new LockHolder(folder, { fail: WITHOUT_LINKS });
      assert.equal(await next.says(outcome), 'held', `step ${String(steps)}`);
      await next.kill();
    }
    assert.ok(steps >= 6, `${String(steps)} steps`);
  });

  for (const step of ['mkdir', 'open', 'writeFile', 'datasync', 'rename', 'rm']) {
    it(`has one holder if a second process acquires it during the ${step} of the first`, async () => {
      const folder = temporaryFolder();
      const hold = `^${step} .*/lock\\.1(?:\\.\\d+)?(?:/holder\\.json)?$`;
      const first = new LockHolder(folder, { fail: WITHOUT_LINKS, hold });
      await first.says(new RegExp(HOLDS));
      const second = new LockHolder(folder, { fail: WITHOUT_LINKS });
      const outcomes = [await second.says(outcome)];
      first.unruly.order({ fail: WITHOUT_LINKS });
      outcomes.push(await first.says(outcome));
      assert.deepEqual(outcomes.sort(), ['held', 'taken']);
      await Promise.all([first.kill(), second.kill()]);
    });
  }
}).timeout(60_000);
