import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { EmbeddedExecutionService, type EmbeddedServiceOptions } from '../../../src/embedded';
import { ServiceError } from '../../../src/execution/errors';
import type { Execution, ExecutionRequest } from '../../../src/execution/execution';
import { isTerminal } from '../../../src/execution/states';
import { FAKE_RUNNER, fakeKernel, NOTEBOOK, SERVICE, temporaryFolder } from '../service/support';

const NAME = 'projects/local/locations/local/executions/';
const input = { notebook: Buffer.from(NOTEBOOK) };

/** Bundles with the fake runner. */
function bundles(folder: string, name = 'dist'): string {
  const dist = path.join(folder, name);
  fs.mkdirSync(path.join(dist, 'node_modules'), { recursive: true });
  fs.copyFileSync(SERVICE, path.join(dist, 'service.js'));
  fs.writeFileSync(path.join(dist, 'runner.js'), `require(${JSON.stringify(FAKE_RUNNER)});`);
  return dist;
}

function reason(wanted: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.reason, wanted, error.message);
    return true;
  };
}

describe('The client of the embedded service', () => {
  let folder: string;
  let options: EmbeddedServiceOptions;
  const clients: EmbeddedExecutionService[] = [];

  function client(more: Partial<EmbeddedServiceOptions> = {}): EmbeddedExecutionService {
    const made = new EmbeddedExecutionService({ ...options, ...more });
    clients.push(made);
    return made;
  }
  function request(fake = 'succeed'): ExecutionRequest {
    return {
      executionTemplate: { parameters: JSON.stringify({ fake }) },
      runOptions: { environment: fakeKernel(folder), source: 'file:///somewhere/mine.ipynb' },
    };
  }
  async function ended(service: EmbeddedExecutionService, name: string): Promise<Execution> {
    for (;;) {
      const execution = await service.get(name);
      if (isTerminal(execution.state)) return execution;
    }
  }

  beforeEach(() => {
    folder = temporaryFolder();
    options = {
      dataDirectory: path.join(folder, 'data'),
      bundles: bundles(folder),
      version: '1.0.0',
      idleSeconds: 20,
    };
  });
  afterEach(() => {
    execFileSync(process.execPath, [SERVICE, 'stop', '--data-dir', options.dataDirectory]);
    for (const each of clients.splice(0)) each.dispose();
  });

  it('does nothing until it is used, then starts a service, and connects to a running one', async () => {
    const one = client();
    assert.equal(await one.info(), undefined);
    assert.ok(!fs.existsSync(options.dataDirectory));
    assert.deepEqual(await one.list({}), { executions: [], nextPageToken: undefined });
    const started = await one.info();
    const other = client();
    await other.list({});
    assert.equal((await other.info())?.pid, started?.pid);
    assert.match(started?.build ?? '', /^1\.0\.0-[0-9a-f]{12}$/);
    const [version = ''] = fs.readdirSync(path.join(options.dataDirectory, 'versions'));
    assert.equal(version, started?.build);
    // An update or removal of the extension does not affect running executions.
    fs.rmSync(options.bundles, { recursive: true });
    await one.create('after', request(), input);
    assert.equal((await ended(one, `${NAME}after`)).state, 'SUCCEEDED');
  });

  it('returns the same objects for unchanged executions', async () => {
    const service = client();
    const { name } = await service.create('same', request(), input);
    await ended(service, name);
    const [before] = (await service.list({})).executions;
    assert.equal(before?.state, 'SUCCEEDED');
    await service.pin(name, true);
    const [pinned] = (await service.list({})).executions;
    assert.equal(pinned?.runStatus?.pinned, true);
    assert.equal((await service.list({})).executions[0], pinned);
  });

  it('runs an execution and reads its files', async () => {
    const service = client();
    const created = await service.create('files', request(), input);
    assert.equal(created.name, `${NAME}files`);
    assert.equal(created.displayName, 'mine');
    assert.deepEqual(fs.readdirSync(path.join(options.dataDirectory, 'staging')), []);
    const execution = await ended(service, created.name);
    const read = async (document: Awaited<ReturnType<typeof service.readOutput>>): Promise<string> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of document?.read() ?? []) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    assert.equal(await read(await service.readInput(execution)), NOTEBOOK);
    const output = await service.readOutput(execution);
    assert.equal(await read(output), `output of ${execution.name} 1`);
    assert.equal(output?.size, `output of ${execution.name} 1`.length);
    const folderOf = path.join(options.dataDirectory, 'executions', 'files');
    fs.writeFileSync(path.join(folderOf, 'kernel.log'), 'aü'.repeat(400_000));
    let log = '';
    for (let from = ''; ;) {
      const { text, next } = await service.readLog(execution, from);
      if (next === from) break;
      log += text;
      from = next;
    }
    assert.equal(log, 'aü'.repeat(400_000));
    fs.rmSync(path.join(folderOf, 'output.ipynb'));
    assert.equal(await service.readOutput(execution), undefined);
    await service.delete(execution.name);
    await assert.rejects(service.get(execution.name), reason('executionNotFound'));
    await assert.rejects(service.delete(execution.name), reason('executionNotFound'));
    await assert.rejects(
      service.get('projects/local/locations/local/executions/../../x'),
      reason('executionNotFound'),
    );
  });

  it('cancels and deletes a running execution', async () => {
    const service = client();
    const { name } = await service.create('running', request('wait'), input);
    await service.delete(name);
    assert.deepEqual((await service.list({})).executions, []);
    const second = await service.create('second', request('wait'), input);
    assert.ok(['CANCELLING', 'CANCELLED'].includes((await service.cancel(second.name)).state));
    assert.equal((await ended(service, second.name)).state, 'CANCELLED');
  });

  it('rejects with the service’s reason and field', async () => {
    const service = client();
    await assert.rejects(
      service.create('bad', { ...request(), executionTemplate: { parameters: '[]' } }, input),
      (error) => {
        reason('parametersInvalid')(error);
        assert.deepEqual((error as ServiceError).args, {
          field: 'executionTemplate.parameters',
          code: 'notMapping',
        });
        return true;
      },
    );
    await assert.rejects(
      service.create('bad', {}, { notebook: Buffer.from('{') }),
      reason('notebookInvalid'),
    );
    assert.deepEqual(fs.readdirSync(path.join(options.dataDirectory, 'staging')), []);
  });

  it('restarts the service when it has died, even during a call', async () => {
    const service = client();
    await service.create('one', request(), input);
    const info = await service.info();
    process.kill(info?.pid ?? 0, 'SIGKILL');
    assert.equal((await service.list({})).executions.length, 1);
    assert.notEqual((await service.info())?.pid, info?.pid);
    await service.restart();
    assert.equal((await service.list({})).executions.length, 1);
    await service.stop();
    assert.equal(await service.info(), undefined);
    assert.equal((await ended(service, `${NAME}one`)).state, 'SUCCEEDED');
  });

  it('starts one service when 20 windows ask at the same instant', async () => {
    const windows = Array.from({ length: 20 }, () => client());
    await Promise.all(windows.map((window) => window.list({})));
    const pids = await Promise.all(windows.map(async (window) => (await window.info())?.pid));
    assert.equal(new Set(pids).size, 1);
    // Each of them may also create the same execution: it exists once.
    const results = await Promise.all(windows.map((window) => window.create('same', request(), input)));
    assert.equal(new Set(results.map(({ createTime }) => createTime)).size, 1);
    assert.equal((await windows[0]?.list({}))?.executions.length, 1);
  }).timeout(300_000);

  it('lets a newer version take over, which the older one then uses', async () => {
    const old = client();
    const { name } = await old.create('stays', request('wait'), input);
    const before = await old.info();
    const newer = client({ version: '1.0.1', bundles: bundles(folder, 'newer') });
    await newer.list({});
    const after = await newer.info();
    assert.match(after?.build ?? '', /^1\.0\.1-/);
    assert.notEqual(after?.pid, before?.pid);
    await old.list({});
    assert.equal((await old.info())?.pid, after?.pid);
    for (;;) if ((await old.get(name)).state === 'RUNNING') break;
    fs.writeFileSync(path.join(options.dataDirectory, 'executions/stays/go'), '');
    assert.equal((await ended(newer, name)).state, 'SUCCEEDED');
  });

  it('lets the newer of two versions that start at the same instant serve both', async () => {
    const newer = { version: '1.0.1', bundles: bundles(folder, 'newer') };
    const windows = Array.from({ length: 10 }, (_, index) => client(index % 2 === 0 ? {} : newer));
    const results = await Promise.all(
      windows.map((window, index) => window.create(`at-once-${index}`, request(), input)),
    );
    assert.equal(new Set(results.map(({ name }) => name)).size, 10);
    for (const window of windows) assert.equal((await window.list({})).executions.length, 10);
    const builds = await Promise.all(windows.map(async (window) => (await window.info())?.build));
    assert.equal(new Set(builds).size, 1);
    assert.match(builds[0] ?? '', /^1\.0\.1-/);
    for (const { name } of results) assert.equal((await ended(client(), name)).state, 'SUCCEEDED');
  }).timeout(60_000);

  it('notices a service that hangs, reports it, and can restart it', async () => {
    const service = client();
    await service.list({});
    const { pid = 0 } = (await service.info()) ?? {};
    process.kill(pid, 'SIGSTOP');
    try {
      await assert.rejects(client().list({}), reason('serviceNotResponding'));
      await service.restart();
      assert.notEqual((await service.info())?.pid, pid);
      assert.throws(() => process.kill(pid, 0));
    } catch (error) {
      process.kill(pid, 'SIGCONT');
      throw error;
    }
  }).timeout(60_000);

  it('reports why a service does not start', async () => {
    const broken = path.join(folder, 'broken');
    fs.cpSync(options.bundles, broken, { recursive: true });
    fs.writeFileSync(path.join(broken, 'service.js'), 'throw new Error("broken on purpose")');
    await assert.rejects(client({ bundles: broken }).list({}), (error) => {
      reason('serviceNotStarted')(error);
      assert.match((error as ServiceError).args['log'] ?? '', /broken on purpose/);
      return true;
    });
    await assert.rejects(client({ nodePath: '/no/such/node' }).list({}), reason('serviceNotStarted'));
    await assert.rejects(
      client({ bundles: path.join(folder, 'none') }).list({}),
      reason('serviceNotStarted'),
    );
  });

  it('does not use a token that other users can read', async () => {
    const service = client();
    await service.list({});
    const hosts = path.join(options.dataDirectory, 'hosts');
    const token = path.join(hosts, fs.readdirSync(hosts)[0] ?? '', 'token');
    fs.chmodSync(token, 0o644);
    await assert.rejects(client().list({}), reason('tokenFileExposed'));
  });

  it('ignores the endpoint of another host or boot', async () => {
    const service = client();
    await service.list({});
    const pid = (await service.info())?.pid;
    const hosts = path.join(options.dataDirectory, 'hosts');
    const file = path.join(hosts, fs.readdirSync(hosts)[0] ?? '', 'endpoint.json');
    const endpoint = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    for (const change of [{ host: 'elsewhere' }, { boot: 'former' }]) {
      fs.writeFileSync(file, JSON.stringify({ ...endpoint, ...change }));
      assert.equal(await client().info(), undefined);
    }
    fs.writeFileSync(file, JSON.stringify(endpoint));
    assert.equal((await client().info())?.pid, pid);
  });

  it('ends a wait when it is aborted', async () => {
    const service = client();
    await assert.rejects(service.list({}, AbortSignal.abort(new Error('enough'))), /enough/);
    const controller = new AbortController();
    const waiting = service.list({}, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await service.list({});
  });

  it('passes settings to a running service', async () => {
    const service = client({ config: { maxConcurrent: 1 } });
    await service.create('one', request('wait'), input);
    await service.create('two', request('wait'), input);
    assert.equal((await service.info())?.maxConcurrent, 1);
    await service.configure({ maxConcurrent: 3, spare: false });
    await service.create('three', request('wait'), input);
    assert.equal((await service.info())?.running, 3);
    await Promise.all(['one', 'two', 'three'].map((id) => service.delete(`${NAME}${id}`)));
  });
}).timeout(60_000);
