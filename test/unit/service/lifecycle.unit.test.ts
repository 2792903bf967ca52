import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunnerJob } from '../../../src/protocol/runner-job';
import { until } from '../../support/until';
import { PARENT, states, temporaryFolder, TestService } from './support';

describe('An execution on the embedded service', () => {
  let folder: string;
  let service: TestService;
  before(async () => {
    folder = temporaryFolder();
    service = await TestService.start(folder, '--max-concurrent', '2');
  });

  it('passes through every state, each with its time', async () => {
    const { code, body } = await service.create('plain');
    assert.equal(code, 200);
    assert.equal(body['done'], true);
    const execution = await service.ended('plain');
    assert.deepEqual(states(execution), ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED']);
    const times = (execution.runStatus?.history ?? []).map(({ time }) => time);
    assert.deepEqual(times, [...times].sort());
    assert.equal(execution.runStatus?.attempt, 1);
    assert.equal(
      execution.executionTemplate?.inputNotebookFile,
      pathToFileURL(service.file('plain', 'input.ipynb')).href,
    );
    assert.equal(execution.outputNotebookFile, pathToFileURL(service.file('plain', 'output.ipynb')).href);
  });

  it('leaves no environment variables behind, neither in answers nor on disk', async () => {
    await service.create('secret', 'succeed', {
      options: { environment: { JUPYTER_PATH: path.join(folder, 'jupyter'), TOKEN: 'hush-hush' } },
    });
    const execution = await service.ended('secret');
    assert.ok(!JSON.stringify(execution).includes('hush-hush'));
    const record = service.file('secret', 'execution.json');
    await until('it is written down', () => fs.readFileSync(record, 'utf8').includes('SUCCEEDED'));
    for (const name of fs.readdirSync(service.file('secret', '.')))
      assert.ok(!fs.readFileSync(service.file('secret', name), 'utf8').includes('hush-hush'), name);
  });

  it('waits in the queue: the limit of parallel runs is kept, oldest first', async () => {
    for (const id of ['q1', 'q2', 'q3', 'q4']) await service.create(id, 'wait');
    await service.running('q1');
    await service.running('q2');
    assert.equal((await service.get('q3')).state, 'QUEUED');
    service.go('q2');
    await service.running('q3');
    assert.equal((await service.get('q4')).state, 'QUEUED');
    for (const id of ['q1', 'q3', 'q4']) {
      await service.running(id);
      service.go(id);
      await service.ended(id);
    }
  });

  it('can be cancelled while it runs and while it waits', async () => {
    await service.create('c1', 'wait');
    await service.create('c2', 'wait');
    await service.create('c3', 'wait');
    await service.running('c1');
    const { body } = await service.request('POST', `${PARENT}/executions/c3:cancel`);
    assert.equal(body['state'], 'CANCELLED');
    assert.ok(!fs.existsSync(service.file('c3', 'job.json')));
    const answer = await service.request('POST', `${PARENT}/executions/c1:cancel`, {});
    // The answer comes when it is saved; the runner may have ended meanwhile.
    assert.match(String(answer.body['state']), /^CANCELL(?:ING|ED)$/);
    const cancelled = await service.ended('c1');
    assert.equal(cancelled.state, 'CANCELLED');
    assert.equal(cancelled.runStatus?.cause, 'cancelled');
    assert.deepEqual(states(cancelled).slice(-2), ['CANCELLING', 'CANCELLED']);
    assert.equal(states(cancelled).filter((state) => state === 'CANCELLING').length, 1);
    assert.deepEqual(states(await service.get('c3')), ['INITIALIZING', 'QUEUED', 'CANCELLED']);
    service.go('c2');
    // Cancelling a finished execution changes nothing.
    assert.equal((await service.ended('c2')).state, 'SUCCEEDED');
    assert.equal(
      (await service.request('POST', `${PARENT}/executions/c2:cancel`)).body['state'],
      'SUCCEEDED',
    );
  });

  it('is deleted with its files; a running one is cancelled first', async () => {
    await service.create('d1', 'wait');
    await service.running('d1');
    assert.equal((await service.delete('d1')).body['done'], false);
    assert.equal((await service.request('GET', `${PARENT}/executions/d1`)).code, 404);
    assert.ok(!fs.existsSync(service.file('d1', '.')));
    assert.equal((await service.request('DELETE', `${PARENT}/executions/plain`)).body['done'], true);
    assert.equal((await service.request('DELETE', `${PARENT}/executions/plain`)).code, 404);
  });

  it('writes the output to the requested place, and never over an existing file', async () => {
    const target = path.join(folder, 'out', 'deeper');
    fs.mkdirSync(target, { recursive: true });
    fs.writeFileSync(path.join(target, 'my notebook-placed.ipynb'), 'mine');
    await service.create('placed', 'succeed', {
      template: { outputNotebookFolder: pathToFileURL(target).href },
    });
    const execution = await service.ended('placed');
    const placed = path.join(target, 'my notebook-placed-1.ipynb');
    assert.equal(execution.outputNotebookFile, pathToFileURL(placed).href);
    assert.match(fs.readFileSync(placed, 'utf8'), /^output of .*placed 1$/);
    assert.equal(fs.readFileSync(path.join(target, 'my notebook-placed.ipynb'), 'utf8'), 'mine');
    assert.deepEqual(fs.readdirSync(target).sort(), [
      'my notebook-placed-1.ipynb',
      'my notebook-placed.ipynb',
    ]);
    assert.equal(fs.statSync(placed).mode & 0o777, 0o600);
  });

  it('gives the output the requested name', async () => {
    const target = path.join(folder, 'named');
    for (const id of ['named1', 'named2']) {
      await service.create(id, 'succeed', {
        template: { outputNotebookFolder: pathToFileURL(target).href },
        options: { outputName: 'report 2026-11-23.ipynb' },
      });
      await service.ended(id);
    }
    assert.deepEqual(fs.readdirSync(target).sort(), ['report 2026-11-23-1.ipynb', 'report 2026-11-23.ipynb']);
  });

  it('creates the output folder when needed, and keeps the output when that fails', async () => {
    const target = path.join(folder, 'new', 'folder');
    const template = { outputNotebookFolder: pathToFileURL(target).href };
    await service.create('made', 'succeed', { template });
    assert.equal(
      (await service.ended('made')).outputNotebookFile,
      pathToFileURL(path.join(target, 'my notebook-made.ipynb')).href,
    );
    await service.create('unplaced', 'wait', { template });
    await service.running('unplaced');
    fs.rmSync(target, { recursive: true });
    fs.writeFileSync(target, 'a file now');
    service.go('unplaced');
    const execution = await service.ended('unplaced');
    assert.equal(execution.state, 'SUCCEEDED');
    assert.deepEqual(execution.runStatus?.warnings?.at(-1)?.code, 'outputNotPlaced');
    assert.equal(execution.outputNotebookFile, pathToFileURL(service.file('unplaced', 'output.ipynb')).href);
  });

  it('passes the output path in the new folder to its runner before that folder is created', async () => {
    const target = path.join(folder, 'later', 'folder');
    for (const id of ['path1', 'path2']) await service.create(id, 'wait');
    await service.running('path2');
    const template = { outputNotebookFolder: pathToFileURL(target).href };
    await service.create('path', 'succeed', { template });
    const job = JSON.parse(fs.readFileSync(service.file('path', 'job.json'), 'utf8')) as RunnerJob;
    assert.equal(job.outputPath, path.join(target, 'my notebook-path.ipynb'));
    for (const id of ['path1', 'path2']) service.go(id);
    await service.ended('path');
  });

  it('ends as its runner recorded, even if the runner exited before the service reached it', async () => {
    await service.create('unheard', 'unheard');
    assert.equal((await service.ended('unheard')).state, 'SUCCEEDED');
  });

  it('ends as FAILED, hostLost, when its runner dies', async () => {
    await service.create('crash', 'crash');
    const execution = await service.ended('crash');
    assert.equal(execution.state, 'FAILED');
    assert.equal(execution.runStatus?.cause, 'hostLost');
    assert.equal(execution.runStatus.detail?.code, 'runnerSignal');
    assert.deepEqual(states(execution), ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'FAILED']);
    await service.create('refuse', 'refuse');
    const refused = await service.ended('refuse');
    assert.equal(refused.state, 'FAILED');
    assert.equal(refused.runStatus?.cause, 'serviceError');
    assert.match(refused.runStatus.message ?? '', /exit code 3/);
    assert.deepEqual(refused.runStatus.detail, { code: 'runnerExit', args: { exitCode: '3' } });
  });

  it('ignores malformed messages of its runner', async () => {
    await service.create('odd', 'odd');
    await service.running('odd');
    service.go('odd');
    const execution = await service.ended('odd');
    assert.deepEqual(states(execution), ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED']);
  });

  it('ends as FAILED, serviceError, when the service cannot start its runner', async () => {
    for (const id of ['before1', 'before2', 'log']) await service.create(id, 'wait');
    await service.running('before2');
    fs.mkdirSync(service.file('log', 'runner.log'));
    for (const id of ['before1', 'before2']) service.go(id);
    const { state, runStatus } = await service.ended('log');
    assert.deepEqual([state, runStatus?.cause], ['FAILED', 'serviceError']);
    assert.match(runStatus?.message ?? '', /EISDIR/);
  });

  it('is retried after a system failure only if retries were requested', async () => {
    const options = { maxAttempts: 2 };
    for (const [id, fake] of [
      ['once-crash', 'crashOnce'],
      ['once-ready', 'notReadyOnce'],
    ] as const) {
      await service.create(id, fake);
      assert.equal((await service.ended(id)).state, 'FAILED');
      await service.create(`${id}-2`, fake, {
        options: { ...options, environment: { JUPYTER_PATH: path.join(folder, 'jupyter') } },
      });
      const execution = await service.ended(`${id}-2`);
      assert.equal(execution.state, 'SUCCEEDED');
      assert.equal(execution.runStatus?.attempt, 2);
      assert.deepEqual(states(execution).filter((state) => state === 'QUEUED').length, 2);
      assert.ok(!fs.existsSync(service.file(`${id}-2`, 'retry.json')));
    }
    await service.create('never', 'crash', {
      options: { ...options, environment: { JUPYTER_PATH: path.join(folder, 'jupyter') } },
    });
    assert.equal((await service.ended('never')).runStatus?.attempt, 2);
  });

  it('fails in PREPARING when its kernel has been removed meanwhile', async () => {
    for (const id of ['v1', 'v2', 'v3']) await service.create(id, 'wait');
    await service.running('v2');
    fs.rmSync(path.join(folder, 'jupyter'), { recursive: true });
    service.go('v1');
    const execution = await service.ended('v3');
    assert.equal(execution.runStatus?.cause, 'kernelNotFound');
    assert.match(execution.runStatus.message ?? '', / no longer exists\. Kernels found: \w/);
    const { code, args = {} } = execution.runStatus.detail ?? {};
    // The machine may have kernels.
    assert.match(code ?? '', /^(?:lastKernelGone|kernelGone)$/);
    assert.ok(args['path']?.startsWith(path.join(folder, 'jupyter')), args['path']);
    assert.deepEqual(states(execution).slice(-2), ['PREPARING', 'FAILED']);
    // Its output shows that nothing was run.
    const { metadata } = JSON.parse(fs.readFileSync(service.file('v3', 'output.ipynb'), 'utf8')) as {
      metadata: { papermill: Record<string, unknown> };
    };
    const { exception, end_time: end } = metadata.papermill;
    assert.ok(exception === true && typeof end === 'string');
    service.go('v2');
    await service.ended('v2');
  });

  it('leaves no process and no runtime directory behind', async () => {
    const run = path.join(folder, 'data', 'hosts');
    const [host = ''] = fs.readdirSync(run);
    // The fake runner exits a moment later.
    await until('all are gone', () => fs.readdirSync(path.join(run, host, 'run')).length === 0, 50_000);
  });
}).timeout(60_000);
