import * as path from 'node:path';
import type { ExecutionService } from '../execution/execution-service';
import type { Clock, Disposable } from './clock';
import { CompletionNotifier, type WindowFocus } from './completion-notifier';
import { DeletionService } from './deletion-service';
import { ExecutionStore } from './execution-store';
import { executionKey } from './known-executions';
import type { PollRates } from './poll-rates';
import { Poller } from './poller';
import { RecordFolder } from './record-folder';

/** Dependencies of the tracking; everything that tests control is passed in. */
export interface TrackingOptions {
  readonly clock: Clock;
  readonly window: WindowFocus;
  /** A folder shared by all windows of this machine (the extension's global storage). */
  readonly storageFolder: string;
  /** Identifies the open folder or workspace file; empty if none is open. */
  readonly workspace: string;
  readonly processId: number;
  readonly isAlive: (processId: number) => boolean;
  readonly random: () => number;
  readonly log: (line: string) => void;
}

/** Loaded with the first record, like all schemas in a window: most windows find no records. */
const records = () => import('./records');

/** All tracking of a window: one store, one poller per service, completion and deletion. */
export class TrackingService implements Disposable {
  readonly store = new ExecutionStore();
  readonly completion: CompletionNotifier;
  readonly deletion: DeletionService;
  private readonly pollers = new Map<string, Poller>();
  private watched = false;

  constructor(private readonly options: TrackingOptions) {
    const { clock, log, processId, isAlive, window, workspace, storageFolder } = options;
    const folder = <T>(name: string, parse: (value: unknown) => Promise<T>) =>
      new RecordFolder(path.join(storageFolder, name), parse);
    this.completion = new CompletionNotifier({
      store: this.store,
      notices: folder('notices', async (value) => (await records()).NoticeSchema.parse(value)),
      ...{ clock, window, workspace, processId, isAlive, log },
    });
    this.deletion = new DeletionService({
      store: this.store,
      deletions: folder('deletions', async (value) => (await records()).DeletionSchema.parse(value)),
      ...{ clock, processId, isAlive },
    });
  }

  /** Loads the executions that earlier windows were waiting for. Call once, before services are added. */
  async restore(): Promise<void> {
    await this.completion.restore();
  }

  /**
   * Starts tracking a service. It is polled only while an execution is active or awaited, or the executions are
   * visible.
   */
  addService(service: ExecutionService, rates: PollRates): void {
    if (this.pollers.has(service.id)) return;
    const { clock, random, log } = this.options;
    const awaited = () => this.completion.awaitedNames(service.id);
    const gone = (name: string) => {
      log(`${service.id} no longer knows ${name}`);
      this.completion.forget(executionKey(service.id, name)).catch((error: unknown) => {
        log(`Notice of ${name}: ${String(error)}`);
      });
    };
    const poller = new Poller({ service, store: this.store, clock, rates, awaited, gone, random, log });
    this.pollers.set(service.id, poller);
    poller.setWatched(this.watched);
    this.deletion.restore(service).catch((error: unknown) => {
      log(`Pending deletions: ${String(error)}`);
    });
  }

  /** Stops tracking a service, for example when no template names it any more. */
  removeService(serviceId: string): void {
    this.pollers.get(serviceId)?.dispose();
    this.pollers.delete(serviceId);
    this.store.removeService(serviceId);
  }

  /** The executions have become visible in this window, or are no longer visible. */
  setWatched(watched: boolean): void {
    this.watched = watched;
    for (const poller of this.pollers.values()) poller.setWatched(watched);
  }

  /** A command has just changed something in this service: poll it soon. */
  poke(serviceId: string): void {
    this.pollers.get(serviceId)?.poke();
  }

  /** Polls every service now. Resolves when all have answered or failed; errors are in the store. */
  async refresh(): Promise<void> {
    await Promise.all([...this.pollers.values()].map((poller) => poller.refresh()));
  }

  /** Requests the next page of older executions from every service that has one. */
  async loadMore(): Promise<void> {
    await Promise.all([...this.pollers.values()].map((poller) => poller.loadMore()));
  }

  /**
   * Requests the next page of executions that match a filter from every service, see {@link Poller.search}.
   * @param services ids of the services to search; empty for all
   */
  async search(filter: string, services: readonly string[]): Promise<void> {
    const searched = [...this.pollers].filter(([id]) => services.length === 0 || services.includes(id));
    await Promise.all(searched.map(([, poller]) => poller.search(filter)));
  }

  /** Call when the window closes: carries out pending deletions and stops all polling. Idempotent. */
  async close(): Promise<void> {
    await this.deletion.flush();
    this.dispose();
  }

  dispose(): void {
    for (const poller of this.pollers.values()) poller.dispose();
    this.completion.dispose();
    this.deletion.dispose();
    this.store.dispose();
  }
}
