import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FILES } from '../../../src/protocol/execution-folder';
import { PooledRunner } from '../../../src/runner/pooled-runner';
import { Control, endRunners, start } from './runner-process';
import { RANDOM, SNAPSHOT } from './clean-kernel';
import { ipykernel, makeFolders, notebookOf, readResult, textOf } from './running';

describe('the runner’s process, pooled', function () {
  this.timeout(300_000);
  afterEach(endRunners);

  const NUMPY = 'import numpy\nprint(numpy.random.get_state()[2])';

  it('runs a job on a kernel that is as clean as a new one', async () => {
    const notebook = notebookOf(SNAPSHOT, RANDOM, NUMPY);
    const workingDirectory = (await makeFolders(notebook)).folder;
    const fresh = await start(notebook, { workingDirectory });
    await fresh.exited;
    const spare = await start(notebook, { workingDirectory }, true);
    const control = await Control.connect(spare.runtime);
    const kernelLog = path.join(workingDirectory, 'spare.log');
    control.send({ type: 'prepare', kernel: ipykernel(), workingDirectory, kernelLog });
    await control.event((event) => event.type === 'ready');
    control.send({ type: 'run', job: spare.jobFile });
    await control.event((event) => event.type === 'ended');
    control.socket.destroy();
    await spare.exited;
    const [a, b] = [await readResult(fresh.folder), await readResult(spare.folder)];
    assert.deepEqual([a.state, b.state], ['SUCCEEDED', 'SUCCEEDED']);
    assert.deepEqual(JSON.parse(textOf(b.outputs[0])), JSON.parse(textOf(a.outputs[0])));
    assert.notEqual(textOf(b.outputs[1]), textOf(a.outputs[1]));
    assert.equal(textOf(b.outputs[2]), textOf(a.outputs[2]));
    assert.equal(fs.existsSync(kernelLog), false);
    assert.equal(fs.existsSync(path.join(spare.folder, FILES.kernelLog)), true);
    assert.equal(fs.existsSync(spare.jobFile), false);
  });

  it('starts a kernel for a job that arrives before one was prepared', async () => {
    const { runtime, folder, jobFile } = await start(notebookOf('print(1)'), {}, true);
    const control = await Control.connect(runtime);
    control.send({ type: 'run', job: jobFile });
    const ended = await control.event((event) => event.type === 'ended');
    assert.deepEqual(ended, { type: 'ended', isFree: true });
    assert.equal(textOf((await readResult(folder)).outputs[0]), '1\n');
    assert.equal(fs.existsSync(path.join(folder, FILES.kernelLog)), true);
    assert.equal(fs.existsSync(jobFile), false);
  });

  it('accepts no other job when one has left it with much memory', async () => {
    const { runtime, jobFile, exited } = await start(notebookOf("print('x' * 60_000_000)"), {}, true);
    const control = await Control.connect(runtime);
    control.send({ type: 'run', job: jobFile });
    const ended = await control.event((event) => event.type === 'ended');
    assert.deepEqual(ended, { type: 'ended', isFree: false });
    await exited;
  });

  it('exits when no client connects', async () => {
    const { runtime } = await makeFolders('');
    await new PooledRunner(runtime, 50).run();
  });

  it('exits when no client needs it any more', async () => {
    const { runtime, exited } = await start(notebookOf('1'), {}, true);
    const control = await Control.connect(runtime);
    control.socket.destroy();
    await exited;
    assert.equal(fs.existsSync(runtime), false);
  });

  it('exits with its kernel when no client needs it any more', async () => {
    const { runtime, folder, exited } = await start(notebookOf('1'), {}, true);
    const control = await Control.connect(runtime);
    control.send({
      type: 'prepare',
      kernel: ipykernel(),
      workingDirectory: folder,
      kernelLog: path.join(folder, 'log'),
    });
    await control.event((event) => event.type === 'ready');
    control.socket.destroy();
    await exited;
    assert.equal(fs.existsSync(runtime), false);
  });
});
