/** How often the tasks of {@link UpkeepTasks.check} are due, milliseconds. */
const CHECK_MS = 5000;

/** The first retention sweep comes soon after the start, when no client waits for it; then every hour. Milliseconds. */
const FIRST_SWEEP_MS = 5_000;
const SWEEP_MS = 60 * 60 * 1000;

/** What a service does regularly. */
export interface UpkeepTasks {
  /** Checks the lock, other hosts, runtime directories and the idle time. */
  check(): Promise<void>;
  /** Deletes executions that are too old or use too much space. */
  sweep(): Promise<void>;
}

/** Calls the regular tasks of a service. An error of a task is logged, and the task is called again when it is due. */
export class Upkeep {
  private readonly checking: NodeJS.Timeout;
  private sweeping: NodeJS.Timeout;

  /** @param idleSeconds see ServeOptions; the idle time must be checked more often than that. */
  constructor(
    private readonly tasks: UpkeepTasks,
    idleSeconds: number | undefined,
    private readonly log: (message: string) => void,
  ) {
    const interval = Math.min(CHECK_MS, (idleSeconds ?? CHECK_MS) * 500);
    this.checking = setInterval(() => void this.logged('upkeep', tasks.check()), interval).unref();
    this.sweeping = this.sweepAfter(FIRST_SWEEP_MS);
  }

  /** No task is called any more. */
  stop(): void {
    clearInterval(this.checking);
    clearTimeout(this.sweeping);
  }

  private sweepAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.sweeping = this.sweepAfter(SWEEP_MS);
      void this.logged('retention', this.tasks.sweep());
    }, milliseconds).unref();
  }

  private async logged(what: string, task: Promise<void>): Promise<void> {
    await task.catch((error: unknown) => {
      this.log(`${what}: ${String(error)}`);
    });
  }
}
