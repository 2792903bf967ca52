import type { Execution } from '../execution/execution';
import type { ExecutionPage, ExecutionService } from '../execution/execution-service';
import { oldestOf } from './answer-order';
import type { Disposable } from './clock';
import { Emitter } from './emitter';
import {
  ChangeBuilder,
  executionKey,
  KnownExecutions,
  type StoreChange,
  type Ticket,
  type TrackedExecution,
} from './known-executions';
import { ServiceStatuses, type ServiceStatus } from './service-statuses';

export type { StoreChange, TrackedExecution } from './known-executions';

/**
 * The single source of truth about executions in a window. Tree, status bar, notifier and output documents read it and
 * subscribe to it. Each request takes a ticket with {@link begin} before it is sent; its answer is applied with that
 * ticket.
 */
export class ExecutionStore implements Disposable {
  private readonly known = new KnownExecutions();
  private readonly services = new ServiceStatuses();
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
    const change = new ChangeBuilder();
    this.known.removeService(serviceId, change);
    this.fire(change);
    this.services.emitRemoved(status);
  }

  /** Takes the ticket of a request. Call right before sending it. */
  begin(): Ticket {
    return ++this.lastTicket;
  }

  /** Applies the answer to a create, get or cancel. Returns the execution that the store now holds. */
  apply(ticket: Ticket, service: ExecutionService, execution: Execution): TrackedExecution {
    const change = new ChangeBuilder();
    const tracked = this.known.put(ticket, service, execution, change);
    this.fire(change);
    return tracked;
  }

  /**
   * Applies the answer to a list of the newest executions. Removes executions in the range of the page that it does not
   * contain, except active ones: lists of some services lag behind, so a `get` must decide.
   */
  applyFirstPage(ticket: Ticket, service: ExecutionService, page: ExecutionPage): void {
    const change = new ChangeBuilder();
    for (const execution of page.executions) this.known.put(ticket, service, execution, change);
    const coversAll = page.nextPageToken === undefined;
    const covered = coversAll
      ? this.known.keys()
      : this.known.createdBetween(service.id, oldestOf(page), Infinity);
    this.known.takeUnnamed(ticket, service, page, covered, change);
    this.fire(change);
    const status = this.services.get(service.id);
    const first = status === undefined || !status.loaded || coversAll;
    this.services.update(service, {
      loaded: true,
      nextPageToken: first ? page.nextPageToken : status.nextPageToken,
    });
  }

  /** Applies the answer to a list of older executions. */
  applyOlderPage(ticket: Ticket, service: ExecutionService, page: ExecutionPage): void {
    const change = new ChangeBuilder();
    for (const execution of page.executions) this.known.put(ticket, service, execution, change);
    this.fire(change);
    this.services.update(service, { loaded: true, nextPageToken: page.nextPageToken });
  }

  /** Applies the answer to a list of executions that match a filter. */
  applyFound(ticket: Ticket, service: ExecutionService, filter: string, page: ExecutionPage): void {
    const change = new ChangeBuilder();
    for (const execution of page.executions) this.known.put(ticket, service, execution, change);
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
    for (const execution of page.executions) this.known.put(ticket, service, execution, change);
    this.known.takeUnnamed(
      ticket,
      service,
      page,
      this.known.createdBetween(service.id, oldest, before),
      change,
    );
    this.fire(change);
  }

  /** Whether the store has executions of a service created before a time (milliseconds since the epoch). */
  knowsOlder(serviceId: string, before: number): boolean {
    return this.known.hasOlder(serviceId, before);
  }

  /**
   * The execution is gone: it was deleted, or the service answered NOT_FOUND. Answers to earlier requests do not bring
   * it back.
   */
  remove(ticket: Ticket, serviceId: string, name: string): void {
    const change = new ChangeBuilder();
    this.known.remove(ticket, executionKey(serviceId, name), change);
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
    const change = new ChangeBuilder();
    this.known.setHidden(key, hidden, change);
    this.fire(change);
  }

  /** The latest version of an execution; undefined if it is unknown or hidden. */
  get(key: string): TrackedExecution | undefined {
    return this.known.get(key);
  }

  /** Like {@link get}, by service and resource name. */
  find(serviceId: string, name: string): TrackedExecution | undefined {
    return this.get(executionKey(serviceId, name));
  }

  /** Every execution that is not hidden, in no particular order. */
  all(): TrackedExecution[] {
    return this.known.visible();
  }

  /** Whether the store has no visible execution. */
  get isEmpty(): boolean {
    return this.known.isEmpty;
  }

  /** Executions that change by themselves, of one service or of all. */
  activeOnes(serviceId?: string): TrackedExecution[] {
    const all = this.known.activeOnes();
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

  private fire(change: StoreChange): void {
    if (change.added.length + change.changed.length + change.removed.length > 0)
      this.changeEmitter.fire(change);
  }
}
