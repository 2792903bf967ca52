import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';

/** A process of this machine. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All visible processes. Uses /proc if available, because a minimal Debian has no `ps`. */
export function listProcesses(): ProcessInfo[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          const [, parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
          const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
          return [{ pid: Number(name), parent: Number(parent), command }];
        } catch {
          return []; // It has just ended.
        }
      });
  }
  return execFileSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
      return match === null
        ? []
        : [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? '' }];
    });
}

/** The descendants of the process `pid`. */
export function descendantsOf(pid: number, all = listProcesses()): ProcessInfo[] {
  return all.filter((each) => each.parent === pid).flatMap((each) => [each, ...descendantsOf(each.pid, all)]);
}

/** Processes whose environment contains `NAME=value`, including detached ones. Linux only; elsewhere empty. */
export function processesWithEnvironment(name: string, value: string): ProcessInfo[] {
  if (process.platform !== 'linux') return [];
  return listProcesses().filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${String(pid)}/environ`, 'utf8')
        .split('\0')
        .includes(`${name}=${value}`);
    } catch {
      return false;
    }
  });
}

/** Ends a process or, with a negative id, a process group. Does nothing if it no longer exists. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}

/** A TCP port of the loopback interface that was free when this was called. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}
