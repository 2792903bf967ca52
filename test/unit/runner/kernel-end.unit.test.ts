import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isTerminal } from '../../../src/execution/states';
import { readNotebook } from '../../../src/notebook/document';
import type { RunnerJob } from '../../../src/protocol/runner-job';
import { RUN_TIMEOUTS } from '../../../src/runner/run';
import { ROOT } from '../../support/paths';
import { until } from '../../support/until';
import { Queue } from './queue';
import { endRunners } from './runner-process';
import { notebookOf, outputsOf, papermill, readOutput, readResult, run, textOf } from './running';

const FILES_AT_EXIT = fs.readFileSync(path.join(ROOT, 'test/fixtures/files-at-exit.ipynb'));

/** A thread that is joined at exit. It runs until a file `go` exists. */
const THREAD = `
import os, threading, time
def wait():
    while not os.path.exists('go'):
        time.sleep(0.01)
    print('went' + ' on')
threading.Thread(target=wait).start()
print('started')`;

describe('the end of a kernel', function () {
  this.timeout(300_000);
  afterEach(endRunners);

  for (const kind of ['started', 'started ahead', 'forked'] as const) {
    it(`${kind}: an execution ends only after its files are written`, async () => {
      const queue = await Queue.start();
      if (kind === 'started ahead') await queue.prepare();
      const { notebook } = readNotebook(FILES_AT_EXIT);
      const folder = await queue.send(notebook, kind === 'forked' ? 'a' : undefined);
      await queue.until(({ state }) => isTerminal(state));
      const content = (name: string): string =>
        fs.readFileSync(path.join(queue.workingDirectory, name), 'utf8');
      assert.deepEqual([content('v.txt'), content('u.txt')], ['data', 'bye']);
      assert.deepEqual([(await readResult(folder)).state], ['SUCCEEDED']);
    });

    it(`${kind}: threads, exit handlers and child processes get time to finish, and what they print is kept`, async () => {
      const queue = await Queue.start();
      if (kind === 'started ahead') await queue.prepare();
      const folder = await queue.send(
        notebookOf(
          `
import atexit, multiprocessing, sys, threading, time
def thread():
    time.sleep(0.3)
    print('thread' + ' done')
threading.Thread(target=thread).start()
def child():
    time.sleep(0.6)
    open('child', 'w').write('done')
context = multiprocessing.get_context('fork')
context.Process(target=child).start()
pool = context.Pool(2)
pool.map(abs, [1])
@atexit.register
def handler():
    print('handler' + ' done')
sys.kept_by_a_module = open('module', 'w')
sys.kept_by_a_module.write('done')
class Cycle: pass
cycle = Cycle()
cycle.file, cycle.self = open('cycle', 'w'), cycle
cycle.file.write('done')
del cycle`,
          'print("last")',
        ),
        kind === 'forked' ? 'a' : undefined,
      );
      await queue.until(({ state }) => isTerminal(state));
      const { state, outputs, warnings } = await readResult(folder);
      assert.deepEqual([state, warnings], ['SUCCEEDED', []]);
      const inFolder = (name: string): string => path.join(queue.workingDirectory, name);
      assert.equal(fs.readFileSync(inFolder('child'), 'utf8'), 'done');
      assert.equal(fs.readFileSync(inFolder('module'), 'utf8'), 'done');
      assert.equal(fs.readFileSync(inFolder('cycle'), 'utf8'), 'done');
      assert.ok(textOf([...(outputs[0] ?? []), ...(outputs[1] ?? [])]).includes('thread done'));
      assert.equal(textOf(outputs[1]).replace('thread done\n', ''), 'last\nhandler done\n');
    });
  }

  /** A run whose kernel is awaited at its end, and its folder. */
  async function waiting(changes: Partial<RunnerJob> = {}): Promise<{ queue: Queue; folder: string }> {
    const queue = await Queue.start();
    const folder = await queue.send(notebookOf(THREAD, 'print("last")'), undefined, changes);
    return { queue, folder };
  }

  it('is awaited after all outputs were saved; what threads print meanwhile is saved too', async () => {
    const { queue, folder } = await waiting();
    await until(
      'the last cell is saved',
      async () => textOf(outputsOf(await readOutput(folder))[1]) === 'last\n',
    );
    const before = await readResult(folder);
    assert.deepEqual(
      [before.state, papermill(before.notebook, 'status')],
      ['RUNNING', ['completed', 'completed']],
    );
    fs.writeFileSync(path.join(queue.workingDirectory, 'go'), '');
    await queue.until(({ state }) => isTerminal(state));
    const after = await readResult(folder);
    assert.equal(after.state, 'SUCCEEDED');
    const lines = after.outputs
      .map((each) => textOf(each))
      .join('')
      .split('\n');
    assert.deepEqual(lines.sort(), ['', 'last', 'started', 'went on']);
  });

  it('is not awaited when the execution is cancelled or out of time', async () => {
    const { queue, folder } = await waiting();
    await until(
      'the last cell is saved',
      async () => textOf(outputsOf(await readOutput(folder))[1]) === 'last\n',
    );
    queue.control.send({ type: 'cancel' });
    await queue.control.event((event) => event.type === 'ended');
    const cancelled = await readResult(folder);
    assert.deepEqual([cancelled.state, cancelled.cause, cancelled.warnings], ['CANCELLED', 'cancelled', []]);
    assert.deepEqual(papermill(cancelled.notebook, 'status'), ['completed', 'completed']);
    const expired = await queue.run(notebookOf(THREAD), undefined, { timeout: 2 });
    assert.deepEqual([expired.state, expired.cause], ['EXPIRED', 'timeout']);
  });

  it('is awaited up to the agreed time; then the kernel is killed, with a warning', async () => {
    const result = await run(notebookOf(THREAD), { options: { timeouts: { ...RUN_TIMEOUTS, end: 300 } } });
    assert.deepEqual([result.state, result.warnings], ['SUCCEEDED', ['kernelNotEnded']]);
    assert.equal(textOf(result.outputs[0]), 'started\n');
    const failed = await run(notebookOf(THREAD, '1/0'), {
      options: { timeouts: { ...RUN_TIMEOUTS, end: 300 } },
    });
    assert.deepEqual(
      [failed.state, failed.cause, failed.warnings],
      ['FAILED', 'cellError', ['kernelNotEnded']],
    );
  });

  it('is reported when it was abnormal', async () => {
    const crash =
      'import atexit, os, signal\n@atexit.register\ndef crash(): os.kill(os.getpid(), signal.SIGSEGV)';
    const { state, status } = await run(notebookOf(crash));
    assert.equal(state, 'SUCCEEDED');
    assert.deepEqual(status.runStatus.warnings, [{ code: 'kernelEndFailed', args: ['SIGSEGV'] }]);
  });

  it('is the same when the notebook calls exit()', async () => {
    const exits =
      'import atexit\natexit.register(lambda: (open("f", "w").write("done"), print("by" + "e")))\nexit()';
    const { state, folder, outputs, warnings } = await run(notebookOf(exits, 'print("not run")'));
    assert.deepEqual([state, warnings, textOf(outputs[0])], ['SUCCEEDED', [], 'bye\n']);
    assert.equal(fs.readFileSync(path.join(folder, 'f'), 'utf8'), 'done');
  });

  it('gives remaining child processes a moment to clean up', async () => {
    const child =
      'import signal, sys, time\\nsignal.signal(signal.SIGTERM, lambda *_: (open("cleaned", "w").close(), sys.exit()))\\nprint(1, flush=True)\\ntime.sleep(600)';
    const starts = `import subprocess, sys\np = subprocess.Popen([sys.executable, "-c", '${child}'], stdout=subprocess.PIPE)\np.stdout.readline()`;
    const { state, folder } = await run(notebookOf(starts));
    assert.equal(state, 'SUCCEEDED');
    assert.ok(fs.existsSync(path.join(folder, 'cleaned')));
  });
});
