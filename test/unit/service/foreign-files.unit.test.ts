import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { EmbeddedExecutionService } from '../../../src/embedded';
import { installBundles } from '../../../src/embedded/bundles';
import { ServiceError } from '../../../src/execution/errors';
import { isRuntimeDirectory, removeRuntime } from '../../../src/protocol/runtime-directory';
import { claimant } from '../../../src/service/executions/attempt-files';
import { claimDataDirectory } from '../../../src/protocol/data-directory';
import { servicePaths } from '../../../src/protocol/service-paths';
import { FolderStore } from '../../../src/service/executions/folder-store';
import type { ExecutionRecord } from '../../../src/service/executions/record';
import { makeRuntimeDirectory } from '../../../src/service/runners/runner-process';
import { until } from '../../support/until';
import { FAKE_RUNNER, ROOT, SERVICE, temporaryFolder, TestService } from './support';

const UUID = '01234567-89ab-cdef-0123-456789abcdef';
const MARK = 'notebook-executions.txt';
const LONG_AGO = new Date('2020-01-01');

/** Everything in a folder with its mode, time and content. */
function snapshot(folder: string): string[] {
  return ['.', ...fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })].sort().map((name) => {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file);
    const content = stat.isFile()
      ? fs.readFileSync(file, 'utf8')
      : stat.isSymbolicLink()
        ? fs.readlinkSync(file)
        : '';
    return `${name} ${stat.mode.toString(8)} ${stat.mtimeMs} ${content}`;
  });
}

/** Creates files, or folders if a name ends with a slash, with an old modification time. */
function make(folder: string, ...names: string[]): void {
  for (const name of names) {
    const file = path.join(folder, name);
    fs.mkdirSync(name.endsWith('/') ? file : path.dirname(file), { recursive: true });
    if (!name.endsWith('/')) fs.writeFileSync(file, 'precious');
  }
  const all = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of all.sort().reverse()) fs.lutimesSync(path.join(folder, name), LONG_AGO, LONG_AGO);
}

/** Contents of a home directory or a project. */
const FOREIGN = [
  '.git/config',
  '.ssh/id_ed25519',
  '.bashrc',
  'notes.txt',
  'executions/mine/execution.json',
  'executions/.hidden/file',
  'versions/1.0.0/file',
  'versions/.draft',
  'staging/page.html',
  'hosts/example.org',
  'config.json',
];

describe('A data directory', () => {
  let folder: string;
  let data: string;
  beforeEach(() => {
    folder = temporaryFolder();
    data = path.join(folder, 'data');
  });
  const claim = (): Promise<void> => claimDataDirectory(servicePaths(data));
  const isForeign = (names: string) => (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error));
    assert.deepEqual([error.reason, error.args], ['dataDirectoryForeign', { path: data, names }]);
    return true;
  };

  it('is accepted and marked when it is new, empty, or contains only our own files', async () => {
    await claim();
    assert.deepEqual(fs.readdirSync(data), [MARK]);
    assert.equal(fs.statSync(data).mode & 0o777, 0o700);
    for (const names of [
      [],
      ['.DS_Store', '.nfs0001'],
      ['config.json', 'executions/', 'versions/', 'staging/', 'hosts/'],
    ]) {
      fs.rmSync(data, { recursive: true });
      fs.mkdirSync(data, { mode: 0o755 });
      make(data, ...names.filter((name) => name !== 'config.json'));
      if (names.includes('config.json'))
        fs.writeFileSync(path.join(data, 'config.json'), '{"maxConcurrent":1}');
      await claim();
      assert.ok(fs.existsSync(path.join(data, MARK)), names.join());
      assert.equal(fs.statSync(data).mode & 0o777, 0o700);
    }
    // Once the folder is marked it is ours, and files that the user adds later stay.
    make(data, 'notes.txt', '.git/config');
    const before = snapshot(data);
    await claim();
    assert.deepEqual(snapshot(data), before);
  });

  it('with other files is refused and left unchanged', async () => {
    for (const name of ['notes.txt', '.git/config', 'Executions/', `${MARK}/`, '.config.json.new.txt']) {
      fs.mkdirSync(data, { mode: 0o755 });
      make(data, name, 'executions/');
      const before = snapshot(data);
      await assert.rejects(claim(), isForeign(name.split('/')[0] ?? ''));
      assert.deepEqual(snapshot(data), before);
      fs.rmSync(data, { recursive: true });
    }
    fs.mkdirSync(data);
    make(data, 'a', 'b', 'c', 'd');
    await assert.rejects(claim(), isForeign('a, b, c, …'));
    // Settings of another program.
    fs.rmSync(data, { recursive: true });
    fs.mkdirSync(data);
    fs.writeFileSync(path.join(data, 'config.json'), '{"theme":"dark"}');
    await assert.rejects(claim(), isForeign('config.json'));
  });

  it('with other files: the command line says what to do and changes nothing', () => {
    fs.mkdirSync(data, { mode: 0o755 });
    make(data, ...FOREIGN);
    const before = snapshot(data);
    for (const command of ['serve', 'stop']) {
      const { status, stderr, stdout } = spawnSync(
        process.execPath,
        [SERVICE, command, '--data-dir', data, '--runner', FAKE_RUNNER],
        { encoding: 'utf8' },
      );
      assert.equal(status, command === 'serve' ? 1 : 0);
      assert.equal(stdout, '');
      if (command === 'serve') {
        assert.match(
          stderr,
          /holds files that are not of Notebook Executions \(\.bashrc, \.git, \.ssh, …\); nothing was changed there\. Choose an empty or a new folder/,
        );
        assert.ok(!stderr.includes('\n    at '), stderr);
      }
      assert.deepEqual(snapshot(data), before, command);
    }
  });

  it('with other files: a window changes nothing there, whichever command is used', async () => {
    fs.mkdirSync(data, { mode: 0o755 });
    make(data, ...FOREIGN);
    const before = snapshot(data);
    const client = new EmbeddedExecutionService({
      dataDirectory: data,
      bundles: path.join(ROOT, 'dist'),
      version: '1.0.0',
      config: { spare: false },
    });
    const refused = isForeign('.bashrc, .git, .ssh, …');
    try {
      assert.equal(await client.info(), undefined);
      await assert.rejects(client.list({}), refused);
      await assert.rejects(client.configure({ spare: true }), refused);
      await assert.rejects(
        client.create('one', { executionTemplate: {} }, { notebook: Buffer.from('{}') }),
        refused,
      );
      await assert.rejects(client.cleanUp(new Date().toISOString(), false), refused);
      await assert.rejects(client.restart(), refused);
    } finally {
      client.dispose();
    }
    assert.deepEqual(snapshot(data), before);
  });

  it('of ours: only files that we created are removed', async () => {
    await claim();
    const paths = servicePaths(data);
    const host = path.join('hosts', path.basename(paths.host));
    const ours = [
      `.config.json.${UUID}`,
      `versions/.1.0.0-0123456789ab-${UUID}/file`,
      `staging/host.1.${UUID}.ipynb`,
      `executions/.01234567-new-one-${UUID}/file`,
      `executions/.01234567-deleted-one-${UUID}/file`,
      ...['token', 'endpoint.json', 'clock.json', 'retention.json'].map((name) => `${host}/.${name}.${UUID}`),
      `${host}/.clock.json.new`,
      `${host}/spare-0123456789.log`,
      `${host}/lock.7.4194305`,
      `${host}/run/0123456789/kernel2.json`,
    ];
    make(data, ...ours);
    const before = fs.readdirSync(data, { recursive: true }).length;
    make(
      data,
      ...FOREIGN,
      `${host}/.secret`,
      `${host}/run/mine/file`,
      `${host}/spare-parts.log`,
      'executions/.x-new-one-1/file',
    );
    fs.symlinkSync('nowhere', path.join(data, '.dangling'));
    fs.symlinkSync('nowhere', path.join(data, 'executions/.dangling'));
    fs.rmSync(path.join(data, 'config.json'));
    const mine = snapshot(data).filter((line) => line.includes('precious') || line.includes('nowhere'));
    assert.ok(before > ours.length);
    const service = await TestService.start(folder);
    await until('what is ours is removed', () => ours.every((name) => !fs.existsSync(path.join(data, name))));
    await service.create('other');
    await service.ended('other');
    const left = snapshot(data).filter((line) => line.includes('precious') || line.includes('nowhere'));
    const isOurs = (line: string): boolean => ours.some((name) => line.startsWith(`${name} `));
    assert.deepEqual(
      left,
      mine.filter((line) => !isOurs(line)),
    );
    assert.match(service.stderr.join(''), /ignored 3 unknown entries in .*executions: /);
  });

  it('of ours: old bundles are removed, other folders stay', async () => {
    const bundles = path.join(folder, 'dist');
    make(bundles, 'service.js', 'runner.js', 'node_modules/zeromq/index.js');
    const versions = path.join(data, 'versions');
    const old = Array.from({ length: 9 }, (_, index) => `1.0.${index}-0123456789ab`);
    make(versions, ...[...old, 'backup', '1.0.0', '.git'].map((name) => `${name}/file`));
    const { build } = await installBundles(bundles, '2.0.0', versions);
    const left = fs.readdirSync(versions);
    assert.equal(left.filter((name) => old.includes(name)).length, 4);
    assert.deepEqual(left.filter((name) => !old.includes(name)).sort(), ['.git', '1.0.0', build, 'backup']);
  });

  it('does not change permissions of folders that links in it point to', async () => {
    const elsewhere = path.join(folder, 'elsewhere');
    fs.mkdirSync(elsewhere, { mode: 0o755 });
    fs.mkdirSync(data);
    fs.symlinkSync(elsewhere, path.join(data, 'executions'));
    const service = await TestService.start(folder);
    await service.create('linked');
    assert.equal((await service.ended('linked')).state, 'SUCCEEDED');
    assert.equal(fs.statSync(elsewhere).mode & 0o777, 0o755);
    assert.equal(fs.statSync(path.join(elsewhere, 'linked')).mode & 0o777, 0o700);
  });
}).timeout(60_000);

describe('A path that is read from a file', () => {
  it('is not treated as a runtime directory unless it was created as one', async () => {
    const folder = temporaryFolder();
    const root = path.join(folder, 'hosts/me/run');
    assert.ok(isRuntimeDirectory(makeRuntimeDirectory(root)));
    const others = [
      '/',
      '/tmp',
      os.homedir(),
      root,
      path.join(root, 'mine'),
      `${root}/0123456789/..`,
      'hosts/me/run/0123456789',
      path.join(folder, '0123456789'),
      '',
    ];
    for (const other of others) assert.ok(!isRuntimeDirectory(other), other);
    // Its folder is a link to another folder.
    make(folder, 'kept/0123456789/file');
    fs.mkdirSync(path.join(folder, 'hosts/you'));
    fs.symlinkSync(path.join(folder, 'kept'), path.join(folder, 'hosts/you/run'));
    await removeRuntime(path.join(folder, 'hosts/you/run/0123456789'));
    assert.ok(fs.existsSync(path.join(folder, 'kept/0123456789/file')));
  });

  it('in a record: nothing is removed there, and the execution still ends', async () => {
    const folder = temporaryFolder();
    const first = await TestService.start(folder, '--max-concurrent', '3');
    for (const id of ['one', 'two', 'three']) {
      await first.create(id, 'wait');
      await first.running(id);
    }
    await first.kill();
    const precious = path.join(folder, 'precious');
    make(precious, 'control', 'kernel.json', 'deeper/file');
    const before = snapshot(precious);
    // Only below the test's own folder: a failing test must do no harm.
    const runtimes = { one: precious, two: folder, three: `${precious}/../precious/deeper` };
    for (const [id, runtime] of Object.entries(runtimes)) {
      process.kill(Number(fs.readFileSync(first.file(id, 'pid'), 'utf8')), 'SIGKILL');
      const record = JSON.parse(fs.readFileSync(first.file(id, 'execution.json'), 'utf8')) as object;
      fs.writeFileSync(first.file(id, 'execution.json'), JSON.stringify({ ...record, runtime }));
    }
    const second = await TestService.start(folder);
    for (const id of Object.keys(runtimes)) {
      assert.equal((await second.ended(id)).runStatus?.cause, 'hostLost');
      await second.delete(id);
    }
    assert.deepEqual(snapshot(precious), before);
  });

  it('on a runner’s command line: that folder is not removed', () => {
    const folder = temporaryFolder();
    make(folder, 'precious');
    const runner = path.join(ROOT, 'dist/runner.js');
    const run = spawnSync(process.execPath, [
      runner,
      '--runtime',
      folder,
      '--job',
      path.join(folder, 'none'),
    ]);
    assert.equal(run.status, 1);
    assert.deepEqual(fs.readdirSync(folder), ['precious']);
  });

  it('in a claim: only a process id is accepted, not a process group id', async () => {
    const store = new FolderStore(temporaryFolder(), 'host', () => undefined);
    const record = { id: 'one' } as ExecutionRecord;
    fs.mkdirSync(store.folder('one'));
    const claims = { '4711': 4711, '0': undefined, '-1': undefined, '': undefined, withdrawn: undefined };
    for (const [claim, pid] of Object.entries(claims)) {
      fs.writeFileSync(store.file('one', 'claim'), claim);
      assert.equal(await claimant(store, record), pid, claim);
    }
  });
}).timeout(60_000);
