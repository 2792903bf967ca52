import { isDeepStrictEqual } from 'node:util';
import type { Execution } from '../execution/execution';
import type { ExecutionPage, ExecutionService } from '../execution/execution-service';
import { isActive } from '../execution/states';
import { createdAt, mayFollow } from './answer-order';
import { CreationOrder } from './creation-order';

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

/** Collects the changes of one answer. */
export class ChangeBuilder implements StoreChange {
  readonly added: TrackedExecution[] = [];
  readonly changed: TrackedExecution[] = [];
  readonly removed: TrackedExecution[] = [];
}

/** The executions that a store knows, hidden ones included. Applies answers in the order of their tickets. */
export class KnownExecutions {
  private readonly entries = new Map<string, Entry>();
  private readonly active = new Map<string, TrackedExecution>();
  /** By service id. */
  private readonly orders = new Map<string, CreationOrder>();
  private readonly removals = new Map<string, Ticket>();

  /** The latest version of an execution; undefined if it is unknown or hidden. */
  get(key: string): TrackedExecution | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && !entry.hidden ? entry.tracked : undefined;
  }

  /** Every execution that is not hidden, in no particular order. */
  visible(): TrackedExecution[] {
    return [...this.entries.values()].filter(isVisible).map((entry) => entry.tracked);
  }

  /** Whether every execution is hidden, or there is none. */
  get isEmpty(): boolean {
    for (const entry of this.entries.values()) if (isVisible(entry)) return false;
    return true;
  }

  /** Executions that change by themselves and are not hidden. */
  activeOnes(): TrackedExecution[] {
    return [...this.active.values()];
  }

  /** Keys of all executions. */
  keys(): Iterable<string> {
    return this.entries.keys();
  }

  /** Keys of a service's executions created in a range, see {@link CreationOrder.between}. */
  createdBetween(serviceId: string, oldest: number, before: number): Iterable<string> {
    return this.orderOf(serviceId).between(oldest, before);
  }

  /** Whether there are executions of a service created before a time (milliseconds since the epoch). */
  hasOlder(serviceId: string, before: number): boolean {
    return this.orderOf(serviceId).hasOlder(before);
  }

  /** Applies an answer. Returns the execution that is known now. */
  put(
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
  takeUnnamed(
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

  /**
   * Removes an execution that is gone, unless a later answer contains it. Answers to earlier requests do not bring it
   * back.
   */
  remove(ticket: Ticket, key: string, change: ChangeBuilder): void {
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.asOf > ticket) return;
    // Deleted and set again, so that the oldest removal comes first in the map.
    this.removals.delete(key);
    this.removals.set(key, ticket);
    if (this.removals.size > REMEMBERED_REMOVALS) {
      const [oldest] = this.removals.keys();
      if (oldest !== undefined) this.removals.delete(oldest);
    }
    this.take(key, change);
  }

  /** Removes all executions of a service. */
  removeService(serviceId: string, change: ChangeBuilder): void {
    for (const { tracked } of [...this.entries.values()])
      if (tracked.service.id === serviceId) this.take(tracked.key, change);
  }

  /** Hides an execution, or shows it again. */
  setHidden(key: string, hidden: boolean, change: ChangeBuilder): void {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.hidden === hidden) return;
    entry.hidden = hidden;
    if (!hidden && isActive(entry.tracked.execution.state)) this.active.set(key, entry.tracked);
    if (hidden) this.active.delete(key);
    (hidden ? change.removed : change.added).push(entry.tracked);
  }

  private take(key: string, change: ChangeBuilder): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.active.delete(key);
    this.orderOf(entry.tracked.service.id).delete(key, entry.created);
    if (!entry.hidden) change.removed.push(entry.tracked);
  }

  private orderOf(serviceId: string): CreationOrder {
    const order = this.orders.get(serviceId) ?? new CreationOrder();
    this.orders.set(serviceId, order);
    return order;
  }
}

function isVisible(entry: Entry): boolean {
  return !entry.hidden;
}
