import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import { PARENT } from '../../protocol/service-paths';
import type { Entry } from '../executions/entry';
import { now, present, presentInList, type ExecutionRecord } from '../executions/record';
import type { ExecutionManager } from '../execution-manager';
import { filterOf, type FilterFields } from './filter';
import { listPage, type ListQuery } from './list-page';

const OPERATION_METADATA = 'type.googleapis.com/google.cloud.notebooks.v1.OperationMetadata';
const EXECUTION = 'type.googleapis.com/google.cloud.notebooks.v1.Execution';
const EMPTY = 'type.googleapis.com/google.protobuf.Empty';

/** How long the operations of a deleted execution are answered, milliseconds, and how many of them at most. */
const REMEMBERED_MS = 60 * 60 * 1000;
const MAX_REMEMBERED = 2000;

/** google.longrunning.Operation */
export interface Operation {
  readonly name: string;
  readonly metadata: {
    readonly '@type': string;
    readonly createTime: string;
    readonly endTime?: string;
    readonly target: string;
    readonly verb: 'create' | 'delete';
    readonly requestedCancellation: boolean;
    readonly apiVersion: string;
  };
  readonly done: boolean;
  readonly response?: object;
}

const FILTER: FilterFields<Operation> = {
  fields: {
    name: { type: 'text', of: ({ name }) => name },
    done: { type: 'boolean', of: ({ done }) => done },
    verb: { type: 'text', of: ({ metadata }) => metadata.verb },
    target: { type: 'text', of: ({ metadata }) => metadata.target },
    createTime: { type: 'time', of: ({ metadata }) => metadata.createTime },
    endTime: { type: 'time', of: ({ metadata }) => metadata.endTime },
    'metadata.verb': { type: 'text', of: ({ metadata }) => metadata.verb },
    'metadata.target': { type: 'text', of: ({ metadata }) => metadata.target },
    'metadata.createTime': { type: 'time', of: ({ metadata }) => metadata.createTime },
    'metadata.endTime': { type: 'time', of: ({ metadata }) => metadata.endTime },
  },
};

/**
 * Long-running operations: `create-{executionId}` is done once the execution is accepted, `delete-{executionId}` once
 * it is removed. They are derived from the executions. Those of deleted executions are remembered for an hour, in
 * memory: after a restart of the service they are NOT_FOUND, like the execution itself.
 */
export class Operations {
  /** Operations of executions that no longer exist, by id, oldest first, and when each is forgotten. */
  private readonly past = new Map<string, { readonly operation: Operation; readonly until: number }>();
  /** Ids of operations that clients have deleted although their execution exists. */
  private readonly dismissed = new Set<string>();

  constructor(private readonly manager: ExecutionManager) {
    manager.executions.onDidForget = ({ record, status }) => {
      this.remember(creation(present(record, status), true));
      if (record.deleteTime !== undefined) this.remember(deletion(record.id, record.deleteTime, now()));
      this.dismissed.delete(`create-${record.id}`);
      this.dismissed.delete(`delete-${record.id}`);
    };
  }

  /** The operation of an accepted create. */
  created(execution: Execution): Operation {
    const operation = creation(execution);
    this.dismissed.delete(idOf(operation));
    return operation;
  }

  /** The operation of an accepted delete. */
  deleted(executionId: string): Operation {
    const operation = this.find(`delete-${executionId}`);
    if (operation !== undefined) return operation;
    // A record that could not be read: it was no execution.
    const time = now();
    return this.remember(deletion(executionId, time, time));
  }

  /** The operation with this id. @throws ServiceError NOT_FOUND `operationNotFound` */
  get(operationId: string): Operation {
    const operation = this.dismissed.has(operationId) ? undefined : this.find(operationId);
    if (operation !== undefined) return operation;
    const message = `no operation ${operationId}`;
    throw new ServiceError('NOT_FOUND', 'operationNotFound', message, { operationId });
  }

  /** One page of operations, newest first. @throws ServiceError INVALID_ARGUMENT for an invalid filter or page token */
  async list(
    query: ListQuery,
    signal: AbortSignal,
  ): Promise<{ readonly operations: readonly Operation[]; readonly nextPageToken?: string }> {
    const { items: operations, nextPageToken } = await listPage<Operation, Operation>(
      {
        items: this.all(),
        matches: filterOf(query.filter, FILTER),
        order: [
          { of: ({ metadata }) => metadata.createTime, descending: true },
          { of: ({ name }) => name, descending: true },
        ],
        isSorted: false,
        present: (operation) => operation,
      },
      query,
      signal,
    );
    return nextPageToken === undefined ? { operations } : { operations, nextPageToken };
  }

  /**
   * Cancels the execution of a create. Has no effect on an operation whose execution has ended or no longer exists.
   * @throws ServiceError NOT_FOUND; FAILED_PRECONDITION `cancelNotPossible` for a delete in progress; as the manager's
   *   `cancel`.
   */
  async cancel(operationId: string): Promise<void> {
    const { metadata, done } = this.get(operationId);
    const executionId = metadata.target.slice(metadata.target.lastIndexOf('/') + 1);
    if (metadata.verb === 'create') {
      if (this.manager.executions.get(executionId) !== undefined) await this.manager.cancel(executionId);
    } else if (!done) {
      const message = `${operationId}: a delete cannot be cancelled`;
      throw new ServiceError('FAILED_PRECONDITION', 'cancelNotPossible', message, { executionId });
    }
  }

  /** Forgets an operation; its execution stays as it is. @throws ServiceError NOT_FOUND */
  delete(operationId: string): void {
    this.get(operationId);
    if (!this.past.delete(operationId)) this.dismissed.add(operationId);
  }

  private find(operationId: string): Operation | undefined {
    const [, verb, executionId = ''] = /^(create|delete)-(.*)$/.exec(operationId) ?? [];
    const entry = this.manager.executions.get(executionId);
    const current = entry === undefined ? undefined : operationsOf(entry)[verb === 'create' ? 0 : 1];
    if (current !== undefined) return current;
    this.prune();
    return this.past.get(operationId)?.operation;
  }

  private *all(): Generator<Operation> {
    this.prune();
    const entries = [...this.manager.executions];
    for (const { operation } of [...this.past.values()]) {
      // Another execution may have the same id by now.
      if (this.find(idOf(operation)) === operation) yield operation;
    }
    for (const entry of entries) {
      for (const operation of operationsOf(entry, presentInList))
        if (!this.dismissed.has(idOf(operation))) yield operation;
    }
  }

  private remember(operation: Operation): Operation {
    const id = idOf(operation);
    this.past.delete(id);
    if (this.dismissed.has(id)) return operation;
    this.past.set(id, { operation, until: performance.now() + REMEMBERED_MS });
    this.prune();
    return operation;
  }

  private prune(): void {
    for (const [id, { until }] of this.past) {
      if (until > performance.now() && this.past.size <= MAX_REMEMBERED) break;
      this.past.delete(id);
    }
  }
}

/**
 * The operations of an execution: its create and, while it is being deleted, its delete.
 * @param presentation how the execution appears in the response of its create
 */
function operationsOf({ record, status }: Entry, presentation = present): readonly Operation[] {
  const created = creation(presentation(record, status));
  return record.deleteTime === undefined ? [created] : [created, deletion(record.id, record.deleteTime)];
}

/** @param isPast the execution no longer exists: only what identifies it is kept. */
function creation(execution: Execution, isPast = false): Operation {
  const { name, displayName, createTime = '', updateTime, state, runStatus } = execution;
  const history = runStatus?.history ?? [];
  const accepted = history.find((each) => each.state !== 'INITIALIZING')?.time;
  const done = state !== 'INITIALIZING';
  const kept = isPast ? { name, displayName, createTime, updateTime, state } : execution;
  return {
    name: `${PARENT}/operations/create-${name.slice(name.lastIndexOf('/') + 1)}`,
    metadata: {
      '@type': OPERATION_METADATA,
      createTime,
      ...(done && accepted !== undefined ? { endTime: accepted } : {}),
      target: name,
      verb: 'create',
      requestedCancellation: history.some((each) => ['CANCELLING', 'CANCELLED'].includes(each.state)),
      apiVersion: 'v1',
    },
    done,
    ...(done ? { response: { '@type': EXECUTION, ...kept } } : {}),
  };
}

/** @param endTime absent while it is in progress. */
function deletion(id: ExecutionRecord['id'], createTime: string, endTime?: string): Operation {
  return {
    name: `${PARENT}/operations/delete-${id}`,
    metadata: {
      '@type': OPERATION_METADATA,
      createTime,
      ...(endTime === undefined ? {} : { endTime }),
      target: `${PARENT}/executions/${id}`,
      verb: 'delete',
      requestedCancellation: false,
      apiVersion: 'v1',
    },
    done: endTime !== undefined,
    ...(endTime === undefined ? {} : { response: { '@type': EMPTY } }),
  };
}

function idOf({ name }: Operation): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
