import * as fs from 'node:fs';
import * as z from 'zod/mini';
import { parseJson, type JsonObject } from '../../notebook/json';
import { deferred, elapsed } from '../../system/deferred';
import { asObject } from '../../recording/output';
import { KernelConnection, type Channel } from './connection';
import { kernelDifferences, type KernelDifferences } from './kernel-differences';
import type { ProcessExit } from '../../system/process-tree';
import type { LaunchedKernel } from './launch';
import { endLeftOver, endTree, interruptGroup, setEvent } from '../../system/process-tree';
import { executionState, type KernelMessage } from '../../recording/kernel-message';

/** How a kernel's process ended. */
export interface KernelExit extends ProcessExit {
  /** It had closed its connection, and was ended for that. */
  readonly wasLost: boolean;
}

/** See payloads.ts. */
const PayloadSchema = z.object({
  source: z.optional(z.string()),
  /** Of `page`: the mime bundle that a pager would show. */
  data: z.catch(z.optional(z.record(z.string(), z.unknown())), undefined),
  /** Of `exit_status`: class of the SystemExit, and Python's exit status. */
  name: z.catch(z.optional(z.string()), undefined),
  status: z.catch(z.optional(z.number()), undefined),
});

const ExecuteReplySchema = z.object({
  status: z.string(),
  // A reply ends the cell, whatever else it says.
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

/** A cell that is being run. */
export interface ExecuteRequest {
  readonly requestId: string;
  /** The reply of the shell channel. */
  readonly replied: Promise<ExecuteReply>;
  /** Resolves when the kernel has said on iopub that it is idle again: all ordinary outputs are there. */
  readonly idle: Promise<unknown>;
}

/** Signs of life on iopub. */
export interface IopubProbe {
  /** Resolves when a message has come that was sent for the probe: nothing older will come. */
  readonly passed: Promise<unknown>;
  /** Whether it has. */
  readonly hasPassed: boolean;
  /** Whether the kernel has been heard on a second connection. */
  readonly isHeard: boolean;
  end(): void;
}

/** Milliseconds after which a starting kernel is asked again: where it did not answer, and where iopub was silent. */
const ASK_AGAIN_INTERVAL = 1000;
const NUDGE_INTERVAL = 100;

/** Somebody who waits for what a request brings about. */
interface Pending {
  reply(message: KernelMessage): void;
  /** On iopub: `busy`, `idle`. */
  status(state: string | undefined): void;
}

/** Speaks with one kernel, from its start to its end. */
export class KernelClient {
  readonly differences: KernelDifferences;
  /** Resolves when the kernel's process has ended. */
  readonly exited: Promise<KernelExit>;
  /**
   * Resolves with the content of `kernel_info_reply` once the kernel has answered and its iopub messages arrive: a
   * subscription takes effect at some later time than the connection, and what was said before is lost.
   */
  readonly ready: Promise<JsonObject>;
  /** Messages so far that were none of this session. */
  garbage = 0;
  /** Messages of iopub so far. */
  iopubMessages = 0;
  private readonly connection: KernelConnection;
  private readonly pending = new Map<string, Pending>();
  private hasExited = false;
  private isReady = false;
  private isLost = false;
  private lastMessage = 0;
  private ending: Promise<boolean> | undefined;

  /** @param onIopub Gets every message of the iopub channel. */
  constructor(
    readonly launched: LaunchedKernel,
    public onIopub: (message: KernelMessage) => void = () => undefined,
  ) {
    this.differences = kernelDifferences(launched.launch);
    this.exited = launched.process.exited.then((exit) => ({ ...exit, wasLost: this.isLost }));
    void this.exited.then(() => (this.hasExited = true));
    this.connection = new KernelConnection(
      launched.connection,
      (channel, message) => {
        this.receive(channel, message);
      },
      () => this.garbage++,
    );
    this.ready = this.greet();
  }

  /** Asks who it is until it has answered and its iopub messages arrive. */
  private async greet(): Promise<JsonObject> {
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
      if (this.hasExited) return new Promise(() => undefined);
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
      // Cells are sent one by one: nothing is queued that would have to be aborted.
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

  /** Asks the kernel for signs of life on iopub, until it is heard on a connection that was made for this. */
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

  /** Tells the kernel what a front end would: a widget's new state. */
  sendComm(content: string): void {
    this.connection.send('shell', 'comm_msg', content);
  }

  /** Interrupts the running cell, and, with a signal, the kernel's children. */
  interrupt(): void {
    const { process, interruptEvent, launch } = this.launched;
    const mode = this.differences.interruptMode ?? launch.interruptMode;
    if (mode === 'message') this.connection.send('control', 'interrupt_request', {});
    else if (mode === 'event') void setEvent(interruptEvent);
    else if (process.pid !== undefined) interruptGroup(process.pid);
  }

  /** Ends the kernel and its children at once. */
  kill(): void {
    const { pid } = this.launched.process;
    if (pid !== undefined) void endTree(pid, this.hasExited);
  }

  /**
   * Asks the kernel to end, waits for it, then ends what is left of its process group. Messages that it sends on its way are
   * received. One that has not answered yet is not asked. Called again, it answers the same.
   * @param patience Milliseconds that it gets to end by itself: threads, exit handlers, its children.
   * @param hurry When this resolves, it is not waited for any longer.
   * @returns false where it was asked and did not end.
   */
  shutDown(patience: number, hurry = new Promise<unknown>(() => undefined)): Promise<boolean> {
    return (this.ending ??= this.end(patience, hurry));
  }

  private async end(patience: number, hurry: Promise<unknown>): Promise<boolean> {
    const { launched, isReady } = this;
    if (!this.hasExited && isReady) {
      this.connection.send('control', 'shutdown_request', { restart: false });
      await Promise.race([this.exited, elapsed(patience), hurry]);
    }
    const { hasExited } = this;
    if (hasExited && launched.process.pid !== undefined) await endLeftOver(launched.process.pid);
    else this.kill();
    await this.exited;
    if (isReady) await this.connection.drained();
    this.connection.close();
    // What cannot be removed goes with its directory.
    for (const file of launched.files) fs.rm(file, { force: true }, () => undefined);
    return hasExited || !isReady;
  }

  /** After the kernel's death: resolves when nothing more comes of what it had sent. */
  async drained(): Promise<void> {
    const until = performance.now() + 5000;
    do {
      await elapsed(200);
    } while (performance.now() - this.lastMessage < 100 && performance.now() < until);
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
      // Refused like allow_stdin: false, for kernels that ask all the same.
      else if (channel === 'stdin')
        this.connection.send('stdin', 'input_reply', { value: '', status: 'error' });
    } catch {
      this.garbage++;
    }
  }
}
