import type { Clock, Disposable } from '../../tracking/clock';

/** Minimum interval between two checks of a document, in milliseconds. */
const SHORTEST = 1000;
/** The interval between checks is at least this many times the duration of the last reload. */
const FACTOR = 10;

export interface OutputRefresherOptions {
  readonly clock: Clock;
  /** Keys of the visible documents whose execution is running. */
  readonly live: () => Iterable<string>;
  /** Checks whether the document has changed; if so, makes the editor reload it. Never rejects. */
  readonly check: (document: string) => Promise<boolean>;
}

interface Refresh {
  timer: Disposable | undefined;
  reloadStarted: number | undefined;
  /** Duration of the last reload, in milliseconds. */
  cost: number;
}

/** Refreshes visible documents while they grow, at a rate that keeps the editor responsive. */
export class OutputRefresher implements Disposable {
  private readonly refreshes = new Map<string, Refresh>();
  private disposed = false;

  constructor(private readonly options: OutputRefresherOptions) {}

  /** Call this when documents become visible or hidden, or start or stop running. */
  update(): void {
    if (this.disposed) return;
    const live = new Set(this.options.live());
    for (const [document, refresh] of this.refreshes) {
      if (live.has(document)) continue;
      refresh.timer?.dispose();
      this.refreshes.delete(document);
    }
    for (const document of live) {
      if (this.refreshes.has(document)) continue;
      const refresh: Refresh = { timer: undefined, reloadStarted: undefined, cost: 0 };
      this.refreshes.set(document, refresh);
      this.plan(document, refresh);
    }
  }

  /** Call this after each part of a reload. The last call determines the duration. */
  reloaded(document: string): void {
    const refresh = this.refreshes.get(document);
    if (refresh?.reloadStarted === undefined) return;
    refresh.cost = this.options.clock.now() - refresh.reloadStarted;
    if (refresh.timer !== undefined) this.plan(document, refresh);
  }

  dispose(): void {
    this.disposed = true;
    for (const { timer } of this.refreshes.values()) timer?.dispose();
    this.refreshes.clear();
  }

  private plan(document: string, refresh: Refresh): void {
    refresh.timer?.dispose();
    const wait = Math.max(SHORTEST, FACTOR * refresh.cost);
    refresh.timer = this.options.clock.after(wait, () => {
      refresh.timer = undefined;
      void this.check(document, refresh);
    });
  }

  private async check(document: string, refresh: Refresh): Promise<void> {
    const started = this.options.clock.now();
    const reloads = await this.options.check(document);
    if (reloads) refresh.reloadStarted = started;
    if (this.refreshes.get(document) === refresh) this.plan(document, refresh);
  }
}
