import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import * as fs from 'node:fs';
import { lstat, mkdir, rm } from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlEventSchema, controlAddress, type ControlRequest, type RunnerStatus } from '../runner/job';
import { makePrivateDirectory } from './files';
import { nodeEnvironment } from './processes';

/** How runners are started. */
export interface RunnerLauncher {
  /** dist/runner.js */
  readonly script: string;
  /** Directory for runtime directories, see endpoint.ts. */
  readonly runtimeRoot: string;
}

/** A line of a runner that is longer is a fault: it never sends more than a status. */
const MAX_LINE = 16 * 1024 * 1024;

/**
 * True when it is a directory of this user, and no link: in the system's temporary folder somebody else may have put
 * something in its place, perhaps a link to where this user keeps things.
 */
export async function isOwnDirectory(directory: string): Promise<boolean> {
  const stat = await lstat(directory).catch(() => undefined);
  return stat?.isDirectory() === true && (process.getuid === undefined || stat.uid === process.getuid());
}

/** Makes a new runtime directory, 0700. @throws Error where somebody else has made its root. */
export async function makeRuntimeDirectory(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  if (!(await isOwnDirectory(root))) throw new Error(`${root} is not a directory of this user`);
  await makePrivateDirectory(root);
  const directory = path.join(root, randomBytes(5).toString('hex'));
  await mkdir(directory, { mode: 0o700 });
  return directory;
}

/**
 * Starts a runner that outlives the service.
 * @param job path of its job.json; a spare when undefined.
 * @param logFile gets its stdout and stderr.
 * @returns resolves when the process has ended or could not be started; never rejects.
 */
export function spawnRunner(
  launcher: RunnerLauncher,
  runtime: string,
  job: string | undefined,
  logFile: string,
): Promise<string> {
  const log = fs.openSync(
    logFile,
    fs.constants.O_CREAT | fs.constants.O_APPEND | fs.constants.O_WRONLY,
    0o600,
  );
  try {
    const child = spawn(
      process.execPath,
      [launcher.script, '--runtime', runtime, ...(job === undefined ? [] : ['--job', job])],
      {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: runtime,
        env: nodeEnvironment(),
        windowsHide: true,
      },
    );
    child.unref();
    return new Promise((resolve) => {
      child.once('error', (error) => {
        resolve(error.message);
      });
      child.once('exit', (code, signal) => {
        resolve(signal ?? `exit code ${code ?? 'unknown'}`);
      });
    });
  } finally {
    fs.closeSync(log);
  }
}

interface RunnerEvents {
  status: [RunnerStatus];
  ready: [];
}

/** The control connection to one runner; as long as it is open the runner lives. */
export class RunnerClient extends EventEmitter<RunnerEvents> {
  #received = '';
  /** Resolves when the runner is gone: no event comes after this. */
  readonly closed: Promise<void>;

  private constructor(
    readonly runtime: string,
    private readonly socket: net.Socket,
  ) {
    super();
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      this.#receive(chunk);
    });
    // An error is followed by close, which says all that matters.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        resolve();
      }),
    );
  }

  /** Connects to the runner with this runtime directory, or answers undefined when nobody listens there. */
  static async connect(runtime: string): Promise<RunnerClient | undefined> {
    const socket = net.connect(controlAddress(runtime));
    return new Promise((resolve) => {
      socket.once('error', () => {
        resolve(undefined);
      });
      // In the same turn, so that the runner's first line is not lost.
      socket.once('connect', () => {
        resolve(new RunnerClient(runtime, socket));
      });
    });
  }

  /**
   * Connects to a runner that is being started.
   * @param gaveUp becomes true when there is no point in waiting any longer.
   */
  static async connectWhenUp(runtime: string, gaveUp: () => boolean): Promise<RunnerClient | undefined> {
    for (;;) {
      const client = await RunnerClient.connect(runtime);
      if (client !== undefined || gaveUp()) return client;
      await delay(10);
    }
  }

  send(request: ControlRequest): void {
    this.socket.write(`${JSON.stringify(request)}\n`);
  }

  /** Ends the connection; it is `closed` then. A spare runner leaves on it, a working one does not care. */
  end(): void {
    this.socket.destroy();
  }

  #receive(chunk: string): void {
    this.#received += chunk;
    if (this.#received.length > MAX_LINE) {
      this.socket.destroy();
      return;
    }
    const lines = this.#received.split('\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) {
      const event = parseEvent(line);
      if (event?.type === 'status') this.emit('status', event.status);
      else if (event?.type === 'ready') this.emit('ready');
    }
  }
}

function parseEvent(line: string): ReturnType<typeof ControlEventSchema.parse> | undefined {
  try {
    return ControlEventSchema.parse(JSON.parse(line));
  } catch {
    // A newer runner may say what this service does not know.
    return undefined;
  }
}

/** Removes a runtime directory when its runner is gone. What cannot be removed is left over until the next start. */
export async function removeRuntime(runtime: string): Promise<void> {
  await rm(runtime, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}
