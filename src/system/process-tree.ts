import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { elapsed } from './deferred';

const runFile = promisify(execFile);

/** How a process ended; `error` where it could not even be started. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** What ends and interrupts processes. Tests give their own. */
export interface ProcessSystem {
  readonly platform: NodeJS.Platform;
  /** kill(2); a negative id means a process group. @throws SystemError */
  kill(pid: number, signal: NodeJS.Signals | 0): void;
  /** Runs a program to its end. @throws where it is missing or fails */
  run(program: string, args: readonly string[]): Promise<unknown>;
}

const THIS_SYSTEM: ProcessSystem = {
  platform: process.platform,
  kill: (pid, signal) => {
    process.kill(pid, signal);
  },
  run: (program, args) => runFile(program, args, { windowsHide: true }),
};

/** Absolute path of a program of Windows: one of the same name may lie in the directory of a notebook. */
export function windowsProgram(...parts: string[]): string {
  return path.win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', ...parts);
}

/** Runs a line of PowerShell without the person's profile. */
export const POWERSHELL = {
  program: windowsProgram('WindowsPowerShell', 'v1.0', 'powershell.exe'),
  args: (command: string): string[] => ['-NoProfile', '-NonInteractive', '-Command', command],
};

/**
 * Ends a process that leads a group, and all of the group, at once. Windows has no process groups: there it is the tree below
 * the process, which cannot be found once the process itself has ended.
 * @param hasEnded Whether the process itself has. Its id may be another's then, but not that of its group, if anything is left of it.
 * @returns false where nothing was there to be ended. Never rejects.
 */
export async function endTree(
  pid: number,
  hasEnded = false,
  system: ProcessSystem = THIS_SYSTEM,
): Promise<boolean> {
  try {
    if (system.platform !== 'win32') {
      system.kill(-pid, 'SIGKILL');
      return true;
    }
    if (hasEnded) return false;
    await system
      .run(windowsProgram('taskkill.exe'), ['/PID', String(pid), '/T', '/F'])
      // The process alone is better than nothing.
      .catch(() => {
        system.kill(pid, 'SIGKILL');
      });
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds that processes which a kernel left behind have for their own clean-up. */
const LEFT_OVER_PATIENCE = 500;

/** Ends what is left of a process group whose leader has ended, and gives it a moment to do so itself. Never rejects. */
export async function endLeftOver(pid: number, system: ProcessSystem = THIS_SYSTEM): Promise<void> {
  if (system.platform === 'win32') return;
  try {
    system.kill(-pid, 'SIGTERM');
    const until = performance.now() + LEFT_OVER_PATIENCE;
    while (performance.now() < until) {
      system.kill(-pid, 0);
      await elapsed(5);
    }
    system.kill(-pid, 'SIGKILL');
  } catch {
    // None is left.
  }
}

/** Interrupts a process group as Ctrl+C does. Not on Windows, see {@link setEvent}. */
export function interruptGroup(pid: number, system: ProcessSystem = THIS_SYSTEM): void {
  try {
    system.kill(-pid, 'SIGINT');
  } catch {
    // All of them have ended.
  }
}

/** Windows: sets the named event by which ipykernel is interrupted. Where nobody waits for it, nothing happens. */
export async function setEvent(name: string, system: ProcessSystem = THIS_SYSTEM): Promise<void> {
  const command = `[Threading.EventWaitHandle]::OpenExisting('${name}').Set()`;
  await system.run(POWERSHELL.program, POWERSHELL.args(command)).catch(() => undefined);
}
