import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { promisify } from 'node:util';
import { processStartTime } from '../runner/kernel/process-info';
import { endTree } from '../runner/kernel/process-tree';
import { withoutEditorVariables } from '../system/environment';

const run = promisify(execFile);

/** A process as a file names it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** True while exactly that process runs. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  return (await processStartTime(process.pid)) === process.startTime;
}

/** Ends a process with its group (Windows: its tree), if it is still the one meant. */
export async function killGroup(target: ProcessIdentity): Promise<boolean> {
  return (await isAlive(target)) && endTree(target.pid);
}

/** Names this run of the machine; empty where the system has no such name. Linux: proc(5), random/boot_id. */
export async function bootId(platform: NodeJS.Platform = process.platform): Promise<string> {
  try {
    if (platform === 'linux') {
      return (await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    }
    if (platform === 'darwin') {
      return (await run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])).stdout.trim();
    }
  } catch {
    // No name then.
  }
  return '';
}

/** Environment for a Node process of ours: Electron is told to be Node, for that process alone. */
export function nodeEnvironment(base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = withoutEditorVariables(base);
  // Node reads all certificates there are when it starts where it is given more: it takes four times as long. Ours speak
  // no TLS, and kernels get theirs with the execution.
  delete environment['NODE_EXTRA_CA_CERTS'];
  if (process.versions['electron'] !== undefined) environment['ELECTRON_RUN_AS_NODE'] = '1';
  return environment;
}
