import { ServiceError } from '../execution/errors';
import type { Execution } from '../execution/execution';
import type { ExecutionPage, ExecutionService } from '../execution/execution-service';
import { isTerminal } from '../execution/states';
import type { Clock, Disposable } from './clock';
import { placeAfter, type Place } from './answer-order';
import type { ExecutionStore } from './execution-store';
import { retryAfter, type PollRates } from './poll-rates';

/** Number of executions that one list requests. */
export const PAGE_SIZE = 100;

export interface PollerOptions {
  readonly service: ExecutionService;
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly rates: PollRates;
  /**
   * Resource names of executions whose end is to be reported. The store may not know them, for example after a reload.
   */
  readonly awaited: () => Iterable<string>;
  /** The service no longer knows this resource name, so its end cannot be reported. */
  readonly gone: (name: string) => void;
  /** Random number from 0 up to 1. */
  readonly random: () => number;
  /** Writes a line to the log; not called again for the same persistent error. */
  readonly log: (line: string) => void;
}

/**
 * Keeps the store in step with one service. Each tick sends one list, and a get for every active or awaited execution
 * that the list does not contain, or that has ended and is listed without details. While the list is visible, some
 * ticks also list one page of older known executions, because these may have been deleted by another client or because
 * of their age. Ticks never overlap. Sends nothing while no execution is active or awaited and the list is not visible.
 */
export class Poller implements Disposable {
  private timer: Disposable | undefined;
  /** Time at which the timer fires. */
  private due = Infinity;
  private running: Promise<void> | undefined;
  private again = false;
  private watched = false;
  private disposed = false;
  private failures = 0;
  private quietTicks = 0;
  /** Position of the next page of older known executions; undefined: right after the first page. */
  private place: Place | undefined;
  /** When older known executions were last listed. */
  private olderListed = -Infinity;
  private readonly abort = new AbortController();
  private readonly subscription: Disposable;

  constructor(private readonly options: PollerOptions) {
    const { service, store } = options;
    store.addService(service);
    this.subscription = store.onDidChange(({ added, changed, removed }) => {
      if ([...added, ...changed, ...removed].some((tracked) => tracked.service.id === service.id))
        this.quietTicks = 0;
      // A tick planned while nothing was active would be too late for an execution that a command has just created.
      const wait = this.wait();
      if (this.running === undefined && wait !== undefined && options.clock.now() + wait < this.due)
        this.schedule();
    });
    if (this.wait() !== undefined) this.poke();
  }

  /** The list has become visible, or is no longer visible. Polls at once when it becomes visible. */
  setWatched(watched: boolean): void {
    if (this.watched === watched) return;
    this.watched = watched;
    if (watched) this.poke();
    else if (this.running === undefined) this.schedule();
  }

  /** Polls as soon as possible, because a command has just changed something. */
  poke(): void {
    void this.refresh();
  }

  /**
   * Polls now, regardless of the rates, and resolves when the answer is applied. Errors are in the store, not thrown.
   */
  async refresh(): Promise<void> {
    if (this.disposed) return;
    // The tick in progress may have read the service before the change that the caller wants to see, so another one
    // follows.
    if (this.running !== undefined) {
      this.again = true;
      await this.running;
      return;
    }
    this.stopTimer();
    this.running = this.ticks();
    await this.running;
  }

  /** Requests the next page of older executions. Resolves when it is applied; errors are in the store. */
  async loadMore(): Promise<void> {
    const { service, store } = this.options;
    const pageToken = store.status(service.id)?.nextPageToken;
    if (pageToken === undefined) return;
    await this.attempt(async (signal) => {
      const ticket = store.begin();
      const page = await service.list({ pageSize: PAGE_SIZE, pageToken }, signal);
      store.applyOlderPage(ticket, service, page);
    });
  }

  /**
   * Requests the next page of executions that match a filter; of all older ones if the filter is empty or the service
   * has no filters. Resolves when it is applied; errors are in the store.
   */
  async search(filter: string): Promise<void> {
    const { service, store } = this.options;
    if (filter === '' || service.capabilities.filters !== true) {
      await this.loadMore();
      return;
    }
    const { nextPageToken, search } = store.status(service.id) ?? {};
    const isContinued = search?.filter === filter;
    // The store has all executions, or all that match.
    if (nextPageToken === undefined || (isContinued && search.nextPageToken === undefined)) return;
    const pageToken = isContinued ? search.nextPageToken : undefined;
    await this.attempt(async (signal) => {
      const ticket = store.begin();
      const query = { pageSize: PAGE_SIZE, filter, ...(pageToken === undefined ? {} : { pageToken }) };
      store.applyFound(ticket, service, filter, await service.list(query, signal));
    });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.subscription.dispose();
    this.stopTimer();
    this.abort.abort(new ServiceError('CANCELLED', 'disposed', 'The poller was disposed'));
  }

  private async ticks(): Promise<void> {
    let error: unknown;
    try {
      do error = await this.oneTick();
      while (this.again && !this.disposed);
    } finally {
      this.running = undefined;
      this.failures = error === undefined ? 0 : this.failures + 1;
      this.schedule(retryAfter(error));
    }
  }

  private async oneTick(): Promise<unknown> {
    this.again = false;
    this.quietTicks++;
    return this.attempt((signal) => this.tick(signal));
  }

  private async tick(signal: AbortSignal): Promise<void> {
    const { service, store, awaited } = this.options;
    const ticket = store.begin();
    const page = await this.withDetails(await service.list({ pageSize: PAGE_SIZE }, signal), signal);
    store.applyFirstPage(ticket, service, page);
    const named = new Set(page.executions.map((execution) => execution.name));
    const others = new Set(store.activeOnes(service.id).map((tracked) => tracked.execution.name));
    for (const name of awaited()) if (!this.hasEnded(name)) others.add(name);
    const errors: unknown[] = [];
    for (const name of others) {
      // If one execution cannot be read, continue with the others.
      if (!named.has(name)) await this.ask(name, signal).catch((error: unknown) => errors.push(error));
      signal.throwIfAborted();
    }
    // At most once per `rates.watched`: while executions are active, ticks come faster, and this page costs as much as
    // the first.
    const { clock, rates } = this.options;
    if (this.watched && Math.abs(clock.now() - this.olderListed) >= rates.watched) {
      this.olderListed = clock.now();
      await this.fetchOlder(page, signal);
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Lists one page of the older known executions; each call lists the next page. */
  private async fetchOlder(first: ExecutionPage, signal: AbortSignal): Promise<void> {
    const { service, store } = this.options;
    const place = this.place ?? placeAfter(first);
    this.place = undefined;
    if (place === undefined || !store.knowsOlder(service.id, place.before)) return;
    const ticket = store.begin();
    const { pageToken, before } = place;
    // An expired token is not an error: the next call starts over.
    const page = await service.list({ pageSize: PAGE_SIZE, pageToken }, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (page === undefined) return;
    store.applyKnownPage(ticket, service, page, before);
    this.place = placeAfter(page, before);
  }

  /**
   * The page with complete executions in place of those that have just ended, for services whose lists omit details:
   * the report of an end must include the reason. If a get fails, the execution stays as listed.
   */
  private async withDetails(page: ExecutionPage, signal: AbortSignal): Promise<ExecutionPage> {
    const { service, store, awaited } = this.options;
    if (service.capabilities.detailsOnGet !== true) return page;
    const waited = new Set(awaited());
    const executions: Execution[] = [];
    for (const listed of page.executions) {
      const { name, state } = listed;
      const news =
        isTerminal(state) &&
        !this.hasEnded(name) &&
        (waited.has(name) || store.find(service.id, name) !== undefined);
      executions.push(news ? await service.get(name, signal).catch(() => listed) : listed);
      signal.throwIfAborted();
    }
    return { ...page, executions };
  }

  /** Whether the store knows that the execution has ended. */
  private hasEnded(name: string): boolean {
    const { service, store } = this.options;
    return isTerminal(store.find(service.id, name)?.execution.state);
  }

  private async ask(name: string, signal: AbortSignal): Promise<void> {
    const { service, store } = this.options;
    const ticket = store.begin();
    try {
      store.apply(ticket, service, await service.get(name, signal));
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 'NOT_FOUND') throw error;
      store.remove(ticket, service.id, name);
      this.options.gone(name);
    }
  }

  /** Runs requests with the time limit; returns the error that was put into the store, if any. */
  private async attempt(requests: (signal: AbortSignal) => Promise<void>): Promise<unknown> {
    const { service, store, clock, rates, log } = this.options;
    const limit = new AbortController();
    const timer = clock.after(rates.timeout, () => {
      limit.abort(new ServiceError('DEADLINE_EXCEEDED', 'noAnswer', `${service.id} does not answer`));
    });
    try {
      await requests(AbortSignal.any([this.abort.signal, limit.signal]));
      store.succeed(service);
      return undefined;
    } catch (thrown) {
      if (this.disposed) return undefined;
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const before = store.status(service.id)?.error;
      if (before?.message !== error.message) log(`${service.id}: ${error.message}`);
      store.fail(service, error);
      return error;
    } finally {
      timer.dispose();
    }
  }

  private schedule(atLeast = 0): void {
    this.stopTimer();
    const wait = this.disposed ? undefined : this.wait();
    if (wait === undefined) return;
    const milliseconds = Math.max(wait, atLeast);
    this.due = this.options.clock.now() + milliseconds;
    this.timer = this.options.clock.after(milliseconds, () => {
      this.poke();
    });
  }

  private stopTimer(): void {
    this.timer?.dispose();
    this.timer = undefined;
    this.due = Infinity;
  }

  /** Milliseconds until the next tick; undefined if none is needed. */
  private wait(): number | undefined {
    const { service, store, rates, random, awaited } = this.options;
    const busy =
      store.activeOnes(service.id).length > 0 || [...awaited()].some((name) => !this.hasEnded(name));
    if (!busy && !this.watched) return undefined;
    const [shortest, longest] = rates.active;
    const calm = busy
      ? Math.min(longest, shortest * 1.25 ** Math.max(0, this.quietTicks - 1))
      : rates.watched;
    const wait = Math.min(Math.max(calm, rates.longest), calm * 2 ** Math.min(this.failures, 20));
    return wait * (1 - rates.jitter / 2 + rates.jitter * random());
  }
}
