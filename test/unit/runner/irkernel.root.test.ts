import * as assert from 'node:assert/strict';
import type { KernelLaunch } from '../../../src/protocol/runner-job';
import { hasIRkernel } from '../../support/r';
import { cleanUp, environment, notebookOf, run, tagged, textOf } from './running';

describe('IRkernel', function () {
  this.timeout(300_000);
  afterEach(cleanUp);
  before('IRkernel is here', () => {
    assert.ok(hasIRkernel(), 'Install R with IRkernel (Debian: r-cran-irkernel) and run this again.');
  });
  const ir: KernelLaunch = {
    name: 'ir',
    displayName: 'R',
    language: 'R',
    argv: ['R', '--slave', '-e', 'IRkernel::main()', '--args', '{connection_file}'],
    interruptMode: 'signal',
    env: environment(),
  };
  it('runs cells, with streams, results, errors', async () => {
    const notebook = notebookOf(
      'cat("a\\n"); x <- 20',
      'x + 1',
      tagged('stop("bad")', 'raises-exception'),
      'cat(x)',
    );
    const result = await run(notebook, { job: { kernel: ir } });
    assert.equal(result.state, 'SUCCEEDED', result.message);
    assert.equal(textOf(result.outputs[0]), 'a\n');
    assert.ok(result.outputs[1]?.some((output) => output.output_type !== 'stream'));
    assert.ok(result.outputs[2]?.some((output) => output.output_type === 'error'));
    assert.equal(textOf(result.outputs[3]), '20');
  });
  it('fails at an error', async () => {
    const result = await run(notebookOf('stop("bad")', '1'), { job: { kernel: ir } });
    assert.deepEqual([result.state, result.cause], ['FAILED', 'cellError']);
  });
  it('takes parameters', async () => {
    const result = await run(notebookOf('cat(who, n)'), {
      job: { kernel: ir, parameters: '{"who": "me", "n": 3}' },
    });
    assert.deepEqual([result.state, textOf(result.outputs[1])], ['SUCCEEDED', 'me 3']);
  });
  it('is cancelled', async () => {
    const result = await run(notebookOf('Sys.sleep(100)'), {
      job: { kernel: ir },
      onStatus: ({ runStatus }, notebookRun) => {
        if (runStatus.progress?.cell) notebookRun.stop('cancelled');
      },
    });
    assert.deepEqual([result.state, result.cause], ['CANCELLED', 'cancelled']);
  });
});
