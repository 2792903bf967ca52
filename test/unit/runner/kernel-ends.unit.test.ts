import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import * as path from 'node:path';
import { FILES } from '../../../src/protocol/execution-folder';
import { RUN_TIMEOUTS } from '../../../src/runner/run';
import { assertCut, HANG, QUICK, whenCellRuns } from './run-ends';
import { cleanUp, ipykernel, makeFolders, notebookOf, papermill, pythonKernel, run, textOf } from './running';

describe('how a run may end', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  describe('the kernel', () => {
    it('dies by a signal: kernelDied, with the signal', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        onStatus: whenCellRuns(1, (_, pid) => process.kill(pid, 'SIGKILL')),
        options: { outOfMemoryKills: () => 0, isMemoryShort: () => false },
      });
      assertCut(result, 'FAILED', 'kernelDied');
      assert.match(result.message, /SIGKILL/);
      assert.deepEqual(result.detail, { code: 'kernelSignal', args: { signal: 'SIGKILL' } });
    });
    it('exits: kernelDied, with its exit code and the last of its stderr', async () => {
      // ipykernel's own faulthandler writes there too; output to descriptor 2 passes through a thread of the kernel.
      const stderr = 'sys.stderr._original_stdstream_copy';
      const dies = `import os, sys\nprint("out", flush=True)\nos.write(${stderr}, b"last words")\nos._exit(3)`;
      const result = await run(notebookOf('print("before")', dies, '1'));
      assertCut(result, 'FAILED', 'kernelDied');
      assert.match(result.message, /exit code 3\n[^]*last words/);
      assert.deepEqual(result.detail, { code: 'kernelExit', args: { exitCode: '3' } });
    });
    it('is killed for lack of memory: outOfMemory', async () => {
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
    it('dies when no memory is left, on systems that do not count OOM kills: outOfMemory', async () => {
      const result = await run(notebookOf('print("before")', HANG, '1'), {
        onStatus: whenCellRuns(1, (_, pid) => process.kill(pid, 'SIGKILL')),
        options: { outOfMemoryKills: () => undefined, isMemoryShort: () => true },
      });
      assertCut(result, 'FAILED', 'outOfMemory');
    });
    it('exceeds the memory limit of the run: outOfMemory', async () => {
      // It is killed immediately: an interrupted kernel could continue and use up the memory of the machine.
      const grabs =
        'import time\ntry:\n a = bytearray(400_000_000)\n time.sleep(100)\nexcept BaseException: print("went on")';
      const result = await run(notebookOf('print("before")', grabs, '1'), {
        job: { memoryLimitBytes: 300_000_000 },
      });
      assertCut(result, 'FAILED', 'outOfMemory');
      assert.equal(textOf(result.outputs[1]), '');
      assert.ok((result.status.runStatus.peakMemoryBytes ?? 0) > 300_000_000);
      assert.deepEqual(result.detail, { code: 'memoryLimit', args: { bytes: '300000000' } });
    });
    it('never answers: kernelNotReady', async () => {
      const result = await run(notebookOf('1'), {
        job: { kernel: pythonKernel('import time; time.sleep(100)'), kernelTimeout: 1 },
      });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelNotReady']);
      assert.equal(result.message, 'The kernel did not answer within 1 s');
      assert.deepEqual(result.detail, { code: 'kernelSilent', args: { seconds: '1' } });
      assert.deepEqual(papermill(result.notebook, 'status'), ['pending']);
    });
    it('sends malformed messages: kernelNotReady, with that reason', async () => {
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
      assert.equal(result.detail?.code, 'kernelGarbled');
    });
    it('exits at start: kernelDied, with the last of its stderr', async () => {
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
      assert.match(result.detail?.args?.['error'] ?? '', /^spawn .*ENOENT/);
      assert.deepEqual(papermill(result.notebook, 'status'), ['pending']);
    });
    it('has lost its working directory: reported', async () => {
      const { folder } = await makeFolders('');
      const workingDirectory = `${folder}/gone`;
      const result = await run(notebookOf('1'), { job: { workingDirectory } });
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelNotReady']);
      assert.equal(result.message, `The working directory ${workingDirectory} does not exist`);
      assert.deepEqual(result.detail, { code: 'workingDirectoryMissing', args: { path: workingDirectory } });
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
    it('floods its output without end: it can still be cancelled, and received outputs are kept', async () => {
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
    it('writes directly to file descriptors: no message is damaged, and the text is in the log or the cell', async () => {
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
    it('never answers shutdown and has children: all are ended', async () => {
      const forks =
        'import subprocess, time\np = subprocess.Popen(["sleep", "1000"])\n' +
        'get_ipython().kernel.do_shutdown = lambda restart: time.sleep(1000)\nprint(p.pid)';
      const options = { timeouts: { ...RUN_TIMEOUTS, end: 300 } };
      const { state, outputs, warnings } = await run(notebookOf(forks), { options });
      assert.deepEqual([state, warnings], ['SUCCEEDED', ['kernelNotEnded']]);
      const child = Number(textOf(outputs[0]));
      assert.ok(child > 0);
      assert.ok(await isGone(child), 'the child is still there');
    });
  });
});

async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    // A process that has not been reaped yet is a zombie.
    const stat = await fsp.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    if (stat.includes(') Z')) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
