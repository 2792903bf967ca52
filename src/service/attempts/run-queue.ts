import { isTerminal } from '../../execution/states';
import type { Entry } from '../executions/entry';
import type { ExecutionIndex } from '../executions/execution-index';
import type { Supervisor } from './supervisor';

/** Dependencies of a {@link RunQueue}. */
export interface QueueOptions {
  readonly index: ExecutionIndex;
  readonly supervisor: Supervisor;
  /** How many executions may run at the same time; read again each time. */
  readonly maxConcurrent: () => number;
  /** Whether an execution of this id belongs to another host. */
  readonly isOnOtherHost: (id: string) => boolean;
  /** Called when the number of running executions has changed. */
  readonly onDidChangeRunning: () => void;
  /** Called when an execution has ended and its place is free. */
  readonly onEnded: (entry: Entry) => Promise<void>;
  readonly log: (message: string) => void;
}

/** The queue in front of the runners: starts queued executions, up to a limit at the same time. */
export class RunQueue {
  private readonly runningIds = new Set<string>();

  constructor(private readonly options: QueueOptions) {}

  /** Number of running executions. */
  get running(): number {
    return this.runningIds.size;
  }

  /** Number of queued executions. */
  get queued(): number {
    return [...this.queuedEntries()].length;
  }

  isRunning(id: string): boolean {
    return this.runningIds.has(id);
  }

  /** Starts queued executions, oldest first, up to the limit. */
  pump(): void {
    for (const entry of this.queuedEntries()) {
      if (this.runningIds.size >= this.options.maxConcurrent()) return;
      this.supervise(entry, this.options.supervisor.run(entry));
    }
  }

  /** Takes over an execution that already runs, even beyond the limit. */
  adopt(entry: Entry): void {
    this.supervise(entry, this.options.supervisor.adopt(entry));
  }

  private *queuedEntries(): Generator<Entry> {
    for (const entry of this.options.index) {
      const { id, state } = entry.record;
      // A queued execution that is being cancelled must not start.
      const isQueued = state === 'QUEUED' && entry.ending === undefined;
      if (isQueued && !this.runningIds.has(id) && !this.options.isOnOtherHost(id)) yield entry;
    }
  }

  private supervise(entry: Entry, attempt: Promise<void>): void {
    const { onDidChangeRunning, onEnded, log } = this.options;
    const { id } = entry.record;
    this.runningIds.add(id);
    onDidChangeRunning();
    attempt
      .then(async () => {
        this.runningIds.delete(id);
        this.pump();
        onDidChangeRunning();
        if (isTerminal(entry.record.state)) await onEnded(entry);
      })
      .catch((error: unknown) => {
        log(`error in a background task: ${String(error)}`);
      });
  }
}
