import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import * as path from 'node:path';
import { FILES } from '../../../src/protocol/execution-folder';
import { RUN_TIMEOUTS } from '../../../src/runner/run';
import { assertCut, HANG, QUICK, whenCellRuns } from './run-ends';
import { cleanUp, notebookOf, papermill, pythonKernel, run, textOf } from './running';

const IGNORES_INTERRUPT = `import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n${HANG}`;

describe('how a run may end', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  describe('cancelled', () => {
    it('interrupts; outputs so far are kept', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        onStatus: whenCellRuns(1, (notebookRun) => {
          notebookRun.stop('cancelled');
        }),
      });
      assertCut(result, 'CANCELLED', 'cancelled');
      assert.deepEqual(
        result.status.runStatus.history?.map(({ state }) => state),
        ['RUNNING', 'CANCELLING', 'CANCELLED'],
      );
    });
    it('ends a kernel that ignores the interrupt', async () => {
      const result = await run(notebookOf('print("before")', IGNORES_INTERRUPT, '1'), {
        ...QUICK,
        onStatus: whenCellRuns(1, (notebookRun) => {
          notebookRun.stop('cancelled');
        }),
      });
      assertCut(result, 'CANCELLED', 'cancelled');
    });
    it('is cancelled even if the interrupted cell reports ok', async () => {
      const result = await run(notebookOf('print("before")', '!sleep 100', '1'), {
        onStatus: whenCellRuns(1, (notebookRun) => {
          notebookRun.stop('cancelled');
        }),
      });
      assertCut(result, 'CANCELLED', 'cancelled');
    });
    it('before the kernel has answered', async () => {
      const result = await run(notebookOf('1'), {
        job: { kernel: pythonKernel('import time; time.sleep(100)') },
        onStatus: ({ runStatus }, notebookRun) => {
          if (runStatus.progress) notebookRun.stop('cancelled');
        },
      });
      assert.deepEqual([result.state, result.cause], ['CANCELLED', 'cancelled']);
    });
  });

  describe('time', () => {
    it('a cell over its time limit is interrupted: cellTimeout', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), { job: { cellTimeout: 1 } });
      assertCut(result, 'FAILED', 'cellTimeout');
      assert.match(textOf(result.outputs[1]), /started/);
      const command = notebookOf('print("before")', '!sleep 100', '1');
      assertCut(await run(command, { job: { cellTimeout: 1 } }), 'FAILED', 'cellTimeout');
    });
    it('a cell that ignores the interrupt is ended: cellTimeout', async () => {
      const result = await run(notebookOf('print("before")', IGNORES_INTERRUPT, '1'), {
        ...QUICK,
        job: { cellTimeout: 1 },
      });
      assertCut(result, 'FAILED', 'cellTimeout');
      assert.match(textOf(result.outputs[1]), /started/);
    });
    it('a run over its time limit: EXPIRED, timeout', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), { job: { timeout: 8 } });
      assertCut(result, 'EXPIRED', 'timeout');
    });
  });

  describe('the input', () => {
    const invalid: readonly [name: string, text: string, code: string][] = [
      ['an empty file', '', 'emptyFile'],
      ['not JSON', '{"cells": [', 'notJson'],
      ['JSON that is not a notebook', '[1, 2]', 'notNotebook'],
      [
        'nbformat 5',
        '{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        'unsupportedFormat',
      ],
    ];
    for (const [name, text, code] of invalid) {
      it(`${name}: notebookInvalid`, async () => {
        const result = await run(text);
        assert.deepEqual([result.state, result.cause], ['FAILED', 'notebookInvalid']);
        assert.notEqual(result.message, '');
        assert.equal(result.detail?.code, code);
      });
    }
    it('parameters that are not a mapping: parametersInvalid', async () => {
      const result = await run(notebookOf('1'), { job: { parameters: '[1]' } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'parametersInvalid']);
    });
    it('a parameter with an invalid name: parametersInvalid', async () => {
      const result = await run(notebookOf('1'), { job: { parameters: '{"a\\nb": 1}' } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'parametersInvalid']);
      assert.equal(result.message, 'Not a name in Python: a b');
      const args = { name: 'a\nb', language: 'Python' };
      assert.deepEqual(result.detail, { code: 'nameInvalid', args });
    });
    it('200 MB of old outputs: they are read, and not copied to the new output', async () => {
      const old = {
        output_type: 'stream' as const,
        name: 'stdout',
        text: `${'y'.repeat(1_000_000)}\n`.repeat(20),
      };
      const cells = Array.from({ length: 10 }, () => ({ source: '', outputs: [old] }));
      const result = await run(notebookOf('print("new")', ...cells));
      assert.equal(result.state, 'SUCCEEDED');
      assert.deepEqual(result.outputs.slice(1).flat(), []);
      assert.equal(textOf(result.outputs[0]), 'new\n');
    }).timeout(300_000);
    it('20,000 cells, and one of 5 MB', async () => {
      const cells = Array.from({ length: 20_000 }, () => ({
        cell_type: 'markdown' as const,
        source: 'text',
      }));
      const result = await run(notebookOf(...cells, `x = "${'y'.repeat(5_000_000)}"\nprint(len(x))`));
      assert.equal(result.state, 'SUCCEEDED');
      assert.equal(textOf(result.outputs.at(-1)), '5000000\n');
    });
  });

  describe('the output', () => {
    const noSpace = (): never => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    it('cannot be saved: outputNotWritable, and the last complete one stays', async () => {
      let saves = 0;
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        options: {
          saverFileSystem: { ...fsp, rename: (from, to) => (++saves > 1 ? noSpace() : fsp.rename(from, to)) },
        },
      });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'outputNotWritable']);
      assert.match(result.message, /ENOSPC/);
      assert.deepEqual(papermill(result.notebook, 'status'), ['pending', 'pending', 'pending']);
      assert.deepEqual(fs.existsSync(path.join(result.folder, `${FILES.output}.new`)), false);
    });
    it('cannot be written to the journal: outputNotWritable', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        options: {
          journalFileSystem: {
            ...fs,
            writevSync: (file, parts) =>
              Buffer.concat(parts as Buffer[]).includes('"started') ? noSpace() : fs.writevSync(file, parts),
          },
        },
      });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'outputNotWritable']);
      assert.match(result.message, /ENOSPC/);
      // Its inode may still exist.
      assert.equal(textOf(result.outputs[0]), 'before\n');
      assert.deepEqual(papermill(result.notebook, 'status'), ['completed', 'failed', 'pending']);
    });
    it('has a message that is too large: a notice replaces it, and the run continues', async () => {
      const large =
        'from IPython.display import display\ndisplay({"text/plain": "x" * 560_000_000}, raw=True)';
      const result = await run(notebookOf(large, 'print("after")'));
      assert.equal(result.state, 'SUCCEEDED');
      assert.match(textOf(result.outputs[0]), /display_data of 560\d+ bytes: too large/);
      assert.deepEqual(result.warnings, ['outputTooLarge']);
      assert.equal(textOf(result.outputs[1]), 'after\n');
    });
  });

  it('has no idle status: the cell ends after a bounded wait, with a warning', async () => {
    const mute =
      'k = get_ipython().kernel\nsend = k.session.send\n' +
      'def mute(stream, kind, content=None, *a, **b):\n' +
      '    if kind == "status" and content["execution_state"] == "idle": return\n' +
      '    return send(stream, kind, content, *a, **b)\n' +
      'k.session.send = mute';
    const result = await run(notebookOf(mute, 'print("after")'), {
      options: { timeouts: { ...RUN_TIMEOUTS, idle: 100 } },
    });
    assert.equal(result.state, 'SUCCEEDED');
    assert.equal(textOf(result.outputs[1]), 'after\n');
    assert.ok(result.warnings.includes('idleMissing'));
  });
});
