import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { spawnCall } from '../../../src/runner/kernel/batch-file';
import { kernelDifferences } from '../../../src/runner/kernel/kernel-differences';
import { parentVariable } from '../../../src/runner/kernel/launch';
import { endTree, interruptGroup, setEvent, type ProcessSystem } from '../../../src/system/process-tree';
import { renameOver } from '../../../src/system/files';
import { ipykernel, pythonKernel } from './running';

/** A system that records its calls. `fails` names the calls that fail. */
function recordingSystem(
  platform: NodeJS.Platform,
  ...fails: ('kill' | 'run')[]
): ProcessSystem & { readonly asked: string[] } {
  const asked: string[] = [];
  const ask = (kind: 'kill' | 'run', ...what: (string | number)[]): void => {
    asked.push(what.join(' '));
    if (fails.includes(kind)) throw new Error('ESRCH');
  };
  return {
    asked,
    platform,
    kill: (pid, signal) => {
      ask('kill', signal, pid);
    },
    run: async (program, args) => {
      await Promise.resolve();
      ask('run', program.replace(/^.*\\/, ''), ...args);
    },
  };
}

describe('processes of a kernel', () => {
  it('are ended as a group; on Windows as a tree, or else only the kernel', async () => {
    for (const platform of ['linux', 'darwin'] as const) {
      const system = recordingSystem(platform);
      assert.equal(await endTree(7, false, system), true);
      assert.deepEqual(system.asked, ['SIGKILL -7'], platform);
    }
    const windows = recordingSystem('win32');
    assert.equal(await endTree(7, false, windows), true);
    assert.deepEqual(windows.asked, ['taskkill.exe /PID 7 /T /F']);
    const withoutTaskkill = recordingSystem('win32', 'run');
    assert.equal(await endTree(7, false, withoutTaskkill), true);
    assert.deepEqual(withoutTaskkill.asked, ['taskkill.exe /PID 7 /T /F', 'SIGKILL 7']);
  });

  it('whose kernel has ended are ended with its group; on Windows they cannot be found', async () => {
    const system = recordingSystem('darwin');
    assert.equal(await endTree(7, true, system), true);
    assert.deepEqual(system.asked, ['SIGKILL -7']);
    const windows = recordingSystem('win32');
    assert.equal(await endTree(7, true, windows), false);
    assert.deepEqual(windows.asked, []);
  });

  it('may already be gone', async () => {
    assert.equal(await endTree(7, false, recordingSystem('linux', 'kill')), false);
    assert.equal(await endTree(7, false, recordingSystem('win32', 'run', 'kill')), false);
    interruptGroup(7, recordingSystem('linux', 'kill'));
    await setEvent(String.raw`Local\gone`, recordingSystem('win32', 'run'));
  });

  it('are interrupted as a group; on Windows by the kernel’s event', async () => {
    const system = recordingSystem('darwin');
    interruptGroup(7, system);
    assert.deepEqual(system.asked, ['SIGINT -7']);
    const windows = recordingSystem('win32');
    await setEvent(String.raw`Local\x`, windows);
    assert.deepEqual(windows.asked, [
      String.raw`powershell.exe -NoProfile -NonInteractive -Command [Threading.EventWaitHandle]::OpenExisting('Local\x').Set()`,
    ]);
  });
});

describe('a kernel', () => {
  it('is interrupted and connected as its platform allows', () => {
    const kernels = { ipykernel: ipykernel(), other: pythonKernel('') };
    const ways = (platform: NodeJS.Platform): unknown[] =>
      Object.values(kernels).map((launch) => {
        const { ipc, interruptMode } = kernelDifferences(launch, platform);
        return [ipc, interruptMode ?? launch.interruptMode];
      });
    assert.deepEqual(ways('linux'), [
      [true, 'signal'],
      [false, 'signal'],
    ]);
    assert.deepEqual(ways('darwin'), ways('linux'));
    assert.deepEqual(ways('win32'), [
      [false, 'event'],
      [false, 'message'],
    ]);
  });

  it('ends with its parent: by the parent’s process id, on Windows by a handle', () => {
    assert.deepEqual(parentVariable('linux'), { JPY_PARENT_PID: String(process.pid) });
    assert.deepEqual(parentVariable('win32'), {});
  });

  it('on Windows creates the handles that ipykernel waits for', async () => {
    const [python = '', option, program = '', ...rest] = kernelDifferences(ipykernel(), 'win32').commandLine(
      ipykernel().argv,
    );
    assert.deepEqual([option, rest[0]], ['-c', '-f']);
    // The kernel's own command, run with a kernel32 that records its calls; ipykernel then prints its version.
    const wrapper = `
import atexit, ctypes, os, sys
class Kernel32:
    def __init__(self, name): assert name == 'kernel32'
    def __getattr__(self, name):
        def call(*args):
            print(name, *args)
            return {'CreateEventW': 41, 'OpenProcess': 42}[name]
        call.restype = None
        self.__dict__[name] = call
        return call
ctypes.WinDLL = Kernel32
atexit.register(lambda: print(os.environ['JPY_INTERRUPT_EVENT'], os.environ['JPY_PARENT_PID']))
program = sys.argv.pop(1)
exec(program)
`;
    const filled = program
      .replace('{interrupt_event}', String.raw`Local\notebook-executions-a1`)
      .replace('{parent_pid}', '99');
    const { stdout } = await promisify(execFile)(python, ['-c', wrapper, filled, '--version'], {
      env: ipykernel().env,
    });
    const [created, opened, version, handles] = stdout.trim().split(/\r?\n/);
    assert.equal(created, String.raw`CreateEventW None False False Local\notebook-executions-a1`);
    assert.equal(opened, 'OpenProcess 1048576 False 99');
    assert.match(version ?? '', /^\d+\./);
    assert.equal(handles, '41 42');
  });
});

describe('a kernel’s command', () => {
  const files = [String.raw`C:\npm\tslab.cmd`, String.raw`C:\tools\k.exe`, String.raw`C:\npm\k.cmd`];
  const windows = { platform: 'win32' as const, isFile: (file: string) => files.includes(file) };
  const env = { Path: String.raw`C:\tools;relative;C:\npm` };

  it('is started unchanged, except for batch files on Windows, which need cmd.exe', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      assert.deepEqual(spawnCall(['tslab.cmd', 'a"b'], env, { ...windows, platform }), {
        command: 'tslab.cmd',
        args: ['a"b'],
      });
    }
    for (const command of ['k', 'k.exe', String.raw`C:\tools\k.exe`, 'missing', String.raw`C:\gone.cmd`])
      assert.deepEqual(spawnCall([command, 'a b'], env, windows), { command, args: ['a b'] });
    for (const command of ['tslab', 'tslab.cmd', String.raw`C:\npm\tslab.cmd`, String.raw`C:\npm\tslab`]) {
      const call = spawnCall([command, 'kernel', String.raw`C:\a b\kernel.json`], env, windows);
      assert.match(call.command, /^[A-Z]:\\.*\\System32\\cmd\.exe$/i);
      const line = String.raw`""C:\npm\tslab.cmd" "kernel" "C:\a b\kernel.json""`;
      assert.deepEqual(call.args, ['/e:on', '/v:off', '/d', '/s', '/c', line]);
      assert.equal(call.windowsVerbatimArguments, true);
    }
  });

  it('passes every argument to a batch file unchanged, and none becomes a command', () => {
    const handed = (argument: string): string | undefined => {
      const line = spawnCall(['tslab', argument], env, windows).args.at(-1);
      return line?.slice(String.raw`""C:\npm\tslab.cmd" `.length, -1);
    };
    assert.equal(handed('a & calc | b > c ^ (d)'), '"a & calc | b > c ^ (d)"');
    assert.equal(handed('" & calc & "'), '""" & calc & """');
    assert.equal(handed('%PATH%'), '"%%cd:~,%PATH%%cd:~,%"');
    assert.equal(handed('C:\\dir\\'), '"C:\\dir\\\\"');
    assert.equal(handed('a\\"b'), '"a\\\\""b"');
    assert.equal(handed(''), '""');
    for (const broken of ['a\nb', 'a\rb', 'a\0b']) assert.throws(() => handed(broken), /line break/);
  });
});

describe('a file that is replaced', () => {
  /** Fails like Windows does for an open file: this number of times, or always. */
  function refusing(times: number): { rename: () => Promise<void>; tries: number } {
    const refusal = Object.assign(new Error('operation not permitted'), { code: 'EPERM' });
    const state = {
      tries: 0,
      rename: (): Promise<void> => {
        state.tries += 1;
        return state.tries <= times ? Promise.reject(refusal) : Promise.resolve();
      },
    };
    return state;
  }

  it('may be open in another program: retried on Windows, an error at once on other systems', async () => {
    const windows = refusing(3);
    await renameOver('a', 'b', windows.rename, 'win32');
    assert.equal(windows.tries, 4);
    const stuck = refusing(Infinity);
    await assert.rejects(renameOver('a', 'b', stuck.rename, 'win32'), { code: 'EPERM' });
    assert.ok(stuck.tries > 10, String(stuck.tries));
    const linux = refusing(1);
    await assert.rejects(renameOver('a', 'b', linux.rename, 'linux'), { code: 'EPERM' });
    assert.equal(linux.tries, 1);
  });
});
