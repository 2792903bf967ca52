import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';

/** A process of this machine. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All processes that can be seen. From /proc where there is one: a clean Debian has no `ps`. */
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

/** The processes below `pid`, without itself. */
export function descendantsOf(pid: number, all = listProcesses()): ProcessInfo[] {
  return all.filter((each) => each.parent === pid).flatMap((each) => [each, ...descendantsOf(each.pid, all)]);
}

/** The processes whose environment holds `NAME=value`, detached ones included. Linux only; none elsewhere. */
export function processesWithEnvironment(name: string, value: string): ProcessInfo[] {
  if (process.platform !== 'linux') {
    return [];
  }
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

/** Ends a process or, with a negative id, a process group; one that is gone already is fine. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** A TCP port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new Error('The system gave no port.');
  }
  return address.port;
}
