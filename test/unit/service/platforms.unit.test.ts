import assert from 'node:assert/strict';
import * as path from 'node:path';
import { pythonOf } from '../../../src/commands/python/python-environment';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { controlAddress } from '../../../src/runner/job';
import { processStartTime } from '../../../src/runner/kernel/process-info';
import { runtimeRoot, servicePaths } from '../../../src/service/endpoint';
import { pythonIn } from '../../../src/service/kernelspecs';
import { kernelEnvironment, nodeEnvironment } from '../../../src/service/processes';
import { prefixOf } from '../../../src/service/python';

describe('on each platform', () => {
  it('certificates are for kernels, and not read by each process of ours', () => {
    const environment = { PATH: '/bin', NODE_EXTRA_CA_CERTS: '/etc/company.pem', VSCODE_PID: '1' };
    assert.deepEqual(nodeEnvironment(environment), { PATH: '/bin' });
    assert.equal(kernelEnvironment(environment)['NODE_EXTRA_CA_CERTS'], '/etc/company.pem');
  });

  it('a runner is reached by a socket in its directory, on Windows by a named pipe', () => {
    assert.equal(controlAddress('/run/nbx/a1', 'linux'), '/run/nbx/a1/control');
    assert.equal(controlAddress('/private/tmp/nbx/a1', 'darwin'), '/private/tmp/nbx/a1/control');
    assert.equal(
      controlAddress(String.raw`C:\Users\ada\AppData\Local\Temp\nbx\a1`, 'win32'),
      String.raw`\\.\pipe\notebook-executions-a1`,
    );
  });

  it('a process is told from a later one of its id: by /proc, by ps as on macOS', async () => {
    const readings: NodeJS.Platform[] =
      process.platform === 'linux' ? ['linux', 'darwin'] : [process.platform];
    for (const platform of readings) {
      const start = await processStartTime(process.pid, platform);
      assert.ok(start, platform);
      assert.equal(await processStartTime(process.pid, platform), start);
      assert.equal(await processStartTime(2 ** 22 + 1, platform), undefined, platform);
    }
  });

  it('children of one process are told apart', async () => {
    const starts: (string | undefined)[] = [];
    for (let count = 0; count < 2; count++) {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
        stdio: 'ignore',
      });
      starts.push(await processStartTime(child.pid ?? 0));
      child.kill('SIGKILL');
      // The system tells the time in hundredths of a second, macOS in seconds.
      await delay(1100);
    }
    assert.ok(starts[0] !== undefined && starts[1] !== undefined);
    assert.notEqual(starts[0], starts[1]);
  });

  it('which process it is stays unknown where the system’s program is missing', async () => {
    if (process.platform !== 'win32') {
      assert.equal(await processStartTime(process.pid, 'win32'), undefined);
    }
  });

  it('an environment’s Python is where its maker puts it', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      assert.equal(pythonOf('/w/.venv', platform), '/w/.venv/bin/python');
      assert.equal(pythonIn('/opt/conda', platform), '/opt/conda/bin/python');
      assert.equal(prefixOf('/w/.venv/bin/python', platform), '/w/.venv');
    }
    const venv = String.raw`C:\w\.venv`;
    assert.equal(pythonOf(venv, 'win32'), String.raw`C:\w\.venv\Scripts\python.exe`);
    assert.equal(pythonIn(venv, 'win32', true), pythonOf(venv, 'win32'));
    assert.equal(pythonOf(venv, 'win32', true), String.raw`C:\w\.venv\python.exe`);
    assert.equal(pythonIn(venv, 'win32', false), pythonOf(venv, 'win32', true));
    assert.equal(prefixOf(pythonOf(venv, 'win32'), 'win32'), venv);
    const conda = String.raw`C:\conda`;
    assert.equal(pythonIn(conda, 'win32', false), String.raw`C:\conda\python.exe`);
    assert.equal(prefixOf(pythonIn(conda, 'win32', false), 'win32'), conda);
  });

  it('runtime directories leave room for the path of a socket; pipes of Windows need none', () => {
    const paths = servicePaths(`/home/${'long/'.repeat(30)}`);
    for (const platform of ['linux', 'darwin'] as const) {
      assert.ok(Buffer.byteLength(runtimeRoot(paths, platform)) <= 72, platform);
    }
    assert.equal(runtimeRoot(paths, 'win32'), path.join(paths.host, 'run'));
  });
});
