import { EventEmitter } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../../system/deferred';
import { ControlEventSchema, type ControlRequest, type RunnerStatus } from '../../protocol/runner-job';
import { controlAddress, isRuntimeDirectory, removeRuntime } from '../../protocol/runtime-directory';
import { exists } from '../../system/programs';
import { endProcessesOf } from './runtime-processes';

/** A line of a runner that is longer is a fault: it never sends more than a status. */
const MAX_LINE = 16 * 1024 * 1024;

interface RunnerEvents {
  status: [RunnerStatus];
  ready: [];
}

/** The control connection to one runner; as long as it is open the runner lives. */
export class RunnerClient extends EventEmitter<RunnerEvents> {
  #received = '';
  #ended = deferred<boolean>();
  /** It was told to leave, and is perhaps still waiting for its kernel to end. */
  #isReleased = false;
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
    if (!isRuntimeDirectory(runtime)) return undefined;
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

  /** Removes its runtime directory once it is gone, and ends its kernels unless it does so itself. */
  async cleanUp(): Promise<void> {
    await this.closed;
    await (this.#isReleased ? removeRuntime(this.runtime) : endRuntime(this.runtime));
  }

  /** Resolves when it has run its job: whether it waits for another one. */
  get freed(): Promise<boolean> {
    return Promise.race([this.#ended.promise, this.closed.then(() => false)]);
  }

  send(request: ControlRequest): void {
    if (request.type === 'run') this.#ended = deferred();
    this.socket.write(`${JSON.stringify(request)}\n`);
  }

  /** Ends the connection; it is `closed` then. A spare runner leaves on it, a working one does not care. */
  end(): void {
    this.#isReleased = true;
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
      else if (event?.type === 'ended') this.#ended.resolve(event.isFree);
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

/** Ends what a runner that is gone has left, and removes its runtime directory. */
export async function endRuntime(runtime: string): Promise<void> {
  // A runner that has left by itself has removed it, and has no kernel any more.
  if (!(await exists(runtime))) return;
  await endProcessesOf(runtime);
  await removeRuntime(runtime);
}
