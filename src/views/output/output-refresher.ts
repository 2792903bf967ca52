import type { Clock, Disposable } from '../../tracking/clock';

/** The shortest time between two looks at a document, in milliseconds. */
const SHORTEST = 1000;
/** A document is looked at again after this many times what its last reload took. */
const FACTOR = 10;

export interface OutputRefresherOptions {
  readonly clock: Clock;
  /** Keys of the documents that run and that somebody sees now. */
  readonly live: () => Iterable<string>;
  /** Looks whether the document is another one and, if so, has the editor reload it. Never rejects. */
  readonly check: (document: string) => Promise<boolean>;
}

interface Refresh {
  timer: Disposable | undefined;
  reloadStarted: number | undefined;
  /** What the last reload took, in milliseconds. */
  cost: number;
}

/** Keeps the documents that somebody sees current while they grow, at a rate that leaves the editor to the person. */
export class OutputRefresher implements Disposable {
  private readonly refreshes = new Map<string, Refresh>();
  private disposed = false;

  constructor(private readonly options: OutputRefresherOptions) {}

  /** To be called when documents come into sight, go out of it, or begin or end to run. */
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

  /** A part of a reload is done; what comes last counts. */
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
      void this.look(document, refresh);
    });
  }

  private async look(document: string, refresh: Refresh): Promise<void> {
    const started = this.options.clock.now();
    const reloads = await this.options.check(document);
    if (reloads) refresh.reloadStarted = started;
    if (this.refreshes.get(document) === refresh) this.plan(document, refresh);
  }
}
