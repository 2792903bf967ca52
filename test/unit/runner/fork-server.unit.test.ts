import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FILES } from '../../../src/protocol/execution-folder';
import { exitOf } from '../../../src/runner/kernel/fork-server';
import { kernelDifferences } from '../../../src/runner/kernel/kernel-differences';
import { processStartTime } from '../../../src/system/processes';
import { RANDOM, SNAPSHOT } from './clean-kernel';
import { Queue } from './queue';
import { endRunners } from './runner-process';
import { environment, ipykernel, notebookOf, readResult, textOf } from './running';
import type { RunResult } from './running';

const PARENT = 'import os\nprint(os.getppid())';

async function gone(pid: number): Promise<void> {
  while ((await processStartTime(pid)) !== undefined);
}

describe('the runner’s process, several jobs in sequence', function () {
  this.timeout(300_000);
  afterEach(endRunners);

  it('gives each job its own kernel, started or forked, as clean as a new one', async () => {
    const queue = await Queue.start();
    const notebook = notebookOf(SNAPSHOT, RANDOM, PARENT, 'leak = 1\nimport colorsys');
    const started = await queue.run(notebook);
    const forked = [await queue.run(notebook, 'a'), await queue.run(notebook, 'a')];
    const printed = ({ outputs }: RunResult): unknown => JSON.parse(textOf(outputs[0]));
    for (const each of forked) {
      assert.equal(each.state, 'SUCCEEDED');
      assert.deepEqual(printed(each), printed(started));
    }
    const random = new Set([started, ...forked].map(({ outputs }) => textOf(outputs[1])));
    assert.equal(random.size, 3);
    const [own, ...servers] = [started, ...forked].map(({ outputs }) => Number(textOf(outputs[2])));
    assert.equal(own, queue.pid);
    assert.equal(new Set(servers).size, 1);
    assert.notEqual(servers[0], queue.pid);
    queue.control.socket.destroy();
    await queue.runner.exited;
    await gone(servers[0] ?? 0);
    assert.equal(fs.existsSync(queue.runner.runtime), false);
  });

  it('forks from a new process when the loaded modules changed, and starts a kernel when forking is not allowed', async () => {
    const queue = await Queue.start();
    const parents = [];
    for (const name of ['a', 'b', undefined, 'b'])
      parents.push(Number(textOf((await queue.run(notebookOf(PARENT), name)).outputs[0])));
    const [a = 0, b, none, again] = parents;
    assert.equal(none, queue.pid);
    assert.equal(new Set([a, b, again, queue.pid]).size, 4);
    await gone(a);
  });

  it('reports how a forked kernel ended', async () => {
    const queue = await Queue.start();
    for (const [source, message] of [
      ['import os\nos._exit(3)', 'The kernel ended with exit code 3'],
      ['import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)', 'The kernel was ended by SIGSEGV'],
      [
        'import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)',
        'The kernel was ended by SIGKILL',
      ],
    ] as const) {
      const {
        state,
        cause,
        message: said,
      } = await queue.run(notebookOf('print("be" + "fore")', source), 'a');
      assert.deepEqual([state, cause, said.split('\n')[0]], ['FAILED', 'kernelDied', message]);
    }
    assert.equal(textOf((await queue.run(notebookOf('print(1)'), 'a')).outputs[0]), '1\n');
  });

  it('writes what a forked kernel and its processes print to the log of its execution', async () => {
    const queue = await Queue.start();
    await queue.run(notebookOf('1'), 'a');
    const { folder } = await queue.run(
      notebookOf('import os\nos.write(os.dup(2), b"")\nos.system("echo 1 >&2")'),
      'a',
    );
    const other = await queue.run(
      notebookOf('import sys\nprint("early", file=sys.__stderr__, flush=True)'),
      'a',
    );
    const log = (result: { folder: string }): string =>
      fs.readFileSync(path.join(result.folder, FILES.kernelLog), 'utf8');
    assert.equal(log({ folder }).includes('early'), false);
    assert.ok(log(other).includes('early'), log(other));
    assert.equal(fs.statSync(path.join(other.folder, FILES.kernelLog)).mode & 0o777, 0o600);
  });

  it('interrupts a forked kernel and its children on cancel', async () => {
    const queue = await Queue.start();
    await queue.run(notebookOf('1'), 'a');
    const wait = 'import subprocess\nsubprocess.run(["sleep", "600"])';
    const folder = await queue.send(notebookOf(wait), 'a');
    await queue.until(({ runStatus }) => runStatus.progress?.cell !== undefined);
    queue.control.send({ type: 'cancel' });
    await queue.control.event((event) => event.type === 'ended');
    const { state, outputs } = await readResult(folder);
    assert.equal(state, 'CANCELLED');
    assert.ok(JSON.stringify(outputs[0]).includes('KeyboardInterrupt'));
    assert.equal((await queue.run(notebookOf('1'), 'a')).state, 'SUCCEEDED');
  });

  it('cancels only the job of the request, also right after its start', async () => {
    const queue = await Queue.start();
    const folder = await queue.send(notebookOf('import time\ntime.sleep(600)'), 'a');
    queue.control.send({ type: 'cancel' });
    await queue.control.event((event) => event.type === 'ended');
    assert.equal((await readResult(folder)).state, 'CANCELLED');
    queue.control.send({ type: 'cancel' });
    assert.equal((await queue.run(notebookOf('1'), 'a')).state, 'SUCCEEDED');
  });

  it('leaves no kernel when it is killed', async () => {
    const queue = await Queue.start();
    await queue.run(notebookOf('1'), 'a');
    await queue.send(notebookOf('import time\ntime.sleep(600)'), 'a');
    const { kernelProcess } = await queue.until(({ runStatus }) => runStatus.progress?.cell !== undefined);
    assert.ok(kernelProcess);
    queue.runner.process.kill('SIGKILL');
    await gone(kernelProcess.pid);
  });

  it('finishes its job when no client is connected any more, then exits', async () => {
    const queue = await Queue.start();
    const folder = await queue.send(notebookOf('import time\ntime.sleep(1)\nprint("end" + "ed")'));
    await queue.until(({ runStatus }) => runStatus.progress?.cell !== undefined);
    queue.control.socket.destroy();
    await queue.runner.exited;
    assert.equal(textOf((await readResult(folder)).outputs[0]), 'ended\n');
  });

  it('starts a kernel when forking is impossible: threads, no ipykernel, malformed answers', async () => {
    const queue = await Queue.start();
    const site = path.join(queue.workingDirectory, 'site');
    fs.mkdirSync(site);
    const inPlace = { PYTHONPATH: site };
    for (const [index, customize] of [
      'import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()',
      'import os, sys\nif not any("runpy._run_module_as_main" in each and "fork" not in each for each in sys.orig_argv): os._exit(1)',
      'print("garbage")\nimport sys\nif any("fork_server" in each for each in sys.orig_argv): sys.modules["ipykernel.kernelapp"] = None',
    ].entries()) {
      fs.writeFileSync(path.join(site, 'sitecustomize.py'), customize);
      const kernel = ipykernel({ env: { ...environment(), ...inPlace } });
      const { state, outputs } = await queue.run(notebookOf(PARENT), `site ${index}`, { kernel });
      assert.deepEqual([state, textOf(outputs[0])], ['SUCCEEDED', `${queue.pid}\n`], customize);
    }
  });

  it('forks only kernels that are plain Python, on Linux', () => {
    const launch = ipykernel();
    assert.ok(kernelDifferences(launch, 'linux').forkServer?.(launch.argv));
    for (const platform of ['darwin', 'win32'] as const)
      assert.equal(kernelDifferences(launch, platform).forkServer, undefined);
    for (const argv of [
      ['conda', 'run', 'python', '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
      ['python', '-m', 'other.ipykernel', '-f', '{connection_file}'],
    ])
      assert.equal(kernelDifferences({ ...launch, argv }, 'linux').forkServer?.(argv), undefined);
    const isolated = ['python', '-I', '-m', 'ipykernel_launcher', '-f', '{connection_file}'];
    const { argv = [], words } =
      kernelDifferences({ ...launch, argv: isolated }, 'linux').forkServer?.(isolated) ?? {};
    assert.deepEqual([argv.slice(0, 3), words], [['python', '-I', '-c'], 4]);
  });

  it('decodes exit statuses like wait(2)', () => {
    assert.deepEqual(exitOf(0), { code: 0, signal: null });
    assert.deepEqual(exitOf(3 << 8), { code: 3, signal: null });
    assert.deepEqual(exitOf(11), { code: null, signal: 'SIGSEGV' });
    assert.deepEqual(exitOf(9 | 0x80), { code: null, signal: 'SIGKILL' });
  });
});
