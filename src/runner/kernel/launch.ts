import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import type { KernelLaunch } from '../../protocol/runner-job';
import { spawnCall } from './batch-file';
import type { KernelForkServer } from './fork-server';
import { kernelDifferences, type KernelDifferences } from './kernel-differences';
import { childKernel, type KernelProcess } from './kernel-process';
import { PROCESS_FILE, processStartTime } from '../../system/processes';

/** Content of a connection file (jupyter-client documentation, "Connection files"). */
export interface ConnectionInfo {
  readonly transport: 'ipc' | 'tcp';
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  /** Empty on `ipc`: only this user can open the directory, and signing each message would cost both sides time. */
  readonly key: string;
  readonly signature_scheme: 'hmac-sha256';
  readonly kernel_name: string;
  /**
   * CurveZMQ keys of the kernel's sockets (Z85). The runner uses the same keys: access to this file is the permission.
   */
  readonly curve_publickey?: string;
  readonly curve_secretkey?: string;
}

/** A started kernel process, with what is needed to communicate with it. */
export interface LaunchedKernel {
  readonly launch: KernelLaunch;
  readonly connection: ConnectionInfo;
  readonly process: KernelProcess;
  /** Connection file and sockets, which are not needed after its end. */
  readonly files: readonly string[];
  /** Windows: name of the event that interrupts it, if it supports one. */
  readonly interruptEvent: string;
}

/** Folders and log of a kernel. */
export interface KernelPlace {
  readonly workingDirectory: string;
  /** Owned by the user, 0700; receives the connection file and the sockets. */
  readonly runtimeDirectory: string;
  /** Number of the kernel in that directory, which is part of its files' names; 1 if undefined. */
  readonly number?: number;
  /** Receives stdout and stderr; appended to, 0600. */
  readonly logFile: string;
}

/**
 * Starts a kernel in its own process group, so that a signal reaches its children too, and signals to the runner do not
 * reach it. If the command does not exist, the process's exit reports that.
 *
 * @param forkServer One for kernels like this, if there is one.
 * @throws SystemError if a file cannot be written; Error if a Windows command cannot be started, see batch-file.ts.
 */
export async function launchKernel(
  launch: KernelLaunch,
  { workingDirectory, runtimeDirectory, number = 1, logFile }: KernelPlace,
  forkServer?: KernelForkServer,
): Promise<LaunchedKernel> {
  const differences = kernelDifferences(launch);
  const name = `kernel${number > 1 ? String(number) : ''}`;
  // On ipc, a port is only the end of a file name.
  const sockets = path.join(runtimeDirectory, name);
  const connection = differences.ipc ? ipcConnection(launch, sockets) : await tcpConnection(launch);
  const connectionFile = `${sockets}.json`;
  fs.writeFileSync(connectionFile, JSON.stringify(connection), { mode: 0o600, flag: 'wx' });
  const files = [connectionFile, ...(differences.ipc ? PORTS.map((port) => `${sockets}-${port}`) : [])];
  const interruptEvent = `Local\\notebook-executions-${path.basename(runtimeDirectory)}-${name}`;
  const argv = commandLine(differences, launch.argv, {
    connection_file: connectionFile,
    resource_dir: launch.resourceDir ?? '',
    interrupt_event: interruptEvent,
    parent_pid: String(process.pid),
  });
  const forked = await forkServer?.fork(argv, workingDirectory, logFile);
  const kernelProcess = forked ?? startProcess(argv, launch, workingDirectory, logFile);
  const processFile = `${sockets}${PROCESS_FILE}`;
  void noteProcess(processFile, kernelProcess);
  return { launch, connection, process: kernelProcess, files: [...files, processFile], interruptEvent };
}

/** Writes the kernel's process id and start time to a file. On Linux this is done within the same turn. */
async function noteProcess(file: string, { pid }: KernelProcess): Promise<void> {
  const startTime = pid === undefined ? undefined : await processStartTime(pid);
  if (startTime === undefined) return;
  try {
    fs.writeFileSync(file, JSON.stringify({ pid, startTime }), { mode: 0o600 });
  } catch (error) {
    // The kernel still runs, and can be found by its command line.
    console.error(`cannot write ${file}:`, error);
  }
}

function startProcess(
  argv: readonly string[],
  launch: KernelLaunch,
  workingDirectory: string,
  logFile: string,
): KernelProcess {
  const log = fs.openSync(logFile, 'a', 0o600);
  try {
    const env = { ...launch.env, ...parentVariable() };
    const { command, args, windowsVerbatimArguments } = spawnCall(argv, env);
    const child = spawn(command, args, {
      cwd: workingDirectory,
      env,
      windowsVerbatimArguments,
      stdio: ['ignore', log, log],
      detached: true,
      windowsHide: true,
    });
    return childKernel(child);
  } finally {
    fs.closeSync(log);
  }
}

function commandLine(
  differences: KernelDifferences,
  argv: readonly string[],
  values: Readonly<Record<string, string>>,
): string[] {
  return differences
    .commandLine(argv)
    .map((argument) =>
      argument.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
        Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
      ),
    );
}

/**
 * Makes ipykernel exit when this process is no longer its parent; other kernels ignore it. On Windows the variable is
 * the number of a handle, see ipykernel-program.ts.
 */
export function parentVariable(platform = process.platform): Record<string, string> {
  return platform === 'win32' ? {} : { JPY_PARENT_PID: String(process.pid) };
}

const PORTS = [1, 2, 3, 4, 5] as const;

function ipcConnection(launch: KernelLaunch, sockets: string): ConnectionInfo {
  const [shell, iopub, stdin, control, heartbeat] = PORTS;
  return {
    transport: 'ipc',
    ip: sockets,
    shell_port: shell,
    iopub_port: iopub,
    stdin_port: stdin,
    control_port: control,
    hb_port: heartbeat,
    key: '',
    signature_scheme: 'hmac-sha256',
    kernel_name: launch.name,
  };
}

async function tcpConnection(launch: KernelLaunch): Promise<ConnectionInfo> {
  const [shell = 0, iopub = 0, stdin = 0, control = 0, hb = 0] = await freePorts(5);
  return {
    transport: 'tcp',
    ip: '127.0.0.1',
    shell_port: shell,
    iopub_port: iopub,
    stdin_port: stdin,
    control_port: control,
    hb_port: hb,
    key: randomUUID(),
    signature_scheme: 'hmac-sha256',
    kernel_name: launch.name,
    ...(launch.supportedEncryption?.includes('curve') && (await curveKeys())),
  };
}

async function curveKeys(): Promise<Pick<ConnectionInfo, 'curve_publickey' | 'curve_secretkey'>> {
  // Imported here, because zeromq is not loaded yet when kernels on ipc are started.
  const { curveKeyPair } = await import('zeromq');
  const { publicKey, secretKey } = curveKeyPair();
  return { curve_publickey: publicKey, curve_secretkey: secretKey };
}

/** Ports of the loopback interface that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
