import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import { executionIdOf } from '../../execution/execution-name';
import { PARENT } from '../../protocol/service-paths';
import type { ExecutionManager } from '../execution-manager';

const OPERATION_METADATA = 'type.googleapis.com/google.cloud.notebooks.v1.OperationMetadata';
const EXECUTION = 'type.googleapis.com/google.cloud.notebooks.v1.Execution';
const EMPTY = 'type.googleapis.com/google.protobuf.Empty';

/** Most deletes to remember, so that a client that asks again gets an answer. */
const REMEMBERED = 1000;

/**
 * Long-running operations (google.longrunning.Operation): `create-{executionId}` is done once the execution is
 * accepted, `delete-{executionId}` once it is removed. They are derived from the executions; only deletes are
 * remembered.
 */
export class Operations {
  private readonly deletionTimes = new Map<string, unknown>();

  constructor(private readonly manager: ExecutionManager) {}

  /** The create operation of an execution. */
  created(execution: Execution): unknown {
    const id = executionIdOf(execution.name);
    const done = execution.state !== 'INITIALIZING';
    const accepted = execution.runStatus?.history?.find((each) => each.state !== 'INITIALIZING')?.time;
    return {
      name: `${PARENT}/operations/create-${id}`,
      metadata: metadata(id, 'create', execution.createTime, done ? accepted : undefined),
      done,
      ...(done ? { response: { '@type': EXECUTION, ...execution } } : {}),
    };
  }

  /** The delete operation of an execution. */
  deleted(id: string, done: boolean, time = new Date().toISOString()): unknown {
    const operation = {
      name: `${PARENT}/operations/delete-${id}`,
      metadata: metadata(id, 'delete', time, done ? time : undefined),
      done,
      ...(done ? { response: { '@type': EMPTY } } : {}),
    };
    // Deletes in progress are remembered too: they are done as soon as the execution no longer exists.
    this.deletionTimes.set(id, time);
    const [oldest] = this.deletionTimes.keys();
    if (this.deletionTimes.size > REMEMBERED && oldest !== undefined) this.deletionTimes.delete(oldest);
    return operation;
  }

  /** The operation with this id. @throws ServiceError NOT_FOUND `operationNotFound` */
  get(operationId: string): unknown {
    const [, verb, id = ''] = /^(create|delete)-(.*)$/.exec(operationId) ?? [];
    if (verb === 'create') return this.created(this.execution(operationId, id));
    if (verb === 'delete') {
      if (this.manager.isBeingDeleted(id)) return this.deleted(id, false);
      if (this.deletionTimes.has(id) && !this.exists(id)) return this.deleted(id, true);
    }
    throw operationNotFound(operationId);
  }

  private exists(id: string): boolean {
    try {
      return this.manager.get(id).name !== '';
    } catch {
      return false;
    }
  }

  private execution(operationId: string, id: string): Execution {
    try {
      return this.manager.get(id);
    } catch {
      throw operationNotFound(operationId);
    }
  }
}

function operationNotFound(operationId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'operationNotFound', `no operation ${operationId}`, { operationId });
}

function metadata(
  id: string,
  verb: string,
  createTime: string | undefined,
  endTime: string | undefined,
): unknown {
  return {
    '@type': OPERATION_METADATA,
    createTime,
    ...(endTime === undefined ? {} : { endTime }),
    target: `${PARENT}/executions/${id}`,
    verb,
    requestedCancellation: false,
    apiVersion: 'v1',
  };
}
