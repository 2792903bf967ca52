import { isDeepStrictEqual } from 'node:util';
import type { Execution } from '../execution/execution';
import type { ExecutionPage, ExecutionService } from '../execution/execution-service';
import { isActive } from '../execution/states';
import { createdAt, mayFollow, oldestOf } from './answer-order';
import type { Disposable } from './clock';
import { CreationOrder } from './creation-order';
import { Emitter } from './emitter';
import { ServiceStatuses, type ServiceStatus } from './service-statuses';

/** An execution and the service that runs it. A new object each time the execution changes. */
export interface TrackedExecution {
  /** Service id and resource name: unique in the window and stable across restarts. */
  readonly key: string;
  readonly service: ExecutionService;
  readonly execution: Execution;
}

/** The changes of one answer. At least one list is not empty. */
export interface StoreChange {
  readonly added: readonly TrackedExecution[];
  readonly changed: readonly TrackedExecution[];
  readonly removed: readonly TrackedExecution[];
}

/** Sequence number of a request. Answers are applied in this order, regardless of when they arrive. */
export type Ticket = number;

interface Entry {
  tracked: TrackedExecution;
  /** createTime in milliseconds; NaN if the service does not report it. */
  created: number;
  asOf: Ticket;
  hidden: boolean;
}

/** Number of removals that are remembered, so that a late answer cannot bring the execution back. */
const REMEMBERED_REMOVALS = 1000;

/** The key of an execution: service id and resource name. */
export function executionKey(serviceId: string, name: string): string {
  return `${serviceId}|${name}`;
}

/**
 * The single source of truth about executions in a window. Tree, status bar, notifier and output documents read it and
 * subscribe to it. Each request takes a ticket with {@link begin} before it is sent; its answer is applied with that
 * ticket.
 */
export class ExecutionStore implements Disposable {
  private readonly entries = new Map<string, Entry>();
  private readonly active = new Map<string, TrackedExecution>();
  /** By service id. */
  private readonly orders = new Map<string, CreationOrder>();
  private readonly services = new ServiceStatuses();
  private readonly removals = new Map<string, Ticket>();
  private lastTicket: Ticket = 0;

  private readonly changeEmitter = new Emitter<StoreChange>();
  /** Fires once for each answer that changed something. */
  readonly onDidChange = this.changeEmitter.event;
  /** See {@link ServiceStatuses.onDidChange}. */
  readonly onDidChangeService = this.services.onDidChange;

  /** Adds a service, also before its first request. No effect if it is already known. */
  addService(service: ExecutionService): void {
    this.services.add(service);
  }

  /** Forgets a service and its executions. */
  removeService(serviceId: string): void {
    const status = this.services.remove(serviceId);
    if (status === undefined) return;
    const removed = [...this.entries.values()].filter((entry) => entry.tracked.service.id === serviceId);
    for (const entry of removed) this.drop(entry.tracked.key);
    this.fire({ added: [], changed: [], removed: removed.filter(visible).map((entry) => entry.tracked) });
    this.services.emitRemoved(status);
  }

  /** Takes the ticket of a request. Call right before sending it. */
  begin(): Ticket {
    return ++this.lastTicket;
  }

  /** Applies the answer to a create, get or cancel. Returns the execution that the store now holds. */
  apply(ticket: Ticket, service: ExecutionService, execution: Execution): TrackedExecution {
    const change = new ChangeBuilder();
    const tracked = this.put(ticket, service, execution, change);
    this.fire(change);
    return tracked;
  }

  /**
   * Applies the answer to a list of the newest executions. Removes executions in the range of the page that it does not
   * contain, except active ones: lists of some services lag behind, so a `get` must decide.
   */
  applyFirstPage(ticket: Ticket, service: ExecutionService, page: ExecutionPage): void {
    const change = new ChangeBuilder();
    for (const execution of page.executions) this.put(ticket, service, execution, change);
    const coversAll = page.nextPageToken === undefined;
    const covered = coversAll
      ? this.entries.keys()
      : this.orderOf(service.id).between(oldestOf(page), Infinity);
    this.takeUnnamed(ticket, service, page, covered, change);
    this.fire(change);
    const known = this.services.get(service.id);
    const first = known === undefined || !known.loaded || coversAll;
    this.services.update(service, {
      loaded: true,
      nextPageToken: first ? page.nextPageToken : known.nextPageToken,
    });
  }

  /** Applies the answer to a list of older executions. */
  applyOlderPage(ticket: Ticket, service: ExecutionService, page: ExecutionPage): void {
    const change = new ChangeBuilder();
    for (const execution of page.executions) this.put(ticket, service, execution, change);
    this.fire(change);
    this.services.update(service, { loaded: true, nextPageToken: page.nextPageToken });
  }

  /** Applies the answer to a list of executions that match a filter. */
  applyFound(ticket: Ticket, service: ExecutionService, filter: string, page: ExecutionPage): void {
    const change = new ChangeBuilder();
    for (const execution of page.executions) this.put(ticket, service, execution, change);
    this.fire(change);
    this.services.update(service, { search: { filter, nextPageToken: page.nextPageToken } });
  }

  /**
   * Applies the answer to a list of known executions created before `before` (milliseconds since the epoch). Removes
   * inactive executions in the range of this page that it does not contain.
   */
  applyKnownPage(ticket: Ticket, service: ExecutionService, page: ExecutionPage, before: number): void {
    const change = new ChangeBuilder();
    const oldest = page.nextPageToken === undefined ? -Infinity : oldestOf(page, before);
    for (const execution of page.executions) this.put(ticket, service, execution, change);
    this.takeUnnamed(ticket, service, page, this.orderOf(service.id).between(oldest, before), change);
    this.fire(change);
  }

  /** Whether the store has executions of a service created before a time (milliseconds since the epoch). */
  knowsOlder(serviceId: string, before: number): boolean {
    return this.orderOf(serviceId).hasOlder(before);
  }

  /**
   * The execution is gone: it was deleted, or the service answered NOT_FOUND. Answers to earlier requests do not bring
   * it back.
   */
  remove(ticket: Ticket, serviceId: string, name: string): void {
    const key = executionKey(serviceId, name);
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.asOf > ticket) return;
    // Deleted and set again, so that the oldest removal comes first in the map.
    this.removals.delete(key);
    this.removals.set(key, ticket);
    if (this.removals.size > REMEMBERED_REMOVALS) {
      const [oldest] = this.removals.keys();
      if (oldest !== undefined) this.removals.delete(oldest);
    }
    const change = new ChangeBuilder();
    this.take(key, change);
    this.fire(change);
  }

  /** A request failed. The known executions are kept. */
  fail(service: ExecutionService, error: Error): void {
    this.services.update(service, { error });
  }

  /** All requests to the service succeeded. */
  succeed(service: ExecutionService): void {
    this.services.update(service, { error: undefined });
  }

  /** Hides an execution while its deletion can still be undone, or shows it again. */
  setHidden(key: string, hidden: boolean): void {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.hidden === hidden) return;
    entry.hidden = hidden;
    if (!hidden && isActive(entry.tracked.execution.state)) this.active.set(key, entry.tracked);
    if (hidden) this.active.delete(key);
    const list = [entry.tracked];
    this.fire({ added: hidden ? [] : list, changed: [], removed: hidden ? list : [] });
  }

  /** The latest version of an execution; undefined if it is unknown or hidden. */
  get(key: string): TrackedExecution | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && !entry.hidden ? entry.tracked : undefined;
  }

  /** Like {@link get}, by service and resource name. */
  find(serviceId: string, name: string): TrackedExecution | undefined {
    return this.get(executionKey(serviceId, name));
  }

  /** Every execution that is not hidden, in no particular order. */
  all(): TrackedExecution[] {
    return [...this.entries.values()].filter(visible).map((entry) => entry.tracked);
  }

  /** Whether the store has no visible execution. */
  get isEmpty(): boolean {
    for (const entry of this.entries.values()) if (visible(entry)) return false;
    return true;
  }

  /** Executions that change by themselves, of one service or of all. */
  activeOnes(serviceId?: string): TrackedExecution[] {
    const all = [...this.active.values()];
    return serviceId === undefined ? all : all.filter((tracked) => tracked.service.id === serviceId);
  }

  /** The status of each service, in the order in which they were added. */
  statuses(): ServiceStatus[] {
    return this.services.all();
  }

  status(serviceId: string): ServiceStatus | undefined {
    return this.services.get(serviceId);
  }

  dispose(): void {
    this.changeEmitter.dispose();
    this.services.dispose();
  }

  private put(
    ticket: Ticket,
    service: ExecutionService,
    execution: Execution,
    change: ChangeBuilder,
  ): TrackedExecution {
    const key = executionKey(service.id, execution.name);
    const entry = this.entries.get(key);
    const tracked: TrackedExecution = { key, service, execution };
    const created = createdAt(execution);
    if (entry === undefined) {
      if ((this.removals.get(key) ?? 0) >= ticket) return tracked;
      this.entries.set(key, { tracked, created, asOf: ticket, hidden: false });
      this.orderOf(service.id).add(key, created);
      change.added.push(tracked);
    } else {
      if (ticket < entry.asOf || !mayFollow(entry.tracked.execution, execution)) return entry.tracked;
      entry.asOf = ticket;
      if (isDeepStrictEqual(entry.tracked.execution, execution)) return entry.tracked;
      entry.tracked = tracked;
      if (!Object.is(entry.created, created)) {
        this.orderOf(service.id).delete(key, entry.created);
        this.orderOf(service.id).add(key, created);
        entry.created = created;
      }
      if (entry.hidden) return tracked;
      change.changed.push(tracked);
    }
    if (isActive(execution.state)) this.active.set(key, tracked);
    else this.active.delete(key);
    return tracked;
  }

  /**
   * Removes executions in the range of a page that it does not contain, except active ones and those with a later
   * answer.
   */
  private takeUnnamed(
    ticket: Ticket,
    service: ExecutionService,
    page: ExecutionPage,
    covered: Iterable<string>,
    change: ChangeBuilder,
  ): void {
    const named = new Set(page.executions.map(({ name }) => executionKey(service.id, name)));
    for (const key of covered) {
      const entry = this.entries.get(key);
      if (entry?.tracked.service.id !== service.id || named.has(key) || entry.asOf >= ticket) continue;
      if (!this.active.has(key)) this.take(key, change);
    }
  }

  private orderOf(serviceId: string): CreationOrder {
    const order = this.orders.get(serviceId) ?? new CreationOrder();
    this.orders.set(serviceId, order);
    return order;
  }

  private take(key: string, change: ChangeBuilder): void {
    const entry = this.drop(key);
    if (entry?.hidden === false) change.removed.push(entry.tracked);
  }

  private drop(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.active.delete(key);
    this.orderOf(entry.tracked.service.id).delete(key, entry.created);
    return entry;
  }

  private fire(change: StoreChange): void {
    if (change.added.length + change.changed.length + change.removed.length > 0)
      this.changeEmitter.fire(change);
  }
}

class ChangeBuilder implements StoreChange {
  readonly added: TrackedExecution[] = [];
  readonly changed: TrackedExecution[] = [];
  readonly removed: TrackedExecution[] = [];
}

function visible(entry: Entry): boolean {
  return !entry.hidden;
}
