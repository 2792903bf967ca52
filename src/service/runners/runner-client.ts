import { EventEmitter } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../../system/deferred';
import { ControlEventSchema, type ControlRequest, type RunnerStatus } from '../../protocol/runner-job';
import { controlAddress, isRuntimeDirectory, removeRuntime } from '../../protocol/runtime-directory';
import { exists } from '../../system/programs';
import { endProcessesOf } from './runtime-processes';

/** A longer line is an error, in characters: a runner never sends more than a status. */
const MAX_LINE = 16 * 1024 * 1024;

interface RunnerEvents {
  status: [RunnerStatus];
  ready: [];
}

/** The control connection to one runner; while it is open, the runner is alive. */
export class RunnerClient extends EventEmitter<RunnerEvents> {
  private received = '';
  private ended = deferred<boolean>();
  /** This side has closed the connection; the runner may still be waiting for its kernel to end. */
  private isDisconnected = false;
  /** Resolves when the runner is gone; no event follows. */
  readonly closed: Promise<void>;

  private constructor(
    readonly runtime: string,
    private readonly socket: net.Socket,
  ) {
    super();
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      this.receive(chunk);
    });
    // `close` follows, which is enough.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        resolve();
      }),
    );
  }

  /** Connects to the runner of this runtime directory; resolves with undefined if none listens there. */
  static async connect(runtime: string): Promise<RunnerClient | undefined> {
    if (!isRuntimeDirectory(runtime)) return undefined;
    const socket = net.connect(controlAddress(runtime));
    return new Promise((resolve) => {
      socket.once('error', () => {
        resolve(undefined);
      });
      // In the same turn of the event loop, so that the runner's first line is not lost.
      socket.once('connect', () => {
        resolve(new RunnerClient(runtime, socket));
      });
    });
  }

  /**
   * Connects to a runner that is starting.
   * @param gaveUp returns true when there is no point in waiting any longer.
   */
  static async connectWhenUp(runtime: string, gaveUp: () => boolean): Promise<RunnerClient | undefined> {
    for (;;) {
      const client = await RunnerClient.connect(runtime);
      if (client !== undefined || gaveUp()) return client;
      await delay(10);
    }
  }

  /** Waits until the runner is gone, then removes its runtime directory; ends its kernels unless it does so itself. */
  async cleanUp(): Promise<void> {
    await this.closed;
    await (this.isDisconnected ? removeRuntime(this.runtime) : endRuntime(this.runtime));
  }

  /** Resolves when the runner has finished its job: true if it now waits for another one. */
  get freed(): Promise<boolean> {
    return Promise.race([this.ended.promise, this.closed.then(() => false)]);
  }

  send(request: ControlRequest): void {
    if (request.type === 'run') this.ended = deferred();
    this.socket.write(`${JSON.stringify(request)}\n`);
  }

  /** Closes the connection; then it is `closed`. An idle runner exits, a busy one finishes its job first. */
  end(): void {
    this.isDisconnected = true;
    this.socket.destroy();
  }

  private receive(chunk: string): void {
    this.received += chunk;
    if (this.received.length > MAX_LINE) {
      this.socket.destroy();
      return;
    }
    const lines = this.received.split('\n');
    this.received = lines.pop() ?? '';
    for (const line of lines) {
      const event = parseEvent(line);
      if (event?.type === 'status') this.emit('status', event.status);
      else if (event?.type === 'ready') this.emit('ready');
      else if (event?.type === 'ended') this.ended.resolve(event.isFree);
    }
  }
}

function parseEvent(line: string): ReturnType<typeof ControlEventSchema.parse> | undefined {
  try {
    return ControlEventSchema.parse(JSON.parse(line));
  } catch {
    // A newer runner may send events that this service does not know.
    return undefined;
  }
}

/** Ends the processes that a dead runner left behind, and removes its runtime directory. */
export async function endRuntime(runtime: string): Promise<void> {
  // A runner that exited normally has removed the directory, and its kernel has ended.
  if (!(await exists(runtime))) return;
  await endProcessesOf(runtime);
  await removeRuntime(runtime);
}
