import * as assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { KernelLaunch } from '../../../src/protocol/runner-job';
import { kernelDifferences } from '../../../src/runner/kernel/kernel-differences';
import { ROOT } from '../../support/paths';
import { VENV_PYTHON } from '../../support/python';
import {
  environment,
  ipykernel,
  notebookOf,
  cleanUp,
  run,
  tagged,
  textOf,
  type RunSettings,
} from './running';

const cancelInCell: NonNullable<RunSettings['onStatus']> = ({ runStatus }, notebookRun) => {
  if (runStatus.progress?.cell) notebookRun.stop('cancelled');
};

describe('other kernels', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  describe('ipykernel on tcp', () => {
    // Its module under another name, which is not in the table of kernel differences.
    const PROGRAM = 'import runpy; runpy.run_module("ipy" + "kernel_launcher", run_name="__main__")';
    const onTcp = (changes: Partial<KernelLaunch> = {}): KernelLaunch =>
      ipykernel({ argv: [VENV_PYTHON, '-c', PROGRAM, '-f', '{connection_file}'], ...changes });
    const SECURED =
      'k = get_ipython().kernel.parent\nprint(k.transport, k.curve_secretkey is not None, len(k.session.key) > 0)';

    it('is encrypted when the kernel supports keys', async () => {
      const result = await run(notebookOf(SECURED), { job: { kernel: onTcp() } });
      assert.deepEqual([result.state, textOf(result.outputs[0])], ['SUCCEEDED', 'tcp True True\n']);
    });
    it('is signed when it does not', async () => {
      const result = await run(notebookOf(SECURED), { job: { kernel: onTcp({ supportedEncryption: [] }) } });
      assert.deepEqual([result.state, textOf(result.outputs[0])], ['SUCCEEDED', 'tcp False True\n']);
    });
    it('uses ipc in the private directory when the kernel supports it', async () => {
      const result = await run(notebookOf(SECURED));
      assert.deepEqual([result.state, textOf(result.outputs[0])], ['SUCCEEDED', 'ipc False False\n']);
    });
    it('is interrupted by message when its kernelspec says so', async () => {
      const result = await run(notebookOf('import time\ntime.sleep(100)'), {
        job: { kernel: ipykernel({ interruptMode: 'message' }) },
        onStatus: cancelInCell,
      });
      assert.deepEqual([result.state, result.outputs[0]?.[0]?.output_type], ['CANCELLED', 'error']);
    });
  });

  describe('deno', () => {
    const deno: KernelLaunch = {
      name: 'deno',
      displayName: 'Deno',
      language: 'typescript',
      argv: [denoProgram(), 'jupyter', '--kernel', '--conn', '{connection_file}'],
      interruptMode: 'signal',
      env: environment(),
    };
    it('runs cells, with late streams, results, errors', async () => {
      const notebook = notebookOf(
        'console.log("a"); const x: number = 20;',
        'x + 1',
        tagged('throw new TypeError("bad")', 'raises-exception'),
        'console.log("last")',
      );
      const result = await run(notebook, { job: { kernel: deno } });
      assert.equal(result.state, 'SUCCEEDED', result.message);
      assert.equal(textOf(result.outputs[0]), 'a\n');
      assert.equal(result.outputs[1]?.[0]?.output_type, 'execute_result');
      assert.equal(result.outputs[2]?.[0]?.output_type, 'error');
      assert.equal(textOf(result.outputs[3]), 'last\n');
    });
    it('fails at an error', async () => {
      const result = await run(notebookOf('throw new TypeError("bad")', '1'), { job: { kernel: deno } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'cellError']);
    });
    it('takes parameters', async () => {
      const result = await run(notebookOf('console.log(who, n)'), {
        job: { kernel: deno, parameters: '{"who": "me", "n": 3}' },
      });
      assert.deepEqual([result.state, textOf(result.outputs[1])], ['SUCCEEDED', 'me 3\n']);
    });
    it('is cancelled', async () => {
      const result = await run(notebookOf('while (true) {}'), {
        job: { kernel: deno },
        options: { timeouts: { interrupt: 500, end: 10_000, idle: 4000, transfer: 4000 } },
        onStatus: cancelInCell,
      });
      assert.deepEqual([result.state, result.cause], ['CANCELLED', 'cancelled']);
    });
  });

  it('are distinguished by their command line', () => {
    const launch = ipykernel();
    assert.deepEqual(kernelDifferences(launch, 'linux').ipc, true);
    assert.deepEqual(kernelDifferences(launch, 'win32').ipc, false);
    assert.deepEqual(
      kernelDifferences({ ...launch, argv: ['/bin/xpython', '-f', '{connection_file}'] }, 'linux').ipc,
      false,
    );
  });
});

/** Deno from the npm package, whose program is in a platform package or its own. */
function denoProgram(): string {
  const here = path.join(
    path.dirname(createRequire(path.join(ROOT, 'package.json')).resolve('deno/package.json')),
    'deno',
  );
  return existsSync(here) ? here : path.join(ROOT, 'node_modules/.bin/deno');
}
