import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { launchAgent } from '../../../src/embedded/login/launch-agent';
import {
  enableLinger,
  lingers,
  loginState,
  registerAtLogin,
  thisSystem,
  unregisterAtLogin,
  type LoginSystem,
} from '../../../src/embedded/login/login-registration';
import { loginArguments, loginName, type LoginService } from '../../../src/embedded/login/login-service';
import { scheduledTask } from '../../../src/embedded/login/scheduled-task';
import { systemdUnit } from '../../../src/embedded/login/systemd-unit';
import { VENV_PYTHON } from '../../support/python';
import { SERVICE, temporaryFolder, TestService } from '../service/support';

const AWKWARD = `/home/ü & <co>/it's "100%" $HOME \\ back`;

const service: LoginService = {
  nodePath: process.execPath,
  isElectron: true,
  script: `${AWKWARD}/service.js`,
  build: '1.0.0-abc',
  dataDirectory: `${AWKWARD}/data`,
};

/** Results of an independent parser: Python's. */
function python(program: string, input: string | Buffer): unknown {
  return JSON.parse(execFileSync(VENV_PYTHON, ['-c', program], { input }).toString());
}

/** A system with its own home, and the programs that it was asked to run. */
function system(
  platform: NodeJS.Platform,
  more: Partial<LoginSystem> = {},
): LoginSystem & { ran: string[][] } {
  const ran: string[][] = [];
  return {
    platform,
    home: temporaryFolder(),
    env: {},
    user: 'ada',
    hasSystemd: true,
    ran,
    run: (program, args) => {
      ran.push([program, ...args]);
      return Promise.resolve('');
    },
    ...more,
  };
}

function hasSystemdAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('The service at login', () => {
  it('systemd accepts the unit, and starts the service with unchanged paths', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'notebook-executions-test.service');
    fs.writeFileSync(file, systemdUnit(service));
    if (hasSystemdAnalyze()) {
      execFileSync('systemd-analyze', ['verify', '--user', file], {
        env: { ...process.env, XDG_RUNTIME_DIR: folder },
        stdio: 'pipe',
      });
    }
    const [line = ''] = /^ExecStart=.*$/m.exec(systemdUnit(service)) ?? [];
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) =>
      word.replaceAll(/\\(.)/g, '$1').replaceAll('%%', '%').replaceAll('$$', '$'),
    );
    assert.deepEqual(words, [service.nodePath, ...loginArguments(service)]);
    assert.match(systemdUnit(service), /^KillMode=process$/m);
  });

  it('macOS can parse the agent', () => {
    const program = 'import sys,plistlib,json;print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
    assert.deepEqual(python(program, launchAgent('label', service)), {
      Label: 'label',
      ProgramArguments: [service.nodePath, ...loginArguments(service)],
      EnvironmentVariables: { ELECTRON_RUN_AS_NODE: '1' },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 60,
      AbandonProcessGroup: true,
    });
  });

  it('Windows can parse the task', () => {
    const windows = {
      ...service,
      nodePath: String.raw`C:\Program Files\Code & Co\Code.exe`,
      script: String.raw`C:\Users\ada\service.js`,
      dataDirectory: String.raw`C:\Users\ada\data`,
    };
    const program = `import sys,json
from xml.etree import ElementTree
root=ElementTree.fromstring(sys.stdin.buffer.read().decode("utf-16"))
print(json.dumps({each.tag.split("}")[1]:each.text for each in root.iter()}))`;
    const text = scheduledTask(String.raw`HOME\ada`, windows);
    const task = python(program, Buffer.from(`\ufeff${text}`, 'utf16le')) as Record<string, string>;
    assert.equal(task['UserId'], String.raw`HOME\ada`);
    assert.equal(
      task['Arguments'],
      String.raw`--headless cmd.exe /d /s /c "set ELECTRON_RUN_AS_NODE=1&& "C:\Program Files\Code & Co\Code.exe" ` +
        String.raw`"C:\Users\ada\service.js" "serve" "--data-dir" "C:\Users\ada\data" "--build" "1.0.0-abc" ` +
        `"--idle-seconds" "600" "--unless-running""`,
    );
    assert.equal(task['RunLevel'], 'LeastPrivilege');
  });

  for (const platform of ['linux', 'darwin'] as const) {
    it(`is registered, recognised as outdated, and removed on ${platform}`, async () => {
      const home = system(platform);
      assert.equal(await loginState(service, home), 'none');
      assert.equal(await registerAtLogin(service, home), true);
      assert.equal(await loginState(service, home), 'registered');
      const updated = { ...service, build: '1.1.0-abc' };
      assert.equal(await loginState(updated, home), 'outdated');
      assert.equal(await registerAtLogin(updated, home), true);
      assert.equal(await loginState(updated, home), 'registered');
      await unregisterAtLogin(service.dataDirectory, home);
      await unregisterAtLogin(service.dataDirectory, home);
      assert.equal(await loginState(service, home), 'none');
      const left = fs.readdirSync(home.home, { recursive: true, withFileTypes: true });
      assert.deepEqual(
        left.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
        [],
      );
    });
  }

  it('is registered and removed on Windows with schtasks', async () => {
    const tasks = new Set<string>();
    const home = system('win32', {
      run: (_program, [action = '', , name = '']) => {
        if (action !== '/Create' && !tasks.has(name)) return Promise.reject(new Error('no such task'));
        if (action === '/Create') tasks.add(name);
        if (action === '/Delete') tasks.delete(name);
        return Promise.resolve('');
      },
    });
    assert.equal(await loginState(service, home), 'none');
    await registerAtLogin(service, home);
    assert.deepEqual([...tasks], [loginName(service.dataDirectory)]);
    assert.equal(await loginState(service, home), 'registered');
    assert.equal(await loginState({ ...service, build: '2' }, home), 'outdated');
    await unregisterAtLogin(service.dataDirectory, home);
    await unregisterAtLogin(service.dataDirectory, home);
    assert.equal(tasks.size, 0);
    assert.equal(await loginState(service, home), 'none');
  });

  it('a container reports that it starts nothing at login', async () => {
    const container = system('linux', { hasSystemd: false });
    assert.equal(await loginState(service, container), 'unavailable');
    assert.equal(await registerAtLogin(service, container), false);
    assert.equal(await lingers(container), undefined);
    assert.equal((await thisSystem()).platform, process.platform);
  });

  it('asks the system to keep services of a user who is not logged in running', async () => {
    const home = system('linux', { user: 'no-such-user' });
    assert.equal(await lingers(home), false);
    await enableLinger(home);
    assert.deepEqual(home.ran, [['loginctl', 'enable-linger', 'no-such-user']]);
  });

  it('does nothing, and succeeds, when a service is already running', async () => {
    const folder = temporaryFolder();
    const running = await TestService.start(folder);
    const args = [SERVICE, 'serve', '--data-dir', path.join(folder, 'data'), '--unless-running'];
    execFileSync(process.execPath, args, { stdio: 'pipe' });
    assert.equal((await running.request('GET', 'v1/projects/local/locations/local')).code, 200);
  });
});
