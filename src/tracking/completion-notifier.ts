import { randomUUID } from 'node:crypto';
import { isTerminal } from '../execution/states';
import type { Clock, Disposable } from './clock';
import { Emitter, type Event } from './emitter';
import type { ExecutionStore, TrackedExecution } from './execution-store';
import { executionKey } from './known-executions';
import type { RecordFolder } from './record-folder';
import type { Notice } from './records';

/** Focus of the window, as far as the notifier needs it. */
export interface WindowFocus {
  readonly focused: boolean;
  readonly onDidChange: Event<void>;
}

export interface CompletionNotifierOptions {
  readonly store: ExecutionStore;
  readonly notices: RecordFolder<Notice>;
  readonly clock: Clock;
  readonly window: WindowFocus;
  readonly workspace: string;
  readonly processId: number;
  /** Whether an extension host still runs. */
  readonly isAlive: (processId: number) => boolean;
  readonly log: (line: string) => void;
}

/** Executions that end within this time are reported together, in milliseconds. */
const TOGETHER = 400;
/** How long a window waits for the window that submitted an execution to report its end, in milliseconds. */
const PRECEDENCE = 10_000;

/** Executions whose ends are reported together. */
export interface EndedTogether {
  readonly executions: readonly TrackedExecution[];
  /**
   * True if they were submitted together and all of them have ended; false if they only ended at about the same time.
   */
  readonly batch: boolean;
}

interface Awaited {
  readonly notice: Notice;
  /** Whether other windows know of it, too, so that only one of them may report it. */
  readonly shared: boolean;
  /** `queued`: belongs to a batch that is about to be reported. */
  state: 'running' | 'ended' | 'queued' | 'told';
  /** The execution when it ended. */
  ended?: TrackedExecution;
}

/**
 * Reports the ends of the executions that this window submitted, and of those that an earlier window of the same
 * workspace left behind. A report is removed by one window, and only after the user could see it.
 */
export class CompletionNotifier implements Disposable {
  private readonly awaited = new Map<string, Awaited>();
  private readonly subscriptions: Disposable[];
  private timer: Disposable | undefined;
  private ended: TrackedExecution[] = [];
  private disposed = false;
  /** Ids of the batches that are still being submitted. */
  private readonly openBatches = new Set<string>();
  private readonly endEmitter = new Emitter<EndedTogether>();
  /** Fires when ended executions are to be reported now. */
  readonly onDidEnd = this.endEmitter.event;

  constructor(private readonly options: CompletionNotifierOptions) {
    this.subscriptions = [
      options.store.onDidChange((change) => {
        for (const tracked of [...change.added, ...change.changed]) this.check(tracked);
      }),
      options.window.onDidChange(() => {
        if (options.window.focused) void this.settle();
      }),
    ];
  }

  /**
   * Loads the executions that earlier windows of this workspace were waiting for. Call once, before the pollers start.
   */
  async restore(): Promise<void> {
    for (const notice of await this.options.notices.all())
      if (notice.workspace === this.options.workspace) this.await(notice, true);
  }

  /** Starts a batch of executions that are submitted together. Returns the id of the batch, for {@link submitted}. */
  beginBatch(): string {
    const batch = randomUUID();
    this.openBatches.add(batch);
    return batch;
  }

  /** The whole batch is submitted: its ends are reported when none of its executions is running any more. */
  endBatch(batch: string): void {
    this.openBatches.delete(batch);
    this.checkBatch(batch);
  }

  /**
   * Records that the user submitted this execution in this window. Resolves when the record would survive the window.
   * @param batch id from {@link beginBatch}; undefined if the execution was submitted alone.
   */
  async submitted(tracked: TrackedExecution, batch?: string): Promise<void> {
    const notice: Notice = {
      version: 1,
      serviceId: tracked.service.id,
      name: tracked.execution.name,
      workspace: this.options.workspace,
      processId: this.options.processId,
      ...(batch === undefined ? {} : { batch }),
    };
    let shared = true;
    try {
      await this.options.notices.put(tracked.key, notice);
    } catch (error) {
      // The execution runs anyway; only a reload would lose the report of its end.
      this.options.log(`Cannot remember what was submitted: ${String(error)}`);
      shared = false;
    }
    this.await(notice, shared);
  }

  /** Resource names of a service's executions whose end is still to be reported. */
  awaitedNames(serviceId: string): string[] {
    return [...this.awaited.values()]
      .filter(({ notice, state }) => notice.serviceId === serviceId && state === 'running')
      .map(({ notice }) => notice.name);
  }

  /** Ids of the services with an execution whose end is still to be reported. */
  awaitedServices(): ReadonlySet<string> {
    const running = [...this.awaited.values()].filter(({ state }) => state === 'running');
    return new Set(running.map(({ notice }) => notice.serviceId));
  }

  /** Cancels the report of an end, because the user already knows it (cancelled, deleted or opened the execution). */
  async forget(key: string): Promise<void> {
    const batch = this.awaited.get(key)?.notice.batch;
    this.awaited.delete(key);
    this.ended = this.ended.filter((tracked) => tracked.key !== key);
    if (batch !== undefined) this.checkBatch(batch);
    await this.options.notices.claim(key);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const subscription of this.subscriptions) subscription.dispose();
    this.timer?.dispose();
    this.endEmitter.dispose();
  }

  private await(notice: Notice, shared: boolean): void {
    const key = executionKey(notice.serviceId, notice.name);
    this.awaited.set(key, { notice, shared, state: 'running' });
    const tracked = this.options.store.get(key);
    if (tracked !== undefined) this.check(tracked);
  }

  private check(tracked: TrackedExecution): void {
    const awaited = this.awaited.get(tracked.key);
    if (awaited?.state !== 'running' || !isTerminal(tracked.execution.state)) return;
    awaited.state = 'ended';
    awaited.ended = tracked;
    const { batch } = awaited.notice;
    if (batch !== undefined) {
      this.checkBatch(batch);
    } else if (this.isOfOther(awaited.notice)) {
      this.options.clock.after(PRECEDENCE, () => {
        this.enqueue(tracked);
      });
    } else {
      this.enqueue(tracked);
    }
  }

  /** Reports the ends of a batch when all of it is submitted and none of its executions is running any more. */
  private checkBatch(batch: string): void {
    const members = [...this.awaited.values()].filter(({ notice }) => notice.batch === batch);
    const [first] = members;
    if (this.disposed || first === undefined || this.openBatches.has(batch)) return;
    if (members.some(({ state }) => state === 'running')) return;
    // This window may know only a part of a batch that another window submits.
    if (this.isOfOther(first.notice)) {
      this.options.clock.after(PRECEDENCE, () => {
        this.checkBatch(batch);
      });
      return;
    }
    for (const member of members) {
      if (member.ended === undefined || member.state !== 'ended') continue;
      member.state = 'queued';
      this.enqueue(member.ended);
    }
  }

  /** Whether the execution was submitted by another window that is still running. */
  private isOfOther({ processId }: Notice): boolean {
    return processId !== this.options.processId && this.options.isAlive(processId);
  }

  private enqueue(tracked: TrackedExecution): void {
    if (this.disposed || !this.awaited.has(tracked.key)) return;
    this.ended.push(tracked);
    this.timer ??= this.options.clock.after(TOGETHER, () => {
      this.timer = undefined;
      void this.notify();
    });
  }

  /**
   * Reports what has ended. In an unfocused window, own executions are reported at once, but their records stay until
   * the window has the focus.
   */
  private async notify(): Promise<void> {
    const { window } = this.options;
    const ended = this.ended;
    this.ended = [];
    const mine: TrackedExecution[] = [];
    const batches = new Map<string, TrackedExecution[]>();
    for (const tracked of ended) {
      const awaited = this.awaited.get(tracked.key);
      if (awaited === undefined) continue;
      const { batch, processId } = awaited.notice;
      const group = batch === undefined ? mine : (batches.get(batch) ?? []);
      if (batch !== undefined) batches.set(batch, group);
      if (window.focused) {
        if (await this.claim(tracked.key)) group.push(tracked);
      } else if (processId === this.options.processId) {
        awaited.state = 'told';
        group.push(tracked);
      } else {
        // Submitted by another window: wait until this window has the focus.
        this.ended.push(tracked);
      }
    }
    const groups = [
      { executions: mine, batch: false },
      ...[...batches.values()].map((executions) => ({ executions, batch: true })),
    ];
    for (const group of groups)
      if (group.executions.length > 0 && !this.disposed) this.endEmitter.fire(group);
  }

  /** The window got the focus: removes the records of what was reported, and reports what is waiting. */
  private async settle(): Promise<void> {
    for (const [key, { state }] of this.awaited) if (state === 'told') await this.claim(key);
    if (this.ended.length > 0) await this.notify();
  }

  private async claim(key: string): Promise<boolean> {
    const shared = this.awaited.get(key)?.shared ?? true;
    this.awaited.delete(key);
    if (!shared) return true;
    try {
      return await this.options.notices.claim(key);
    } catch (error) {
      // Reporting twice is better than never.
      this.options.log(`Cannot remember what was told: ${String(error)}`);
      return true;
    }
  }
}
