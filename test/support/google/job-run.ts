import type { runNotebook, RunResult } from './run-notebook';

/** Runs a notebook. A faster function replaces it in tests where the notebook does not matter. */
export type Run = typeof runNotebook;

/** How long a run stays in its states before it runs: milliseconds, or until a promise resolves. */
export const DELAYS: { queued: number | Promise<void>; pending: number | Promise<void> } = {
  queued: 30,
  pending: 30,
};

/**
 * When the output of a run appears in Cloud Storage: before its end, or later, as public code of Google's clients
 * expects (scheduler-jupyter-plugin looks for it again).
 */
export const OUTPUTS: { appear: Promise<void> | undefined } = { appear: undefined };

/** A run in the cloud: goes through the states with delays, runs the notebook, records the times. */
export class JobRun {
  state = 'QUEUED';
  readonly createTime = now();
  updateTime = this.createTime;
  startTime: string | undefined;
  endTime: string | undefined;
  message: string | undefined;
  /** Resolves when the run has ended and its output was written. */
  readonly ended: Promise<void>;
  private readonly abort = new AbortController();

  /** @param finish writes the output */
  constructor(
    work: (signal: AbortSignal) => Promise<RunResult>,
    finish: (result: RunResult) => Promise<void>,
  ) {
    this.ended = this.walk(work, finish);
  }

  get terminal(): boolean {
    return this.endTime !== undefined;
  }

  cancel(): void {
    if (this.terminal) return;
    this.enter('CANCELLING');
    this.abort.abort();
  }

  /** Also called by tests that need a state but no run. */
  enter(state: string): void {
    this.state = state;
    this.updateTime = now();
  }

  private async walk(
    work: (signal: AbortSignal) => Promise<RunResult>,
    finish: (result: RunResult) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.abort;
    for (const [next, before] of [
      ['PENDING', DELAYS.queued],
      ['RUNNING', DELAYS.pending],
    ] as const) {
      await delay(before, signal);
      if (signal.aborted) {
        this.end('CANCELLED', undefined);
        return;
      }
      this.enter(next);
    }
    this.startTime = this.updateTime;
    const result = await work(signal);
    if (OUTPUTS.appear === undefined) await finish(result);
    else void OUTPUTS.appear.then(() => finish(result));
    this.end(signal.aborted ? 'CANCELLED' : result.state, result.message);
  }

  private end(state: string, message: string | undefined): void {
    this.enter(state);
    this.endTime = this.updateTime;
    this.message = message;
  }
}

async function delay(until: number | Promise<void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = typeof until === 'number' ? setTimeout(resolve, until) : undefined;
    if (typeof until !== 'number') void until.then(resolve);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

let last = 0;
/** The current time in Google's format. No two calls return the same time, so that the order is visible. */
function now(): string {
  last = Math.max(last + 1, Date.now());
  return new Date(last).toISOString().replace('Z', '000Z');
}
