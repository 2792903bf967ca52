import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readToken } from '../../../src/embedded/service-locator';
import { ServiceError } from '../../../src/execution/errors';
import { processStartTime, treeMemory } from '../../../src/system/processes';
import { controlAddress } from '../../../src/protocol/runtime-directory';
import { runtimeRoots, servicePaths } from '../../../src/protocol/service-paths';
import { flushDirectory } from '../../../src/system/files';
import { KeepAwake } from '../../../src/service/keep-awake';
import { bootId, nodeEnvironment } from '../../../src/system/processes';
import { parseCreateBody } from '../../../src/service/create/request';
import { withoutEditorVariables } from '../../../src/system/environment';
import { until } from '../../support/until';

describe('on each platform', () => {
  it('certificate variables are passed to kernels, and not read by our own processes', () => {
    const environment = { PATH: '/bin', NODE_EXTRA_CA_CERTS: '/etc/company.pem', VSCODE_PID: '1' };
    assert.deepEqual(nodeEnvironment(environment), { PATH: '/bin' });
    assert.equal(withoutEditorVariables(environment)['NODE_EXTRA_CA_CERTS'], '/etc/company.pem');
  });

  it('a runner is reached through a socket in its directory, on Windows through a named pipe', () => {
    assert.equal(controlAddress('/run/nbx/a1', 'linux'), '/run/nbx/a1/control');
    assert.equal(controlAddress('/private/tmp/nbx/a1', 'darwin'), '/private/tmp/nbx/a1/control');
    assert.equal(
      controlAddress(String.raw`C:\Users\ada\AppData\Local\Temp\nbx\a1`, 'win32'),
      String.raw`\\.\pipe\notebook-executions-a1`,
    );
  });

  it('a process is distinguished from a later one with the same id: by /proc, by ps as on macOS', async () => {
    const readings: NodeJS.Platform[] =
      process.platform === 'linux' ? ['linux', 'darwin'] : [process.platform];
    for (const platform of readings) {
      const start = await processStartTime(process.pid, platform);
      assert.ok(start, platform);
      assert.equal(await processStartTime(process.pid, platform), start);
      assert.equal(await processStartTime(2 ** 22 + 1, platform), undefined, platform);
    }
  });

  it('child processes are distinguished from each other', async () => {
    const starts: (string | undefined)[] = [];
    for (let count = 0; count < 2; count++) {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
        stdio: 'ignore',
      });
      starts.push(await processStartTime(child.pid ?? 0));
      child.kill('SIGKILL');
      // The system reports times in hundredths of a second, macOS in seconds.
      await delay(1100);
    }
    assert.ok(starts[0] !== undefined && starts[1] !== undefined);
    assert.notEqual(starts[0], starts[1]);
  });

  it('the identity of a process is unknown when the system’s program is missing', async () => {
    if (process.platform !== 'win32') assert.equal(await processStartTime(process.pid, 'win32'), undefined);
  });

  it('memory of a process and its children is measured: by /proc, by ps as on macOS; not on Windows', async () => {
    assert.equal(await treeMemory(process.pid, 'win32'), undefined);
    if (process.platform === 'win32') return;
    // An idle parent and a child with 200 MB.
    const child = 'const all = Buffer.alloc(200e6, 1); console.log("there"); setInterval(() => all, 1000)';
    const program = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}],
      { stdio: ['ignore', 'inherit', 'inherit'] }); setInterval(() => undefined, 1000)`;
    const parent = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      await once(parent.stdout, 'data');
      const readings: NodeJS.Platform[] =
        process.platform === 'linux' ? ['linux', 'darwin'] : [process.platform];
      for (const platform of readings) {
        const bytes = (await treeMemory(parent.pid ?? 0, platform)) ?? 0;
        assert.ok(bytes > 200e6 && bytes < 1000e6, `${platform}: ${bytes}`);
        assert.equal(await treeMemory(2 ** 22 + 1, platform), undefined, platform);
      }
    } finally {
      process.kill(-(parent.pid ?? 0), 'SIGKILL');
    }
  });

  it('a boot has an id, or none when the system gives none', async () => {
    if (process.platform === 'linux') assert.match(await bootId('linux'), /^[0-9a-f-]{36}$/);
    if (process.platform === 'darwin') assert.match(await bootId('darwin'), /^[0-9A-F-]{36}$/);
    else assert.equal(await bootId('darwin'), '');
    assert.equal(await bootId('win32'), '');
  });

  describe('files', () => {
    let folder = '';
    beforeEach(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nbx-platforms-'));
    });
    afterEach(() => {
      fs.rmSync(folder, { recursive: true, force: true });
    });

    it('with a token are refused when other users can read them; not checked on Windows, which has no modes', async () => {
      const token = path.join(folder, 'token');
      fs.writeFileSync(token, 'secret', { mode: 0o644 });
      for (const platform of ['linux', 'darwin'] as const) {
        await assert.rejects(
          readToken(token, platform),
          (error) => error instanceof ServiceError && error.reason === 'tokenFileExposed',
        );
      }
      assert.equal(await readToken(token, 'win32'), 'secret');
      assert.equal(await readToken(path.join(folder, 'none'), 'win32'), '');
    });

    it('are synced together with their directory, except on Windows, which cannot sync directories', async () => {
      const gone = path.join(folder, 'gone');
      await flushDirectory(gone, 'win32');
      await assert.rejects(flushDirectory(gone, 'darwin'), { code: 'ENOENT' });
    });

    it('have names that the system accepts unchanged', () => {
      const named = (outputName: string, platform: NodeJS.Platform): unknown =>
        parseCreateBody(
          { executionTemplate: { inputNotebookFile: 'file:///a.ipynb' }, runOptions: { outputName } },
          platform,
        ).runOptions.outputName;
      for (const name of ['a:b', 'a?', 'a*', '<a>', 'a|b', '"a"']) {
        assert.equal(named(name, 'linux'), name);
        assert.throws(() => named(name, 'win32'), { reason: 'fieldInvalid' }, name);
      }
      assert.equal(named('report 2026-01-31.ipynb', 'win32'), 'report 2026-01-31.ipynb');
    });

    it('and programs of macOS keep it awake: caffeinate, while the service runs', async () => {
      if (process.platform === 'win32') return;
      const searched = process.env['PATH'] ?? '';
      const said = path.join(folder, 'said');
      // Prints its arguments and then, like caffeinate, runs the rest of them to the end.
      const script = `#!/bin/sh\necho "$@" > "${said}.new"; mv "${said}.new" "${said}"; shift; "$@"; echo ended > "${said}"\n`;
      fs.writeFileSync(path.join(folder, 'caffeinate'), script, { mode: 0o755 });
      process.env['PATH'] = `${folder}:${searched}`;
      const problems: string[] = [];
      const awake = new KeepAwake(
        () => true,
        (message) => problems.push(message),
        'darwin',
      );
      const hasSaid = (text: string): Promise<unknown> =>
        until(text, () => fs.existsSync(said) && fs.readFileSync(said, 'utf8').trim() === text);
      try {
        awake.update(true);
        await hasSaid('-i cat');
        awake.update(false);
        await hasSaid('ended');
        assert.deepEqual(problems, []);
      } finally {
        awake.update(false);
        process.env['PATH'] = searched;
      }
    });
  });

  it('runtime directories leave room for a socket path; named pipes of Windows need none', () => {
    const paths = servicePaths(`/home/${'long/'.repeat(30)}`);
    for (const platform of ['linux', 'darwin'] as const) {
      const roots = runtimeRoots(paths, platform);
      assert.ok(roots.length > 0 && !roots.some((root) => Buffer.byteLength(root) > 72), platform);
    }
    assert.deepEqual(runtimeRoots(paths, 'win32'), [path.join(paths.host, 'run')]);
  });
});
