import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { withoutEditorVariables } from './environment';
import { endTree, POWERSHELL } from './process-tree';

/*
 * What the system reports about processes: from /proc on Linux, from ps on macOS, little on Windows.
 */

const run = promisify(execFile);

/** Suffix of the files that identify a kernel's process, so that it is found when its runner is gone. */
export const PROCESS_FILE = '.process';

/**
 * When a process started, as the system reports it. Process ids are reused; id and start time identify one process.
 * Linux: clock ticks since boot (proc(5), field 22 of stat); macOS: `lstart` of ps; Windows: file time.
 * @returns undefined if there is no such process, or only its zombie.
 */
export async function processStartTime(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  if (platform === 'linux') {
    const fields = statOf(pid);
    return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
  }
  if (platform !== 'win32') return (await ps('-o', 'lstart=', '-p', String(pid))).trim() || undefined;
  const command = `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`;
  return (await output(POWERSHELL.program, POWERSHELL.args(command))).trim() || undefined;
}

/** Fields of /proc/PID/stat from the third (state) on; see proc(5). */
function statOf(pid: number): string[] | undefined {
  const text = readProc(`${String(pid)}/stat`);
  // The second field is the command in parentheses and may hold anything, even parentheses.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/**
 * Processes that lead a group and whose command line contains this directory or a file in it. This finds kernels
 * without a runner, since each leads a group and has its own connection file. A process that the user started from a
 * shell or another program does not lead a group, or does not name such a file. On Windows, which has no groups: all
 * processes that name it.
 */
export async function leadersNaming(
  directory: string,
  platform: NodeJS.Platform = process.platform,
): Promise<number[]> {
  if (platform === 'win32') {
    const name = path.win32.basename(directory);
    const command = `Get-CimInstance Win32_Process | Where-Object { $_.CommandLine -like '*${name}*' -and $_.ProcessId -ne $PID } | ForEach-Object ProcessId`;
    return ids((await output(POWERSHELL.program, POWERSHELL.args(command))).split(/\s+/));
  }
  if (platform !== 'linux') {
    const lines = (await ps('-axo', 'pid=,pgid=,args=')).split('\n');
    const named = lines.filter((line) => line.includes(directory)).map((line) => line.trim().split(/\s+/, 2));
    return ids(named.filter(([pid, group]) => pid === group).map(([pid = '']) => pid));
  }
  const leaders = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const words = readProc(`${name}/cmdline`)?.split('\0') ?? [];
      return words.some((word) => word === directory || word.includes(`${directory}/`));
    })
    .filter((name) => {
      const [, , group, session] = statOf(Number(name)) ?? [];
      return group === name && session === name;
    });
  return ids(leaders);
}

function ids(words: readonly string[]): number[] {
  return [...new Set(words.map(Number))].filter((id) => id > 1);
}

function readProc(name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

function ps(...args: string[]): Promise<string> {
  // In one time zone, even if a laptop travels: a different start time would mean a different process.
  return output('ps', args, { LC_ALL: 'C', TZ: 'UTC', PATH: '/bin:/usr/bin' });
}

/** The output of a program; empty if it fails. */
async function output(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  try {
    return (await run(program, args, { env, windowsHide: true })).stdout;
  } catch {
    return '';
  }
}

/** Resident memory of a process and its descendants together, bytes; undefined if the system does not report it. */
export async function treeMemory(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<number | undefined> {
  if (platform === 'linux') {
    const bytes = linuxTreeMemory(pid);
    return bytes === 0 ? undefined : bytes;
  }
  if (platform !== 'darwin') return undefined;
  const rows = (await ps('-axo', 'pid=,ppid=,rss='))
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const tree = new Set([pid]);
  let bytes = 0;
  // Children may be listed before their parents once process ids have wrapped: repeat until nothing is added.
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const [child, parent] of rows) if (child && parent && tree.has(parent)) tree.add(child);
  }
  for (const [member, , kilobytes] of rows) if (member && tree.has(member)) bytes += (kilobytes ?? 0) * 1024;
  return bytes === 0 ? undefined : bytes;
}

function linuxTreeMemory(pid: number): number {
  let bytes = residentBytes(pid);
  // Each thread lists the processes that it created.
  for (const thread of threadsOf(pid)) {
    for (const child of (readProc(`${String(pid)}/task/${thread}/children`) ?? '').split(' '))
      if (child !== '') bytes += linuxTreeMemory(Number(child));
  }
  return bytes;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${String(pid)}/task`);
  } catch {
    return [];
  }
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readProc(`${String(pid)}/status`) ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** Peak memory of a process itself so far, bytes; undefined if the system does not report it. */
export function peakMemory(pid: number): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readProc(`${String(pid)}/status`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Fraction of the memory below which almost none is left. */
const SHORT = 0.02;

/**
 * Whether almost no memory is left to this process, compared with the machine's or its control group's memory.
 * @param available Bytes that are still available. @param limit Bytes of the control group; 0, or more than the machine
 *   has, if there is no limit. @param total Bytes of the machine.
 */
export function isMemoryShort(
  available = process.availableMemory(),
  limit = process.constrainedMemory(),
  total = os.totalmem(),
): boolean {
  return available < SHORT * (limit > 0 ? Math.min(limit, total) : total);
}

/** OOM kills so far in this process's control group or, if that has no counter, on the machine. */
export function outOfMemoryKills(
  read: (file: string) => string | undefined = readProcOrSys,
): number | undefined {
  const groups = read('/proc/self/cgroup') ?? '';
  const unified = /^0::(.*)$/m.exec(groups)?.[1];
  const legacy = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
  const counters = [
    legacy === undefined ? undefined : read(`/sys/fs/cgroup/memory${legacy}/memory.oom_control`),
    unified === undefined ? undefined : read(`/sys/fs/cgroup${unified}/memory.events`),
    read('/proc/vmstat'),
  ];
  for (const counter of counters) {
    const kills = /^oom_kill (\d+)$/m.exec(counter ?? '')?.[1];
    if (kills !== undefined) return Number(kills);
  }
  return undefined;
}

function readProcOrSys(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** A process, identified by its id and start time. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** True while exactly this process runs. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  return (await processStartTime(process.pid)) === process.startTime;
}

/**
 * Kills a process with its group (Windows: its descendants), if it is still the same.
 * @returns whether it was killed.
 */
export async function killGroup(target: ProcessIdentity): Promise<boolean> {
  return (await isAlive(target)) && endTree(target.pid);
}

/** Identifies this boot of the machine; empty if the system has no such id. Linux: proc(5), random/boot_id. */
export async function bootId(platform: NodeJS.Platform = process.platform): Promise<string> {
  try {
    if (platform === 'linux') return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    if (platform === 'darwin')
      return (await run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])).stdout.trim();
  } catch {
    // There is no id.
  }
  return '';
}

/** Environment for a Node process of this product. Electron runs as Node, in that process only. */
export function nodeEnvironment(base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = withoutEditorVariables(base);
  // With this variable, Node reads all certificates when it starts, which takes four times as long. This product's
  // processes use no TLS, and kernels get their variables with the execution.
  delete environment['NODE_EXTRA_CA_CERTS'];
  if (process.versions['electron'] !== undefined) environment['ELECTRON_RUN_AS_NODE'] = '1';
  return environment;
}
