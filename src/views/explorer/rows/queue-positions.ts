import type { ExecutionStore, TrackedExecution } from '../../../tracking/execution-store';
import { parseTime } from '../../../wording/execution-facts';

/** Position of an execution in its service's queue. */
export interface QueuePosition {
  /** Counted from 1. */
  readonly position: number;
  readonly total: number;
}

/**
 * Positions of queued executions by key, for services that run executions in the order of creation. Services that may
 * have older queued executions than the store knows are omitted.
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
    // If an older execution no longer waits, all executions created before it no longer wait either.
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
