import type { ExecutionStore, TrackedExecution } from '../../../tracking/execution-store';
import { parseTime } from '../../../wording/execution-facts';

/** Where an execution stands in its service's queue. */
export interface QueuePosition {
  /** From 1. */
  readonly position: number;
  readonly total: number;
}

/**
 * Positions of queued executions by key, of the services that run them in the order of their creation. Without those of a
 * service that may have older ones in its queue than are known here.
 */
export function queuePositions(
  store: Pick<ExecutionStore, 'activeOnes' | 'all' | 'statuses'>,
): ReadonlyMap<string, QueuePosition> {
  const positions = new Map<string, QueuePosition>();
  for (const { service, nextPageToken } of store.statuses()) {
    if (service.capabilities.queuesInOrder !== true) continue;
    const queue = store
      .activeOnes(service.id)
      .filter(({ execution }) => execution.state === 'QUEUED')
      .sort((one, other) => createdOf(one) - createdOf(other) || (one.key < other.key ? -1 : 1));
    const [first] = queue;
    if (first === undefined) continue;
    // What was created before one that no longer waits does not wait either.
    const complete =
      nextPageToken === undefined ||
      store.all().some((each) => each.service.id === service.id && createdOf(each) < createdOf(first));
    if (!complete) continue;
    queue.forEach(({ key }, index) => {
      positions.set(key, { position: index + 1, total: queue.length });
    });
  }
  return positions;
}

function createdOf({ execution }: TrackedExecution): number {
  return parseTime(execution.createTime) ?? 0;
}
