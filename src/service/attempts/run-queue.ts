import { isTerminal } from '../../execution/states';
import type { Entry } from '../executions/entry';
import type { ExecutionIndex } from '../executions/execution-index';
import type { Supervisor } from './supervisor';

/** What a queue works with. */
export interface QueueOptions {
  readonly index: ExecutionIndex;
  readonly supervisor: Supervisor;
  /** How many may run at the same time; asked anew each time. */
  readonly maxConcurrent: () => number;
  /** Whether an execution of this id belongs to another host. */
  readonly isElsewhere: (id: string) => boolean;
  /** Called when the number of those that run has changed. */
  readonly onDidChangeRunning: () => void;
  /** Called when an execution has ended and has made room. */
  readonly onEnded: (entry: Entry) => Promise<void>;
  readonly log: (message: string) => void;
}

/** The queue in front of the runners: which executions wait, and which run, at most so many at once. */
export class RunQueue {
  readonly #running = new Set<string>();

  constructor(private readonly options: QueueOptions) {}

  /** How many run. */
  get running(): number {
    return this.#running.size;
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.#waiting()].length;
  }

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** Starts what waits, oldest first, while there is room. */
  pump(): void {
    for (const entry of this.#waiting()) {
      if (this.#running.size >= this.options.maxConcurrent()) return;
      this.#supervise(entry, this.options.supervisor.run(entry));
    }
  }

  /** Takes over what runs already, whether there is room or not. */
  adopt(entry: Entry): void {
    this.#supervise(entry, this.options.supervisor.adopt(entry));
  }

  *#waiting(): Generator<Entry> {
    for (const entry of this.options.index) {
      const { id, state } = entry.record;
      if (state === 'QUEUED' && !this.#running.has(id) && !this.options.isElsewhere(id)) yield entry;
    }
  }

  #supervise(entry: Entry, attempt: Promise<void>): void {
    const { onDidChangeRunning, onEnded, log } = this.options;
    const { id } = entry.record;
    this.#running.add(id);
    onDidChangeRunning();
    attempt
      .then(async () => {
        this.#running.delete(id);
        this.pump();
        onDidChangeRunning();
        if (isTerminal(entry.record.state)) await onEnded(entry);
      })
      .catch((error: unknown) => {
        log(`in the background: ${String(error)}`);
      });
  }
}
