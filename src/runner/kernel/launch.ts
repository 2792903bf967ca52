import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { curveKeyPair } from 'zeromq';
import type { KernelLaunch } from '../job';
import { kernelDifferences } from './kernel-differences';

/** Content of a connection file (jupyter-client documentation, "Connection files"). */
export interface ConnectionInfo {
  readonly transport: 'ipc' | 'tcp';
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  /** Empty on `ipc`: the directory lets nobody else in, and signing each message would cost both sides time. */
  readonly key: string;
  readonly signature_scheme: 'hmac-sha256';
  readonly kernel_name: string;
  /** CurveZMQ keys of the kernel's sockets (Z85). This side uses them too: whoever has read this file is let in. */
  readonly curve_publickey?: string;
  readonly curve_secretkey?: string;
}

/** A kernel process that was started, with what is needed to talk to it. */
export interface LaunchedKernel {
  readonly launch: KernelLaunch;
  readonly connection: ConnectionInfo;
  readonly process: ChildProcess;
  readonly logFile: string;
}

/**
 * Starts a kernel in its own process group, so that a signal reaches its children too and none of ours reaches it.
 *
 * @param runtimeDirectory Owned by the user, 0700: holds the connection file and the sockets.
 * @param logFile Gets stdout and stderr; appended to, 0600.
 */
export function launchKernel(
  launch: KernelLaunch,
  workingDirectory: string,
  runtimeDirectory: string,
  logFile: string,
): LaunchedKernel | Promise<LaunchedKernel> {
  const differences = kernelDifferences(launch);
  const start = (ports: Ports): LaunchedKernel => {
    const connection: ConnectionInfo = {
      transport: differences.ipc ? 'ipc' : 'tcp',
      ip: differences.ipc ? path.join(runtimeDirectory, 'kernel') : '127.0.0.1',
      ...ports,
      key: differences.ipc ? '' : randomUUID(),
      signature_scheme: 'hmac-sha256',
      kernel_name: launch.name,
      ...(!differences.ipc && launch.supportedEncryption?.includes('curve') === true && curveKeys()),
    };
    const connectionFile = path.join(runtimeDirectory, 'kernel.json');
    fs.writeFileSync(connectionFile, JSON.stringify(connection), { mode: 0o600, flag: 'wx' });
    const [command, ...args] = launch.argv.map((argument) =>
      argument
        .replaceAll('{connection_file}', connectionFile)
        .replaceAll('{resource_dir}', launch.resourceDir ?? ''),
    );
    if (command === undefined) throw new Error(`kernel ${launch.name} has no command line`);
    const log = fs.openSync(logFile, 'a', 0o600);
    try {
      const child = spawn(command, [...args, ...differences.extraArguments], {
        cwd: workingDirectory,
        // The kernel ends by itself when this process is no longer its parent (ipykernel; others ignore it).
        env: { ...launch.env, JPY_PARENT_PID: String(process.pid) },
        stdio: ['ignore', log, log],
        detached: true,
        windowsHide: true,
      });
      return { launch, connection, process: child, logFile };
    } finally {
      fs.closeSync(log);
    }
  };
  return differences.ipc ? start(IPC_PORTS) : freePorts().then(start);
}

type Ports = Record<'shell_port' | 'iopub_port' | 'stdin_port' | 'control_port' | 'hb_port', number>;

/** On `ipc` a port is only the end of a file name. */
const IPC_PORTS: Ports = { shell_port: 1, iopub_port: 2, stdin_port: 3, control_port: 4, hb_port: 5 };

function curveKeys(): Required<Pick<ConnectionInfo, 'curve_publickey' | 'curve_secretkey'>> {
  const { publicKey, secretKey } = curveKeyPair();
  return { curve_publickey: publicKey, curve_secretkey: secretKey };
}

/** Ports of this machine that were free a moment ago. */
async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    Object.keys(IPC_PORTS).map(
      (name) =>
        new Promise<[string, number, net.Server]>((resolve, reject) => {
          const server = net.createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            if (address === null || typeof address === 'string') reject(new Error('no port'));
            else resolve([name, address.port, server]);
          });
        }),
    ),
  );
  await Promise.all(servers.map(([, , server]) => new Promise((resolve) => server.close(resolve))));
  return { ...IPC_PORTS, ...Object.fromEntries(servers.map(([name, port]) => [name, port])) };
}
