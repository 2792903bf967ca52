import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import * as path from 'node:path';
import { FILES } from '../../../src/runner/execution-folder';
import { PATIENCE, type NotebookRun } from '../../../src/runner/run';
import {
  ipykernel,
  notebookOf,
  papermill,
  pythonKernel,
  cleanUp,
  run,
  textOf,
  type RunResult,
  type RunSettings,
} from './running';

/** Stops the run as soon as the cell has started. */
function whenCellRuns(
  index: number,
  act: (run: NotebookRun, pid: number) => void,
): NonNullable<RunSettings['onStatus']> {
  let done = false;
  return ({ runStatus }, notebookRun, kernel) => {
    if (done || runStatus.progress?.cell?.index !== index) return;
    done = true;
    act(notebookRun, kernel.launched.process.pid ?? 0);
  };
}

const HANG = 'print("started", flush=True)\nimport time\nwhile True: time.sleep(0.01)';
const DEAF = `import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n${HANG}`;
const QUICK = { options: { patience: { ...PATIENCE, interrupt: 300 } } };

function assertCut(result: RunResult, state: string, cause: string): void {
  assert.deepEqual([result.state, result.cause], [state, cause]);
  assert.equal(result.status.runStatus.cell?.index, 1);
  assert.deepEqual(papermill(result.notebook, 'status'), ['completed', 'failed', 'pending']);
  assert.equal((result.notebook.metadata['papermill'] as Record<string, unknown>)['exception'], true);
  assert.ok(result.status.runStatus.endTime);
  assert.equal(textOf(result.outputs[0]), 'before\n');
}

describe('how a run may end', function () {
  this.timeout(120_000);
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
      const result = await run(notebookOf('print("before")', DEAF, '1'), {
        ...QUICK,
        onStatus: whenCellRuns(1, (notebookRun) => {
          notebookRun.stop('cancelled');
        }),
      });
      assertCut(result, 'CANCELLED', 'cancelled');
    });
    it('is cancelled also where the interrupted cell says ok', async () => {
      const result = await run(notebookOf('print("before")', '!sleep 100', '1'), {
        onStatus: whenCellRuns(1, (notebookRun) => {
          notebookRun.stop('cancelled');
        }),
      });
      assert.deepEqual([result.state, result.cause], ['CANCELLED', 'cancelled']);
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
    it('a cell over its limit is interrupted: cellTimeout', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), { job: { cellTimeout: 1 } });
      assertCut(result, 'FAILED', 'cellTimeout');
      assert.match(textOf(result.outputs[1]), /started/);
    });
    it('one that ignores that is ended: cellTimeout', async () => {
      const result = await run(notebookOf('print("before")', DEAF, '1'), {
        ...QUICK,
        job: { cellTimeout: 1 },
      });
      assertCut(result, 'FAILED', 'cellTimeout');
      assert.match(textOf(result.outputs[1]), /started/);
    });
    it('a run over its limit: EXPIRED, timeout', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), { job: { timeout: 8 } });
      assertCut(result, 'EXPIRED', 'timeout');
    });
  });

  describe('the kernel', () => {
    it('dies by a signal: kernelDied, with the signal', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        onStatus: whenCellRuns(1, (_, pid) => process.kill(pid, 'SIGKILL')),
        options: { outOfMemoryKills: () => 0 },
      });
      assertCut(result, 'FAILED', 'kernelDied');
      assert.match(result.message, /SIGKILL/);
    });
    it('exits: kernelDied, with its exit code and the last of its stderr', async () => {
      // Where ipykernel's own faulthandler writes too; what goes to descriptor 2 passes through a thread of the kernel.
      const stderr = 'sys.stderr._original_stdstream_copy';
      const dies = `import os, sys\nprint("out", flush=True)\nos.write(${stderr}, b"last words")\nos._exit(3)`;
      const result = await run(notebookOf('print("before")', dies, '1'));
      assertCut(result, 'FAILED', 'kernelDied');
      assert.match(result.message, /exit code 3\n[^]*last words/);
    });
    it('dies for want of memory: outOfMemory', async () => {
      let kills = 0;
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        onStatus: whenCellRuns(1, (_, pid) => {
          kills++;
          process.kill(pid, 'SIGKILL');
        }),
        options: { outOfMemoryKills: () => kills },
      });
      assertCut(result, 'FAILED', 'outOfMemory');
      assert.ok((result.status.runStatus.peakMemoryBytes ?? 0) > 0);
    });
    it('uses more memory than the run may: outOfMemory', async () => {
      const grabs = 'a = bytearray(400_000_000)\nimport time\ntime.sleep(100)';
      const result = await run(notebookOf('print("before")', grabs, '1'), {
        job: { memoryLimitBytes: 300_000_000 },
      });
      assertCut(result, 'FAILED', 'outOfMemory');
      assert.ok((result.status.runStatus.peakMemoryBytes ?? 0) > 300_000_000);
    });
    it('never answers: kernelNotReady', async () => {
      const result = await run(notebookOf('1'), {
        job: { kernel: pythonKernel('import time; time.sleep(100)'), kernelTimeout: 1 },
      });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelNotReady']);
      assert.deepEqual(papermill(result.notebook, 'status'), ['pending']);
    });
    it('sends garbage: kernelNotReady, and says so', async () => {
      const garbage = `
import json, sys, time, zmq
info = json.load(open(sys.argv[1]))
context = zmq.Context()
at = lambda name: f"{info['transport']}://{info['ip']}{'-' if info['transport'] == 'ipc' else ':'}{info[name]}"
shell = context.socket(zmq.ROUTER); shell.bind(at('shell_port'))
iopub = context.socket(zmq.PUB); iopub.bind(at('iopub_port'))
while True:
    frames = shell.recv_multipart()
    shell.send_multipart([frames[0], b'garbage'])
    shell.send_multipart([frames[0], b'<IDS|MSG>', b'', b'{', b'}', b'', b'\\xff'])
    iopub.send_multipart([b'nonsense', b'<IDS|MSG>'])
`;
      const result = await run(notebookOf('1'), {
        job: { kernel: { ...pythonKernel(garbage), name: 'garbage' }, kernelTimeout: 3 },
      });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelNotReady']);
      assert.match(result.message, /messages on its connection were not understood/);
    });
    it('exits at once: kernelDied, with the last of its stderr', async () => {
      const kernel = pythonKernel('import sys; sys.exit("no module named nothing")');
      const result = await run(notebookOf('1'), { job: { kernel } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelDied']);
      assert.match(result.message, /exit code 1\nno module named nothing/);
    });
    it('does not exist: kernelNotFound', async () => {
      const kernel = ipykernel({ argv: ['/nonexistent/python', '-m', 'ipykernel_launcher'] });
      const result = await run(notebookOf('1'), { job: { kernel } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelNotFound']);
      assert.match(result.message, /ENOENT/);
    });
    for (const [name, closes] of [
      ['the socket of replies', 'k.shell_stream.close()'],
      ['the socket of outputs', 'k.iopub_thread.socket.close()'],
      ['everything', 'import os\nos.closerange(3, 2000)'],
    ] as const) {
      it(`closes ${name}: kernelDied, and no hang`, async () => {
        const code = `k = get_ipython().kernel\n${closes}\nimport time\ntime.sleep(100)`;
        const result = await run(notebookOf('print("before")', code, '1'));
        assertCut(result, 'FAILED', 'kernelDied');
      });
    }
    it('floods its output without end: it can still be cancelled, and what came is kept', async () => {
      const flood =
        'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n' +
        'print("started", flush=True)\nwhile True: print("x" * 2000, flush=True)';
      const result = await run(notebookOf('print("before")', flood, '1'), {
        ...QUICK,
        onStatus: whenCellRuns(1, (notebookRun) => {
          notebookRun.stop('cancelled');
        }),
      });
      assertCut(result, 'CANCELLED', 'cancelled');
      assert.match(textOf(result.outputs[1]), /^started\nx{2000}\n/);
    });
    it('writes to its file descriptors behind everybody’s back: nothing is torn, and it is kept in the log or the cell', async () => {
      const writes =
        'import os\nos.write(1, b"raw out\\n"); os.write(2, b"raw err \\xff\\n"); os.system("echo child; echo oops >&2")';
      const result = await run(notebookOf('print("before")', writes, 'print("after")'));
      assert.equal(result.state, 'SUCCEEDED', result.message);
      assert.equal(textOf(result.outputs[2]), 'after\n');
      const log = fs.readFileSync(path.join(result.folder, FILES.kernelLog), 'utf8');
      const all = textOf(result.outputs[1]) + log;
      for (const text of ['raw out', 'raw err', 'child', 'oops'])
        assert.ok(all.includes(text), `${text}: ${all}`);
    });
    it('never answers shutdown and has children: all are gone', async () => {
      const forks =
        'import subprocess, time\np = subprocess.Popen(["sleep", "1000"])\n' +
        'get_ipython().kernel.do_shutdown = lambda restart: time.sleep(1000)\nprint(p.pid)';
      const { status, outputs } = await run(notebookOf(forks));
      assert.equal(status.state, 'SUCCEEDED');
      const child = Number(textOf(outputs[0]));
      assert.ok(child > 0);
      assert.ok(await isGone(child), 'the child is still there');
    });
  });

  describe('the input', () => {
    const invalid: readonly [name: string, text: string][] = [
      ['an empty file', ''],
      ['not JSON', '{"cells": ['],
      ['JSON but no notebook', '[1, 2]'],
      ['nbformat 5', '{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}'],
    ];
    for (const [name, text] of invalid) {
      it(`${name}: notebookInvalid`, async () => {
        const result = await run(text);
        assert.deepEqual([result.state, result.cause], ['FAILED', 'notebookInvalid']);
        assert.notEqual(result.message, '');
      });
    }
    it('parameters that are no mapping: parametersInvalid', async () => {
      const result = await run(notebookOf('1'), { job: { parameters: '[1]' } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'parametersInvalid']);
    });
    it('a parameter whose name is none: parametersInvalid', async () => {
      const result = await run(notebookOf('1'), { job: { parameters: '{"a b": 1}' } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'parametersInvalid']);
    });
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
    it('cannot be saved: outputNotWritable, and the last whole one stays', async () => {
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
    it('cannot be journalled: outputNotWritable', async () => {
      let writes = 0;
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        options: {
          journalFileSystem: {
            ...fs,
            writevSync: (file, parts) => (++writes > 12 ? noSpace() : fs.writevSync(file, parts)),
          },
        },
      });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'outputNotWritable']);
      assert.match(result.message, /ENOSPC/);
    });
    it('has a message that is too large: said in its place, and the run goes on', async () => {
      const large =
        'from IPython.display import display\ndisplay({"text/plain": "x" * 560_000_000}, raw=True)';
      const result = await run(notebookOf(large, 'print("after")'));
      assert.equal(result.state, 'SUCCEEDED');
      assert.match(textOf(result.outputs[0]), /display_data of 560\d+ bytes: too large/);
      assert.deepEqual(result.warnings, ['outputTooLarge']);
      assert.equal(textOf(result.outputs[1]), 'after\n');
    });
  });

  it('without its idle a cell ends after a bounded wait, with a warning', async () => {
    const mute =
      'k = get_ipython().kernel\nsend = k.session.send\n' +
      'def mute(stream, kind, content=None, *a, **b):\n' +
      '    if kind == "status" and content["execution_state"] == "idle": return\n' +
      '    return send(stream, kind, content, *a, **b)\n' +
      'k.session.send = mute';
    const result = await run(notebookOf(mute, 'print("after")'), {
      options: { patience: { ...PATIENCE, idle: 100 } },
    });
    assert.equal(result.state, 'SUCCEEDED');
    assert.equal(textOf(result.outputs[1]), 'after\n');
    assert.ok(result.warnings.includes('idleMissing'));
  });
});

async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    // A process nobody has waited for yet is a zombie.
    const stat = await fsp.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    if (stat.includes(') Z')) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
