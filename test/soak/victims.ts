import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { kill } from '../support/processes';

/** What a round kills with SIGKILL. `none` is the control: the same notebook, nothing killed. */
export const VICTIMS = ['none', 'editor', 'service', 'runner', 'kernel', 'everything'] as const;
export type Victim = (typeof VICTIMS)[number];

/** The process of the service of this data directory, as its endpoint file names it. */
export function servicePid(dataDirectory: string): number | undefined {
  const hosts = path.join(dataDirectory, 'hosts');
  if (!existsSync(hosts)) return undefined;
  for (const host of readdirSync(hosts)) {
    const pid = pidIn(
      path.join(hosts, host, 'endpoint.json'),
      (text) => (JSON.parse(text) as { pid: number }).pid,
    );
    if (pid !== undefined) return pid;
  }
  return undefined;
}

/** The runner that claimed the execution in this folder. */
export function runnerPid(folder: string): number | undefined {
  return pidIn(path.join(folder, 'claim'), Number);
}

/** The kernel that the runner says it has started. */
export function kernelPid(folder: string): number | undefined {
  return pidIn(
    path.join(folder, 'status.json'),
    (text) => (JSON.parse(text) as { kernelProcess?: { pid: number } }).kernelProcess?.pid,
  );
}

function pidIn(file: string, read: (text: string) => number | undefined): number | undefined {
  try {
    const pid = read(readFileSync(file, 'utf8'));
    return pid !== undefined && pid > 1 ? pid : undefined;
  } catch {
    return undefined; // Not written yet, or gone.
  }
}

/**
 * Kills once what there is of the victim, and says whether there was something.
 * @param folder the execution's folder
 */
export function strike(victim: Victim, dataDirectory: string, folder: string): boolean {
  const found: Record<Victim, (number | undefined)[]> = {
    none: [],
    // The editor's process is killed by the round that started it.
    editor: [],
    service: [servicePid(dataDirectory)],
    runner: [runnerPid(folder)],
    kernel: [kernelPid(folder)],
    everything: [servicePid(dataDirectory), runnerPid(folder), kernelPid(folder)],
  };
  const pids = found[victim].filter((pid) => pid !== undefined);
  for (const pid of pids) kill(pid);
  return pids.length > 0;
}
