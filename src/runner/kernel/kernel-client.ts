import * as fs from 'node:fs';
import * as z from 'zod/mini';
import { parseJson, type JsonObject } from '../../notebook/json';
import { deferred, elapsed } from '../../system/deferred';
import { asObject } from '../../recording/output';
import { KernelConnection, type Channel } from './connection';
import { kernelDifferences, type KernelDifferences } from './kernel-differences';
import type { ProcessExit } from '../../system/process-tree';
import type { LaunchedKernel } from './launch';
import { endOrphans, endTree, interruptGroup, setEvent } from '../../system/process-tree';
import { executionState, type KernelMessage } from '../../recording/kernel-message';

/** How a kernel's process ended. */
export interface KernelExit extends ProcessExit {
  /** The kernel had closed its connection, and was killed because of that. */
  readonly wasLost: boolean;
}

/** See payloads.ts. */
const PayloadSchema = z.object({
  source: z.optional(z.string()),
  /** Of `page`: the mime bundle for a pager. */
  data: z.catch(z.optional(z.record(z.string(), z.unknown())), undefined),
  /** Of `exit_status`: class of the SystemExit, and Python's exit status. */
  name: z.catch(z.optional(z.string()), undefined),
  status: z.catch(z.optional(z.number()), undefined),
});

const ExecuteReplySchema = z.object({
  status: z.string(),
  // A reply ends the cell, whatever else it contains.
  execution_count: z.catch(z.optional(z.number()), undefined),
  ename: z.catch(z.optional(z.string()), undefined),
  evalue: z.catch(z.optional(z.string()), undefined),
  payload: z.catch(z.optional(z.array(PayloadSchema)), undefined),
});

/** A reply to `execute_request`. */
export interface ExecuteReply extends z.infer<typeof ExecuteReplySchema> {
  /** `header.date`. */
  readonly date: string | undefined;
}

/** A running cell. */
export interface ExecuteRequest {
  readonly requestId: string;
  /** The reply on the shell channel. */
  readonly replied: Promise<ExecuteReply>;
  /** Resolves when the kernel has reported on iopub that it is idle again: all ordinary outputs have arrived. */
  readonly idle: Promise<unknown>;
}

/** A test of whether iopub messages still arrive. */
export interface IopubProbe {
  /** Resolves when a message that was requested by the probe has arrived: no older message will follow. */
  readonly passed: Promise<unknown>;
  /** Whether `passed` has resolved. */
  readonly hasPassed: boolean;
  /** Whether a message has arrived on a second connection. */
  readonly isHeard: boolean;
  end(): void;
}

/** Milliseconds after which a starting kernel is asked again: if it did not answer, and if iopub was silent. */
const ASK_AGAIN_INTERVAL = 1000;
const NUDGE_INTERVAL = 100;

/** Receives the messages that belong to a request. */
interface Pending {
  reply(message: KernelMessage): void;
  /** On iopub: `busy`, `idle`. */
  status(state: string | undefined): void;
}

/** The client of one kernel, from its start to its end. */
export class KernelClient {
  readonly differences: KernelDifferences;
  /** Resolves when the kernel's process has ended. */
  readonly exited: Promise<KernelExit>;
  /** How the kernel's process ended; undefined while it runs. */
  exit: KernelExit | undefined;
  /**
   * Resolves with the content of `kernel_info_reply` once the kernel has answered and its iopub messages arrive. A
   * subscription takes effect some time after the connection, and earlier messages are lost.
   */
  readonly ready: Promise<JsonObject>;
  /** Messages so far that were not of this session. */
  foreignMessages = 0;
  /** iopub messages so far. */
  iopubMessages = 0;
  private readonly connection: KernelConnection;
  private readonly pending = new Map<string, Pending>();
  private isReady = false;
  private isLost = false;
  private lastMessage = 0;
  private ending: Promise<boolean> | undefined;

  /** @param onIopub Receives every message of the iopub channel. */
  constructor(
    readonly launched: LaunchedKernel,
    public onIopub: (message: KernelMessage) => void = () => undefined,
  ) {
    this.differences = kernelDifferences(launched.launch);
    this.exited = launched.process.exited.then((exit) => ({ ...exit, wasLost: this.isLost }));
    void this.exited.then((exit) => (this.exit = exit));
    this.connection = new KernelConnection(
      launched.connection,
      (channel, message) => {
        this.receive(channel, message);
      },
      () => this.foreignMessages++,
    );
    this.ready = this.requestInfo();
  }

  /** Sends `kernel_info_request` until the kernel has answered and its iopub messages arrive. */
  private async requestInfo(): Promise<JsonObject> {
    for (;;) {
      const info = deferred<JsonObject>();
      const id = this.connection.send('shell', 'kernel_info_request', {});
      this.pending.set(id, {
        reply: (message) => {
          info.resolve(asObject(parseJson(message.content.toString())));
        },
        status: () => undefined,
      });
      const answer = await Promise.race([
        info.promise,
        this.exited.then(() => undefined),
        elapsed(ASK_AGAIN_INTERVAL),
      ]);
      if (this.exit) return new Promise(() => undefined);
      const until = performance.now() + NUDGE_INTERVAL;
      while (answer && this.iopubMessages === 0 && performance.now() < until) await elapsed(1);
      if (!answer || this.iopubMessages === 0) continue;
      this.pending.clear();
      this.isReady = true;
      this.connection.watch(() => {
        this.isLost = true;
        this.kill();
      });
      return answer;
    }
  }

  /** Sends a cell's source. */
  execute(code: string): ExecuteRequest {
    const replied = deferred<ExecuteReply>();
    const idle = deferred<undefined>();
    const requestId = this.connection.send('shell', 'execute_request', {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      // Cells are sent one by one, so no queued request has to be aborted.
      stop_on_error: false,
    });
    this.pending.set(requestId, {
      reply: (message) => {
        const reply = ExecuteReplySchema.parse(JSON.parse(message.content.toString()));
        replied.resolve({ ...reply, date: message.date });
      },
      status: (state) => {
        if (state === 'idle') idle.resolve(undefined);
      },
    });
    void Promise.all([replied.promise, idle.promise]).then(() => this.pending.delete(requestId));
    return { requestId, replied: replied.promise, idle: idle.promise };
  }

  /** Requests messages on iopub until one arrives on a connection that is opened for this. */
  probeIopub(): IopubProbe {
    const passed = deferred<undefined>();
    const ids: string[] = [];
    const ask = (): void => {
      const id = this.connection.send('shell', 'kernel_info_request', {});
      ids.push(id);
      this.pending.set(id, {
        reply: () => undefined,
        status: () => {
          probe.hasPassed = true;
          passed.resolve(undefined);
        },
      });
    };
    const disconnect = this.connection.listen(({ type }) => {
      if (type !== 'status') return;
      probe.isHeard = true;
      quit();
    });
    const asking = setInterval(ask, NUDGE_INTERVAL).unref();
    const quit = (): void => {
      clearInterval(asking);
      disconnect();
    };
    const probe = {
      passed: passed.promise,
      hasPassed: false,
      isHeard: false,
      end: () => {
        quit();
        for (const id of ids) this.pending.delete(id);
      },
    };
    ask();
    void this.exited.then(probe.end);
    return probe;
  }

  /** Sends the kernel a widget's new state, as a front end would. @param content JSON text. */
  sendComm(content: string): void {
    this.connection.send('shell', 'comm_msg', content);
  }

  /** Interrupts the running cell. If that is done by a signal, it also reaches the kernel's children. */
  interrupt(): void {
    const { process, interruptEvent, launch } = this.launched;
    const mode = this.differences.interruptMode ?? launch.interruptMode;
    if (mode === 'message') this.connection.send('control', 'interrupt_request', {});
    else if (mode === 'event') void setEvent(interruptEvent);
    else if (process.pid !== undefined) interruptGroup(process.pid);
  }

  /** Kills the kernel and its children. */
  kill(): void {
    const { pid } = this.launched.process;
    if (pid !== undefined) void endTree(pid, this.exit !== undefined);
  }

  /**
   * Asks the kernel to shut down, waits for it, then ends what is left of its process group. Messages that it sends
   * meanwhile are received. A kernel that has not answered yet is not asked. Further calls return the same result.
   * @param timeout Milliseconds for it to end by itself: threads, exit handlers, its children.
   * @param stopped Ends the wait early when it resolves.
   * @returns false if it was asked and did not end.
   */
  shutDown(timeout: number, stopped = new Promise<unknown>(() => undefined)): Promise<boolean> {
    return (this.ending ??= this.end(timeout, stopped));
  }

  private async end(timeout: number, stopped: Promise<unknown>): Promise<boolean> {
    const { launched, isReady } = this;
    if (!this.exit && isReady) {
      this.connection.send('control', 'shutdown_request', { restart: false });
      await Promise.race([this.exited, elapsed(timeout), stopped]);
    }
    const hasExited = this.exit !== undefined;
    if (hasExited && launched.process.pid !== undefined) await endOrphans(launched.process.pid);
    else this.kill();
    await this.exited;
    if (isReady) await this.connection.drained();
    this.connection.close();
    // Files that cannot be removed here are removed with their directory.
    for (const file of launched.files) fs.rm(file, { force: true }, () => undefined);
    return hasExited || !isReady;
  }

  /** After the kernel's death: resolves when no more of its messages arrive. */
  async drained(): Promise<void> {
    const until = performance.now() + 5000;
    do await elapsed(200);
    while (performance.now() - this.lastMessage < 100 && performance.now() < until);
  }

  private receive(channel: Channel, message: KernelMessage): void {
    this.lastMessage = performance.now();
    if (channel === 'iopub') {
      this.iopubMessages++;
      this.onIopub(message);
    }
    const pending = message.parentId === undefined ? undefined : this.pending.get(message.parentId);
    try {
      if (channel === 'shell' && message.type.endsWith('_reply')) pending?.reply(message);
      else if (channel === 'iopub' && message.type === 'status') pending?.status(executionState(message));
      // Refused, as `allow_stdin: false` says, for kernels that still ask.
      else if (channel === 'stdin')
        this.connection.send('stdin', 'input_reply', { value: '', status: 'error' });
    } catch {
      this.foreignMessages++;
    }
  }
}
