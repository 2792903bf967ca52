import type { Disposable } from '../../tracking/clock';
import { Emitter } from '../../tracking/emitter';
import type { ExecutionStore, TrackedExecution } from '../../tracking/execution-store';
import { parseTime } from '../../wording/execution-facts';

/** The latest execution of each source notebook, by the notebook's URI as text. */
export class LatestExecutions implements Disposable {
  private readonly latest = new Map<string, TrackedExecution>();
  private readonly emitter = new Emitter<readonly string[]>();
  /** Fires with the sources whose latest execution was replaced or has changed. */
  readonly onDidChange = this.emitter.event;
  private readonly subscription: Disposable;

  constructor(store: Pick<ExecutionStore, 'all' | 'onDidChange'>) {
    for (const tracked of store.all()) this.take(tracked);
    this.subscription = store.onDidChange(({ added, changed, removed }) => {
      const sources = new Set<string>();
      for (const tracked of [...added, ...changed]) if (this.take(tracked)) sources.add(sourceOf(tracked));
      const lost = new Set(removed.filter((tracked) => this.isLatest(tracked)).map(sourceOf));
      for (const source of lost) {
        this.latest.delete(source);
        sources.add(source);
      }
      if (lost.size > 0)
        for (const tracked of store.all()) if (lost.has(sourceOf(tracked))) this.take(tracked);
      if (sources.size > 0) this.emitter.fire([...sources]);
    });
  }

  /** The latest execution of a notebook, by its URI as text. */
  of(source: string): TrackedExecution | undefined {
    return this.latest.get(source);
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
  }

  /** Records an execution. Returns whether it is the latest one of its source. */
  private take(tracked: TrackedExecution): boolean {
    const source = sourceOf(tracked);
    const before = this.latest.get(source);
    if (source === '') return false;
    if (before !== undefined && before.key !== tracked.key && createdAt(before) > createdAt(tracked))
      return false;
    this.latest.set(source, tracked);
    return true;
  }

  private isLatest(tracked: TrackedExecution): boolean {
    return this.latest.get(sourceOf(tracked))?.key === tracked.key;
  }
}

function sourceOf({ execution }: TrackedExecution): string {
  return execution.runOptions?.source ?? '';
}

function createdAt({ execution }: TrackedExecution): number {
  return parseTime(execution.createTime) ?? 0;
}
