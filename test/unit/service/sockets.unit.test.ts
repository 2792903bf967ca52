import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ServiceError } from '../../../src/execution/errors';
import { runtimeRoots, servicePaths } from '../../../src/protocol/service-paths';
import { chooseRuntimeRoot } from '../../../src/service/runners/runner-process';
import { until } from '../../support/until';
import { FAKE_RUNNER, PARENT, ROOT, SERVICE, temporaryFolder, TestService } from './support';

const LONG = 'x'.repeat(100);

describe('The folder for sockets', () => {
  it('is absolute and short for every value of the environment variables', () => {
    const paths = servicePaths(`/${LONG}`);
    for (const XDG_RUNTIME_DIR of [undefined, '', '.', 'run/user', '~/run', `/${LONG}`]) {
      for (const TMPDIR of [undefined, '', 'tmp', `/${LONG}`]) {
        const roots = runtimeRoots(paths, 'linux', { XDG_RUNTIME_DIR, TMPDIR });
        assert.deepEqual(
          roots.map((root) => path.dirname(root)),
          ['/tmp', '/var/tmp'],
        );
      }
    }
    const [first = ''] = runtimeRoots(paths, 'linux', {
      XDG_RUNTIME_DIR: '/run/user/1000',
      TMPDIR: '/scratch',
    });
    assert.match(first, /^\/run\/user\/1000\/nbx-\d*-[0-9a-f]{12}$/);
    assert.equal(
      runtimeRoots(servicePaths('/data'), 'linux')[0],
      path.join(servicePaths('/data').host, 'run'),
    );
  });

  it('is the first private folder in which a socket can be created', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    const link = path.join(folder, 'link');
    fs.mkdirSync(path.join(folder, 'shared'));
    fs.symlinkSync(path.join(folder, 'shared'), link);
    const unusable = [file, path.join(file, 'below'), link];
    const openSockets = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'PipeWrap').length;
    const before = openSockets();
    const usable = path.join(folder, 'nbx-0-0123456789ab');
    assert.equal(
      await chooseRuntimeRoot([...unusable, usable, path.join(folder, 'nbx-1-0123456789ab')]),
      usable,
    );
    assert.equal(openSockets(), before);
    assert.equal(fs.statSync(usable).mode & 0o777, 0o700);
    assert.deepEqual(fs.readdirSync(usable), []);
    assert.deepEqual(fs.readdirSync(path.join(folder, 'shared')), []);
    await assert.rejects(chooseRuntimeRoot(unusable), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.reason, 'noRuntimeDirectory');
      for (const root of unusable) assert.ok(error.message.includes(`${root}: Error: `), error.message);
      return true;
    });
  });

  for (const XDG_RUNTIME_DIR of ['', 'relative']) {
    it(`is found where XDG_RUNTIME_DIR is “${XDG_RUNTIME_DIR}” and the data directory’s path is long`, async () => {
      const folder = path.join(temporaryFolder(), LONG);
      fs.mkdirSync(folder);
      const service = await TestService.startBy(folder, { env: { XDG_RUNTIME_DIR } });
      await service.create('long');
      assert.equal((await service.ended('long')).state, 'SUCCEEDED');
    });
  }

  it('that is missing is reported when the service starts, not for each execution', () => {
    const folder = temporaryFolder();
    const data = path.join(folder, LONG);
    // In all candidate folders.
    const squatted = runtimeRoots(servicePaths(data), process.platform, { XDG_RUNTIME_DIR: folder });
    for (const root of squatted) fs.writeFileSync(root, '');
    try {
      const { status, stderr } = spawnSync(
        process.execPath,
        [SERVICE, 'serve', '--data-dir', data, '--runner', FAKE_RUNNER],
        { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: folder, TMPDIR: '' } },
      );
      assert.equal(status, 1);
      assert.match(
        stderr,
        /no folder for the sockets of runners \(.*\): set XDG_RUNTIME_DIR to a private folder/,
      );
      assert.ok(!stderr.includes('\n    at '), stderr);
    } finally {
      for (const root of squatted) fs.rmSync(root);
    }
  });
}).timeout(60_000);

describe('A runtime directory', () => {
  it('that a kernel recreates after its runner was killed is removed; those of runners are not', async () => {
    const folder = temporaryFolder();
    const service = await TestService.start(
      folder,
      '--runner',
      path.join(ROOT, 'dist/runner.js'),
      '--idle-seconds',
      '2',
    );
    const hosts = path.join(folder, 'data/hosts');
    const run = path.join(hosts, fs.readdirSync(hosts)[0] ?? '', 'run');
    const before = fs.readdirSync(run);
    assert.equal(before.length, 1);
    // Twice, because the service may just have checked.
    for (const name of ['0123456789', '9876543210']) {
      fs.mkdirSync(path.join(run, name));
      fs.writeFileSync(path.join(run, name, 'kernel2.json'), '{}');
      // Requests keep it from exiting.
      await until('it is removed', async () => {
        await service.request('GET', PARENT);
        return !fs.existsSync(path.join(run, name));
      });
    }
    assert.deepEqual(fs.readdirSync(run), before);
  });
}).timeout(60_000);
