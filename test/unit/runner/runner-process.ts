import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import * as readline from 'node:readline';
import type { Notebook } from '../../../src/notebook/model';
import { FILES } from '../../../src/protocol/execution-folder';
import type { ControlEvent, ControlRequest, RunnerJob } from '../../../src/protocol/runner-job';
import { controlAddress } from '../../../src/protocol/runtime-directory';
import { ROOT } from '../../support/paths';
import { cleanUp, jobFor, makeFolders } from './running';

/** The runner's bundle. */
export const RUNNER = path.join(ROOT, 'dist/runner.js');

/** A runner’s process and its arguments. */
export interface Started {
  readonly folder: string;
  readonly runtime: string;
  readonly jobFile: string;
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
}

const started: ChildProcess[] = [];

/**
 * Starts a runner with a job for this notebook; with `spare` a runner that waits for it. Ended by {@link endRunners}.
 * @param before receives the runtime directory before anything is started there
 */
export async function start(
  input: Notebook,
  changes: Partial<RunnerJob> = {},
  spare = false,
  before: (runtime: string) => void = () => undefined,
): Promise<Started> {
  const { folder, runtime } = await makeFolders(input);
  before(runtime);
  const jobFile = path.join(folder, FILES.job);
  fs.writeFileSync(jobFile, JSON.stringify(jobFor(folder, changes)), { mode: 0o600 });
  const child = spawn(
    process.execPath,
    [RUNNER, '--runtime', runtime, ...(spare ? [] : ['--job', jobFile])],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  started.push(child);
  return { folder, runtime, jobFile, process: child, exited: once(child, 'exit') };
}

/** The service's side of a control connection. */
export class Control {
  private readonly lines: AsyncIterator<string>;

  private constructor(readonly socket: net.Socket) {
    this.lines = readline.createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  static async connect(runtime: string): Promise<Control> {
    for (;;) {
      const socket = net.connect(controlAddress(runtime));
      const connected = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => {
          resolve(true);
        });
        socket.once('error', () => {
          resolve(false);
        });
      });
      if (connected) return new Control(socket);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  send(request: ControlRequest): void {
    this.socket.write(JSON.stringify(request) + '\n');
  }

  /** The next event that satisfies the condition. */
  async event(holds: (event: ControlEvent) => boolean): Promise<ControlEvent> {
    for (;;) {
      const line = await this.lines.next();
      if (line.done === true) throw new Error('the connection was closed');
      const event = JSON.parse(line.value) as ControlEvent;
      if (holds(event)) return event;
    }
  }
}

/** Ends the runners that a test started, and removes its folders. */
export async function endRunners(): Promise<void> {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await cleanUp();
}
