import type { ExecutionService } from '../execution/execution-service';
import type { Disposable } from './clock';
import { Emitter } from './emitter';

/** Status of a service as a whole. An error does not empty its list. */
export interface ServiceStatus {
  readonly service: ExecutionService;
  /** True after its first list was answered. */
  readonly loaded: boolean;
  /** Why the last request failed; undefined once one succeeds. */
  readonly error: Error | undefined;
  /** Token of the next page of older executions; undefined if there are no more. */
  readonly nextPageToken: string | undefined;
  /** The filter that the service searched with last, and the token of the next page of matches, if there are more. */
  readonly search?: { readonly filter: string; readonly nextPageToken: string | undefined };
}

/** The services of a window, in the order in which they were added. */
export class ServiceStatuses implements Disposable {
  private readonly statuses = new Map<string, ServiceStatus>();
  private readonly emitter = new Emitter<ServiceStatus>();
  /** Fires when a service was added, removed, loaded its first list, failed, recovered, searched, or its next page changed. */
  readonly onDidChange = this.emitter.event;

  /** Adds a service. No effect if it is already known. */
  add(service: ExecutionService): void {
    if (!this.statuses.has(service.id))
      this.put({ service, loaded: false, error: undefined, nextPageToken: undefined });
  }

  /** Removes a service and returns its status. Listeners are called only by {@link emitRemoved}. */
  remove(serviceId: string): ServiceStatus | undefined {
    const status = this.statuses.get(serviceId);
    this.statuses.delete(serviceId);
    return status;
  }

  emitRemoved(status: ServiceStatus): void {
    this.emitter.fire(status);
  }

  get(serviceId: string): ServiceStatus | undefined {
    return this.statuses.get(serviceId);
  }

  all(): ServiceStatus[] {
    return [...this.statuses.values()];
  }

  /** Updates the status. Ignored if the service was removed during the request. */
  update(service: ExecutionService, news: Partial<Omit<ServiceStatus, 'service'>>): void {
    const before = this.statuses.get(service.id);
    if (before === undefined) return;
    const after = { ...before, ...news };
    const isSame =
      after.loaded === before.loaded &&
      after.error === before.error &&
      after.nextPageToken === before.nextPageToken &&
      after.search === before.search;
    if (!isSame) this.put(after);
  }

  dispose(): void {
    this.emitter.dispose();
  }

  private put(status: ServiceStatus): void {
    this.statuses.set(status.service.id, status);
    this.emitter.fire(status);
  }
}
