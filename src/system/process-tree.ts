import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { elapsed } from './deferred';

const runFile = promisify(execFile);

/** How a process ended; `error` if it could not even be started. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** Ends and interrupts processes; replaced in tests. */
export interface ProcessSystem {
  readonly platform: NodeJS.Platform;
  /** kill(2); a negative id means a process group. @throws SystemError */
  kill(pid: number, signal: NodeJS.Signals | 0): void;
  /** Runs a program to its end. @throws if it is missing or fails */
  run(program: string, args: readonly string[]): Promise<unknown>;
}

const THIS_SYSTEM: ProcessSystem = {
  platform: process.platform,
  kill: (pid, signal) => {
    process.kill(pid, signal);
  },
  run: (program, args) => runFile(program, args, { windowsHide: true }),
};

/** Absolute path of a Windows program: a notebook's directory may contain a program of the same name. */
export function windowsProgram(...parts: string[]): string {
  return path.win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', ...parts);
}

/** Runs a line of PowerShell without the user's profile. */
export const POWERSHELL = {
  program: windowsProgram('WindowsPowerShell', 'v1.0', 'powershell.exe'),
  args: (command: string): string[] => ['-NoProfile', '-NonInteractive', '-Command', command],
};

/**
 * Kills a process that leads a group, and its whole group. Windows has no process groups: there it kills the process
 * and its descendants, which cannot be found once the process itself has ended.
 * @param hasEnded Whether the process itself has ended. Its id may be reused then, but not the id of its group while a
 *   member is left.
 * @returns false if there was nothing to kill. Never rejects.
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
      // Killing only the process is better than nothing.
      .catch(() => {
        system.kill(pid, 'SIGKILL');
      });
    return true;
  } catch {
    return false;
  }
}

/** Timeout for child processes of an ended kernel to exit after SIGTERM, milliseconds. */
const ORPHAN_TIMEOUT = 500;

/**
 * Ends the remaining processes of a group whose leader has ended: SIGTERM, then SIGKILL after a moment. Never rejects.
 */
export async function endOrphans(pid: number, system: ProcessSystem = THIS_SYSTEM): Promise<void> {
  if (system.platform === 'win32') return;
  try {
    system.kill(-pid, 'SIGTERM');
    const until = performance.now() + ORPHAN_TIMEOUT;
    while (performance.now() < until) {
      system.kill(-pid, 0);
      await elapsed(5);
    }
    system.kill(-pid, 'SIGKILL');
  } catch {
    // No process of the group is left.
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

/** Windows: sets the named event that interrupts ipykernel. Nothing happens if no process waits for it. */
export async function setEvent(name: string, system: ProcessSystem = THIS_SYSTEM): Promise<void> {
  const command = `[Threading.EventWaitHandle]::OpenExisting('${name}').Set()`;
  await system.run(POWERSHELL.program, POWERSHELL.args(command)).catch(() => undefined);
}
