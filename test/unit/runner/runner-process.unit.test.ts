import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { completeFromJournal } from '../../../src/recording/recovery';
import { FILES } from '../../../src/protocol/execution-folder';
import type { ControlEvent } from '../../../src/protocol/runner-job';
import { Control, endRunners, RUNNER, start } from './runner-process';
import {
  ipykernel,
  jobFor,
  makeFolders,
  notebookOf,
  papermill,
  pythonKernel,
  readOutput,
  readResult,
  textOf,
} from './running';

const HANG = 'import time\nwhile True: time.sleep(0.01)';

const isRunningCell = (event: ControlEvent): boolean =>
  event.type === 'status' && event.status.runStatus.progress?.cell !== undefined;

describe('the runner’s process', function () {
  this.timeout(300_000);
  afterEach(endRunners);

  it('runs a job, and leaves the files that protocol/runner-job.ts describes', async () => {
    const { folder, runtime, process: child, exited } = await start(notebookOf('print(1)'));
    await exited;
    assert.equal(child.exitCode, 0);
    const result = await readResult(folder);
    assert.deepEqual([result.state, textOf(result.outputs[0])], ['SUCCEEDED', '1\n']);
    assert.deepEqual(
      result.status.runStatus.history?.map(({ state }) => state),
      ['PREPARING', 'RUNNING', 'SUCCEEDED'],
    );
    assert.deepEqual(fs.readdirSync(folder).sort(), [
      FILES.claim,
      FILES.input,
      FILES.kernelLog,
      FILES.output,
      FILES.status,
    ]);
    for (const file of fs.readdirSync(folder).filter((name) => name !== FILES.input))
      assert.equal(fs.statSync(path.join(folder, file)).mode & 0o777, 0o600, file);
    assert.equal(fs.existsSync(runtime), false);
  });

  it('does nothing when another process has claimed the attempt', async () => {
    const { folder, runtime } = await makeFolders(notebookOf('print(1)'));
    const jobFile = path.join(folder, FILES.job);
    fs.writeFileSync(jobFile, JSON.stringify(jobFor(folder)));
    fs.writeFileSync(path.join(folder, FILES.claim), '');
    const child = spawn(process.execPath, [RUNNER, '--runtime', runtime, '--job', jobFile], {
      stdio: 'ignore',
    });
    await once(child, 'exit');
    assert.notEqual(child.exitCode, 0);
    assert.deepEqual(fs.readdirSync(folder).sort(), [FILES.claim, FILES.input, FILES.job]);
  });

  for (const isSpare of [false, true]) {
    it(`uses the folder of its job file, whatever the job says${isSpare ? ', spare' : ''}`, async () => {
      // The folder was moved, and another file has its former path.
      const former = (await makeFolders(notebookOf('print("former")'))).folder;
      const before = fs.readdirSync(former);
      const { folder, runtime, jobFile, exited } = await start(
        notebookOf('print(1)'),
        { folder: former },
        isSpare,
      );
      if (isSpare) {
        const control = await Control.connect(runtime);
        control.send({ type: 'run', job: jobFile });
        await control.event((event) => event.type === 'ended');
        control.socket.destroy();
      }
      await exited;
      assert.equal(textOf((await readResult(folder)).outputs[0]), '1\n');
      assert.deepEqual(fs.readdirSync(former), before);
    });

    it(`whose kernel cannot be launched fails with kernelNotReady, and its output says so${isSpare ? ', spare' : ''}`, async () => {
      const noPlace = (directory: string): void => {
        fs.writeFileSync(path.join(directory, 'kernel.json'), 'in the place of its connection file');
      };
      const started = await start(notebookOf('1', '2'), {}, isSpare, noPlace);
      const { folder, runtime, jobFile, exited } = started;
      if (isSpare) {
        const control = await Control.connect(runtime);
        control.send({ type: 'run', job: jobFile });
        await control.event((event) => event.type === 'ended');
        control.socket.destroy();
      }
      await exited;
      const result = await readResult(folder);
      assert.deepEqual([result.state, result.cause], ['FAILED', 'kernelNotReady']);
      assert.match(result.message, /EEXIST/);
      assert.deepEqual(papermill(result.notebook, 'status'), ['pending', 'pending']);
      const { exception, end_time: end } = result.notebook.metadata['papermill'] as Record<string, unknown>;
      assert.deepEqual([exception, typeof end], [true, 'string']);
      assert.equal(fs.existsSync(jobFile), false);
    });
  }

  it('deletes job.json before the first cell, reports status and accepts cancel over its socket', async () => {
    const { folder, runtime, jobFile, exited } = await start(notebookOf('print("a")', HANG));
    const control = await Control.connect(runtime);
    await control.event(isRunningCell);
    assert.equal(fs.existsSync(jobFile), false);
    control.send({ type: 'cancel' });
    await control.event((event) => event.type === 'status' && event.status.state === 'CANCELLING');
    await control.event((event) => event.type === 'status' && event.status.state === 'CANCELLED');
    await exited;
    assert.equal((await readResult(folder)).state, 'CANCELLED');
  });

  it('sends the current state first to a client that connects late', async () => {
    const { runtime } = await start(notebookOf(HANG));
    await (await Control.connect(runtime)).event(isRunningCell);
    const late = await Control.connect(runtime);
    const first = await late.event(() => true);
    assert.ok(first.type === 'status' && first.status.state === 'RUNNING');
    assert.equal(first.status.runStatus.progress?.cell?.firstLine, 'import time');
  });

  it('is PREPARING until its kernel answers', async () => {
    const silent = pythonKernel(HANG);
    const { runtime, exited } = await start(notebookOf('1'), { kernel: silent });
    const control = await Control.connect(runtime);
    const first = await control.event(() => true);
    assert.ok(first.type === 'status');
    assert.equal(first.status.state, 'PREPARING');
    control.send({ type: 'cancel' });
    await exited;
  });

  it('saves the output and ends its kernel on request', async () => {
    const { folder, runtime, process: child, exited } = await start(notebookOf('print("a")', HANG));
    await (await Control.connect(runtime)).event(isRunningCell);
    child.kill('SIGTERM');
    await exited;
    const result = await readResult(folder);
    assert.deepEqual([result.state, result.cause, textOf(result.outputs[0])], ['FAILED', 'hostLost', 'a\n']);
    assert.equal(result.detail?.code, 'runnerTerminated');
  });

  it('when it is killed, its kernel ends by itself, and its output is completed from the journal', async () => {
    const loud = `import os\nprint(os.getpid(), flush=True)\nh = display("x", display_id=True)\nfor i in range(100): h.update(i)\nopen("done", "w")\n${HANG}`;
    const { folder, process: child, exited } = await start(notebookOf('1 + 1', loud, 'print("never")'));
    await appears(path.join(folder, 'done'));
    const { size } = fs.statSync(path.join(folder, FILES.journal));
    await grows(path.join(folder, FILES.journal), size);
    child.kill('SIGKILL');
    await exited;
    assert.equal((await completeFromJournal(folder)).isCompleted, true);
    const notebook = await readOutput(folder);
    assert.deepEqual(papermill(notebook, 'status'), ['completed', 'failed', 'pending']);
    const [first, second] = notebook.cells;
    assert.ok(first?.cell_type === 'code' && second?.cell_type === 'code');
    assert.deepEqual(first.outputs, [
      { output_type: 'execute_result', execution_count: 1, data: { 'text/plain': '2' }, metadata: {} },
    ]);
    assert.equal(first.execution_count, 1);
    assert.deepEqual(second.outputs[1], {
      output_type: 'display_data',
      data: { 'text/plain': '99' },
      metadata: {},
    });
    const pid = Number(textOf(second.outputs));
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
    // Completing a complete output changes nothing.
    const before = fs.readFileSync(path.join(folder, FILES.output), 'utf8');
    await completeFromJournal(
      folder,
      new Date(String((notebook.metadata['papermill'] as Record<string, unknown>)['end_time'])),
    );
    assert.equal(fs.readFileSync(path.join(folder, FILES.output), 'utf8'), before);
  });

  it('disables the debugger of ipykernel, and changes nothing else', async () => {
    const SNAPSHOT = `
import json, sys
print(json.dumps({
    'path': sys.path, 'argv': sys.argv[:1], 'flags': str(sys.flags), 'names': sorted(globals()), 'main': repr(sys.modules['__main__'].__spec__),
    'modules': sorted(n for n in sys.modules if n != 'ipykernel.debugger' and 'pydev' not in n and not n.startswith('debugpy'))}))`;
    const notebook = notebookOf(
      SNAPSHOT,
      'loaded = [n for n in sys.modules if n.startswith("debugpy")]\nimport debugpy\nprint(loaded, debugpy.__name__)',
    );
    const { folder: workingDirectory } = await makeFolders(notebook);
    // Files that would shadow Python's own modules if the working directory came first.
    for (const name of ['traitlets', 'ipykernel'])
      fs.writeFileSync(path.join(workingDirectory, `${name}.py`), 'raise SystemExit("wrong module")');
    const ours = await start(notebook, { workingDirectory });
    await ours.exited;
    // The same argument in one word is not recognized.
    const argv = [ipykernel().argv[0] ?? '', '-mipykernel_launcher', '-f', '{connection_file}'];
    const plain = await start(notebook, { workingDirectory, kernel: ipykernel({ argv }) });
    await plain.exited;
    const [a, b] = [await readResult(ours.folder), await readResult(plain.folder)];
    assert.deepEqual([a.state, b.state], ['SUCCEEDED', 'SUCCEEDED']);
    const [seen, expected] = [a, b].map(
      ({ outputs }) => JSON.parse(textOf(outputs[0])) as { modules: string[] },
    );
    assert.deepEqual({ ...seen, modules: [] }, { ...expected, modules: [] });
    assert.deepEqual(
      seen?.modules.filter((name) => expected?.modules.includes(name) === false),
      [],
    );
    assert.equal(textOf(a.outputs[1]), '[] debugpy\n');
    assert.match(textOf(b.outputs[1]), /'debugpy'/);
  });
});

async function appears(file: string): Promise<void> {
  while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Resolves when nothing has been added for a while. */
async function grows(file: string, size: number): Promise<void> {
  for (let last = size; ;) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = fs.statSync(file).size;
    if (now === last) return;
    last = now;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
