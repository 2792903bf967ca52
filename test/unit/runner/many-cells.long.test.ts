import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { FILES } from '../../../src/protocol/execution-folder';
import type { KernelClient } from '../../../src/runner/kernel/kernel-client';
import { kernelDifferences } from '../../../src/runner/kernel/kernel-differences';
import { NotebookRun } from '../../../src/runner/run';
import { StatusReporter } from '../../../src/runner/status-reporter';
import { cleanUp, jobFor, makeFolders, notebookOf, papermill, readResult, textOf } from './running';
import { message, stream } from './vectors';

/**
 * A kernel in this process, whose cells print their source. A real kernel would need most of a minute for so many
 * cells.
 */
function echo(launch: KernelClient['launched']['launch']): KernelClient {
  let count = 0;
  const never = new Promise<never>(() => undefined);
  const kernel: Pick<
    KernelClient,
    'differences' | 'execute' | 'exited' | 'iopubMessages' | 'launched' | 'onIopub' | 'ready' | 'shutDown'
  > = {
    differences: kernelDifferences(launch),
    exited: never,
    iopubMessages: 0,
    // Nothing else of it is used.
    launched: { process: { pid: undefined } } as KernelClient['launched'],
    onIopub: () => undefined,
    ready: Promise.resolve({}),
    shutDown: () => Promise.resolve(true),
    execute: (code) => {
      const requestId = `r${++count}`;
      const date = new Date().toISOString();
      const answer = (async () => {
        await new Promise(setImmediate);
        for (const each of [
          message('status', { execution_state: 'busy' }, requestId),
          message('execute_input', { code, execution_count: count }, requestId),
          stream(code, requestId),
          message('status', { execution_state: 'idle' }, requestId),
        ])
          kernel.onIopub({ ...each, date });
      })();
      const reply = {
        status: 'ok',
        execution_count: count,
        ename: undefined,
        evalue: undefined,
        payload: [],
        date,
      };
      return { requestId, replied: answer.then(() => reply), idle: answer };
    },
  };
  return kernel as KernelClient;
}

describe('a notebook with many cells', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  it('20,000 code cells: each is run and has its output, count and times', async () => {
    const sources = Array.from({ length: 20_000 }, (_, index) => `cell ${index + 1}`);
    const { folder } = await makeFolders(notebookOf(...sources));
    const job = jobFor(folder);
    const initial = { version: 1, attempt: 1, state: 'PREPARING', runStatus: {} } as const;
    const reporter = new StatusReporter(path.join(folder, FILES.status), initial, () => undefined);
    await new NotebookRun(job, echo(job.kernel), reporter).run();
    const { state, warnings, outputs, notebook } = await readResult(folder);
    assert.deepEqual([state, warnings], ['SUCCEEDED', []]);
    assert.deepEqual(outputs.map(textOf), sources);
    assert.deepEqual(new Set(papermill(notebook, 'status')), new Set(['completed']));
    for (const [index, cell] of notebook.cells.entries()) {
      assert.ok(cell.cell_type === 'code' && cell.execution_count === index + 1);
      assert.equal(Object.keys(cell.metadata['execution'] as object).length, 4);
    }
  });
});
