import { ServiceError } from '../execution/errors';
import type { ExecutionService } from '../execution/execution-service';
import type { Clock, Disposable } from './clock';
import { Emitter } from './emitter';
import type { ExecutionStore, TrackedExecution } from './execution-store';
import { executionKey } from './known-executions';
import type { RecordFolder } from './record-folder';
import type { Deletion } from './records';

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_TIME = 10_000;
/** Milliseconds after which a recorded deletion counts as abandoned, even if its process id is in use. */
const OWNED_TIME = 10 * UNDO_TIME;

export interface DeletionServiceOptions {
  readonly store: ExecutionStore;
  readonly deletions: RecordFolder<Deletion>;
  readonly clock: Clock;
  readonly processId: number;
  readonly isAlive: (processId: number) => boolean;
}

/** The service refused; the execution is visible again. */
export interface FailedDeletion {
  readonly tracked: TrackedExecution;
  readonly error: Error;
}

/** Deletions that were requested together. */
export interface PendingDeletion {
  /** Undoes all of them. False if it was too late. */
  undo(): Promise<boolean>;
  /** Resolves when they have been carried out or undone. */
  readonly done: Promise<void>;
}

interface Batch {
  readonly list: readonly TrackedExecution[];
  readonly timer: Disposable;
  readonly finish: () => void;
}

/**
 * Deletes after a delay in which the user can undo it. The request is recorded at once, so that it is also carried out
 * if the window closes (by {@link flush}) or its process ends (by the next window, in {@link restore}).
 */
export class DeletionService implements Disposable {
  private readonly batches = new Set<Batch>();
  private readonly failEmitter = new Emitter<FailedDeletion>();
  readonly onDidFail = this.failEmitter.event;

  constructor(private readonly options: DeletionServiceOptions) {}

  /** Hides the executions and deletes them after {@link UNDO_TIME}. */
  async delete(list: readonly TrackedExecution[]): Promise<PendingDeletion> {
    const { store, deletions, clock, processId } = this.options;
    for (const { key, service, execution } of list) {
      const { name } = execution;
      const time = clock.now();
      await deletions.put(key, { version: 1, serviceId: service.id, name, processId, time });
      store.setHidden(key, true);
    }
    const { promise, resolve } = deferred();
    const batch: Batch = {
      list,
      timer: clock.after(UNDO_TIME, () => void this.carryOut(batch)),
      finish: resolve,
    };
    this.batches.add(batch);
    return { done: promise, undo: () => this.undo(batch) };
  }

  /** Carries out all pending deletions now, before the window closes. */
  async flush(): Promise<void> {
    await Promise.all([...this.batches].map((batch) => this.carryOut(batch)));
  }

  /** Carries out the deletions that closed windows left behind, for a service that was just added. */
  async restore(service: ExecutionService): Promise<void> {
    const { deletions, clock, processId, isAlive } = this.options;
    for (const deletion of await deletions.all()) {
      if (deletion.serviceId !== service.id) continue;
      // The process id may have been reused, so an old record counts as abandoned.
      const owned = deletion.processId === processId || isAlive(deletion.processId);
      if (owned && clock.now() - deletion.time < OWNED_TIME) continue;
      const key = executionKey(service.id, deletion.name);
      // Two windows may do this at the same time; the second finds nothing to delete.
      await this.deleteOne({ key, service, execution: { name: deletion.name, state: 'STATE_UNSPECIFIED' } });
    }
  }

  dispose(): void {
    for (const batch of this.batches) batch.timer.dispose();
    this.failEmitter.dispose();
  }

  private async undo(batch: Batch): Promise<boolean> {
    if (!this.batches.delete(batch)) return false;
    batch.timer.dispose();
    for (const { key } of batch.list) {
      await this.options.deletions.claim(key);
      this.options.store.setHidden(key, false);
    }
    batch.finish();
    return true;
  }

  private async carryOut(batch: Batch): Promise<void> {
    if (!this.batches.delete(batch)) return;
    batch.timer.dispose();
    await Promise.all(batch.list.map((tracked) => this.deleteOne(tracked)));
    batch.finish();
  }

  private async deleteOne(tracked: TrackedExecution): Promise<void> {
    const { store, deletions } = this.options;
    const { key, service, execution } = tracked;
    try {
      await service.delete(execution.name);
    } catch (error) {
      if (!(error instanceof ServiceError && error.status === 'NOT_FOUND')) {
        await deletions.claim(key);
        store.setHidden(key, false);
        this.failEmitter.fire({ tracked, error: error instanceof Error ? error : new Error(String(error)) });
        return;
      }
    }
    // Begun after the answer, because a list requested during the deletion may still contain the execution.
    store.remove(store.begin(), service.id, execution.name);
    await deletions.claim(key);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
