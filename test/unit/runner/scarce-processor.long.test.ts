import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isTerminal } from '../../../src/execution/states';
import { ROOT } from '../../support/paths';
import { until } from '../../support/until';
import { Queue } from './queue';
import { endRunners, start } from './runner-process';
import { notebookOf, readResult, textOf, type RunResult } from './running';
import { readNotebook } from '../../../src/notebook/document';

const FLUSHED_LINES = fs.readFileSync(path.join(ROOT, 'test/fixtures/flushed-lines.ipynb'));
const COUNT = 10_000;
const LINES = Array.from({ length: COUNT }, (_, index) => `${index}\n`).join('');

function assertWhole({ state, warnings, outputs }: RunResult): void {
  assert.deepEqual([state, warnings], ['SUCCEEDED', []]);
  assert.equal(textOf(outputs[0]), LINES);
}

describe('on an overloaded processor, no output is lost', function () {
  this.timeout(300_000);
  afterEach(endRunners);

  for (const kind of ['started', 'started ahead', 'forked'] as const) {
    it(`${kind}: while the runner gets no processor time`, async () => {
      const queue = await Queue.start();
      if (kind === 'started ahead') await queue.prepare();
      const prints = `for i in range(${COUNT}): print(i, flush=True)\nopen('printed', 'w').close()`;
      const folder = await queue.send(notebookOf(prints), kind === 'forked' ? 'a' : undefined);
      await queue.until(({ runStatus }) => runStatus.progress?.cell !== undefined);
      queue.runner.process.kill('SIGSTOP');
      await until('all is printed', () => fs.existsSync(path.join(queue.workingDirectory, 'printed')));
      queue.runner.process.kill('SIGCONT');
      await queue.until(({ state }) => isTerminal(state));
      assertWhole(await readResult(folder));
    });
  }

  it('while four executions run beside four processes that are always busy', async () => {
    const busy = [1, 2, 3, 4].map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    try {
      const { notebook } = readNotebook(FLUSHED_LINES);
      const runners = await Promise.all([1, 2, 3, 4].map(() => start(notebook)));
      await Promise.all(runners.map(({ exited }) => exited));
      for (const { folder } of runners) assertWhole(await readResult(folder));
    } finally {
      for (const each of busy) each.kill('SIGKILL');
    }
  });
});
