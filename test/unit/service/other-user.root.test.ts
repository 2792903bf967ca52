import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { VENV_PYTHON } from '../../support/python';
import { ROOT, temporaryFolder, TestService } from './support';

/** `nobody`, or the user with that number: not the one that runs the tests. */
const ANOTHER_USER = 65534;

/**
 * Attempts of another user: reads files, lists folders, connects to sockets, and sends a request to the kernel's port.
 * Prints a JSON object: for each attempt true if it succeeded, or why it failed.
 */
const ATTACKER = `
const fs = require('node:fs'), net = require('node:net');
const { read, list, write, connect, kernel, zeromq } = JSON.parse(process.argv[1]);
const found = {};
const attempt = (name, act) => { try { act(); found[name] = true; } catch (error) { found[name] = error.code; } };
for (const file of read) attempt('read ' + file, () => fs.readFileSync(file));
for (const folder of list) attempt('list ' + folder, () => fs.readdirSync(folder));
for (const folder of write) attempt('write ' + folder, () => fs.rmSync(fs.mkdtempSync(folder + '/x'), { recursive: true }));
const reach = (file) => new Promise((resolve) => {
  const socket = net.connect(file);
  socket.once('connect', () => { found['connect ' + file] = true; socket.destroy(); resolve(); });
  socket.once('error', (error) => { found['connect ' + file] = error.code; resolve(); });
});
const ask = async ({ address, key, keys }) => {
  const { Dealer } = require(zeromq);
  const patience = keys ? 60000 : 2000;
  // Where the kernel has turned it away already, there is no peer to send to.
  const dealer = new Dealer({ linger: 0, sendTimeout: patience, receiveTimeout: patience, ...keys });
  dealer.connect(address);
  const header = JSON.stringify({ msg_id: '1', session: 's', username: 'u', date: '', msg_type: 'kernel_info_request', version: '5.3' });
  const hmac = require('node:crypto').createHmac('sha256', key ?? '').update(header + '{}{}{}').digest('hex');
  const asked = dealer.send(['<IDS|MSG>', hmac, header, '{}', '{}', '{}']);
  found.kernel = await asked.then(() => dealer.receive()).then(() => true, (error) => error.code);
};
Promise.all(connect.map(reach)).then(() => kernel && ask(kernel)).then(() => { console.log(JSON.stringify(found)); process.exit(); });
`;

interface Attempts {
  readonly read: readonly string[];
  readonly list: readonly string[];
  readonly write: readonly string[];
  readonly connect: readonly string[];
  /** Port of a kernel. */
  readonly kernel?: {
    readonly address: string;
    readonly key?: string;
    readonly keys?: Record<string, string>;
  };
}

async function attack(tries: Attempts, who: 'me' | 'another user'): Promise<Record<string, unknown>> {
  const zeromq = path.join(fs.realpathSync(path.join(ROOT, 'node_modules')), 'zeromq');
  const program = [process.execPath, '-e', ATTACKER, JSON.stringify({ ...tries, zeromq })];
  const [command = '', ...args] = program;
  const child = spawn(command, args, {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin' },
    ...(who === 'another user' ? { uid: ANOTHER_USER, gid: ANOTHER_USER } : {}),
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

/** A kernel that has started, and the service that started it. */
async function runningKernel(
  id: string,
  kernel: 'ipc' | 'tcp',
): Promise<{ service: TestService; runtime: string }> {
  const folder = temporaryFolder();
  // Only the extension's own protection keeps others out.
  fs.chmodSync(folder, 0o777);
  const service = await TestService.start(
    folder,
    '--runner',
    path.join(ROOT, 'dist/runner.js'),
    '--no-spare',
  );
  const source = 'import time\ntime.sleep(600)';
  const cell = { cell_type: 'code', id: 'a', metadata: {}, source, outputs: [], execution_count: null };
  const metadata = { kernelspec: { name: kernel, display_name: kernel, language: 'python' } };
  const input = path.join(folder, 'input.ipynb');
  fs.writeFileSync(input, JSON.stringify({ cells: [cell], metadata, nbformat: 4, nbformat_minor: 5 }));
  // The name of the module shows the runner that ipc is supported; with another name it is not used.
  const launcher = path.join(folder, 'launch.py');
  fs.writeFileSync(
    launcher,
    'import runpy\nrunpy.run_module("ipy" + "kernel_launcher", run_name="__main__")',
  );
  const spec = path.join(folder, 'jupyter/kernels', kernel);
  fs.mkdirSync(spec, { recursive: true });
  fs.writeFileSync(
    path.join(spec, 'kernel.json'),
    JSON.stringify({
      argv: [
        VENV_PYTHON,
        ...(kernel === 'ipc' ? ['-m', 'ipykernel_launcher'] : [launcher]),
        '-f',
        '{connection_file}',
      ],
      display_name: kernel,
      language: 'python',
      metadata: { supported_encryption: ['curve'] },
    }),
  );
  const answer = await service.request(
    'POST',
    `v1/projects/local/locations/local/executions?executionId=${id}`,
    {
      executionTemplate: { inputNotebookFile: pathToFileURL(input).href, kernelSpec: kernel },
      runOptions: {
        workingDirectory: folder,
        environment: { HOME: folder, PATH: '/usr/bin:/bin', JUPYTER_PATH: path.join(folder, 'jupyter') },
      },
    },
  );
  assert.equal(answer.code, 200, JSON.stringify(answer.body));
  await service.until(id, ({ state, runStatus }) => {
    assert.notEqual(state, 'FAILED', runStatus?.message);
    return runStatus?.progress?.cell !== undefined;
  });
  const record = JSON.parse(fs.readFileSync(service.file(id, 'execution.json'), 'utf8')) as {
    runtime: string;
  };
  return { service, runtime: record.runtime };
}

describe('Another user of this machine', () => {
  before('can be played by root', () => {
    assert.ok(process.platform === 'linux' && process.getuid?.() === 0, 'Run this as root on Linux.');
  });

  it('cannot access files, the runner, or a kernel on ipc', async () => {
    const { service, runtime } = await runningKernel('mine', 'ipc');
    const data = path.join(service.folder, 'data');
    const [host = ''] = fs.readdirSync(path.join(data, 'hosts'));
    const own = path.join(data, 'hosts', host);
    const tries: Attempts = {
      read: [
        ...['token', 'endpoint.json'].map((name) => path.join(own, name)),
        ...['execution.json', 'input.ipynb', 'output.ipynb', 'kernel.log'].map((name) =>
          service.file('mine', name),
        ),
        ...fs
          .readdirSync(runtime)
          .map((name) => path.join(runtime, name))
          .filter((file) => fs.statSync(file).isFile()),
      ],
      list: [
        data,
        own,
        path.join(data, 'executions'),
        service.file('mine', '.'),
        path.dirname(runtime),
        runtime,
      ],
      write: [data, own, path.join(data, 'executions'), path.dirname(runtime), runtime],
      connect: fs
        .readdirSync(runtime)
        .map((name) => path.join(runtime, name))
        .filter((file) => fs.statSync(file).isSocket()),
    };
    assert.ok(tries.read.includes(path.join(runtime, 'kernel.json')));
    // The control socket and at least four of the kernel's.
    assert.ok(tries.connect.length >= 5, tries.connect.join());
    const count = tries.read.length + tries.list.length + tries.write.length + tries.connect.length;
    const mine = await attack(tries, 'me');
    assert.deepEqual(Object.values(mine), Array<boolean>(count).fill(true), JSON.stringify(mine));
    const theirs = await attack(tries, 'another user');
    assert.deepEqual(Object.values(theirs), Array<string>(count).fill('EACCES'), JSON.stringify(theirs));
    // The port is open to every user; access requires the token.
    assert.equal((await service.request('GET', 'v1/projects', undefined, { authorization: '' })).code, 401);
  });

  it('receives nothing from a kernel on tcp', async () => {
    const { runtime } = await runningKernel('tcp', 'tcp');
    const connection = JSON.parse(fs.readFileSync(path.join(runtime, 'kernel.json'), 'utf8')) as Record<
      string,
      string
    >;
    const {
      transport,
      ip = '',
      control_port,
      key = '',
      curve_publickey = '',
      curve_secretkey = '',
    } = connection;
    assert.deepEqual([transport, ip], ['tcp', '127.0.0.1']);
    const address = `tcp://${ip}:${control_port ?? ''}`;
    const file = path.join(runtime, 'kernel.json');
    const tries = { read: [file], list: [], write: [], connect: [] };
    const theirs = await attack({ ...tries, kernel: { address } }, 'another user');
    assert.deepEqual(theirs, { [`read ${file}`]: 'EACCES', kernel: 'EAGAIN' });
    // A client that knows the contents of that file gets an answer: access fails for no other reason.
    const keys = {
      curveServerKey: curve_publickey,
      curvePublicKey: curve_publickey,
      curveSecretKey: curve_secretkey,
    };
    const mine = await attack({ ...tries, kernel: { address, key, keys } }, 'me');
    assert.deepEqual(mine, { [`read ${file}`]: true, kernel: true });
  });
}).timeout(300_000);
