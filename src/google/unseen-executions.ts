import { ServiceError } from '../execution/errors';
import type { Execution } from '../execution/execution';
import { isTerminal } from '../execution/states';
import type { ExecutionApi } from './execution-api';
import { failureOfOperation, type Operation } from './requests/operations';
import type { RequestClock } from './requests/request-sender';

interface Unseen {
  execution: Execution;
  /** Undefined if the answer to the create request was lost. */
  readonly operation: Operation | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** How long an execution may stay unknown whose operation is unknown, too. Milliseconds. */
const APPEARS_WITHIN = 120_000;

/**
 * Executions that this window created and that the service does not show: not yet, or never, because their create
 * operation failed after the request had succeeded. Without them such an execution would disappear without an error.
 */
export class UnseenExecutions {
  private readonly unseen = new Map<string, Unseen>();

  constructor(
    private readonly api: ExecutionApi,
    private readonly clock: RequestClock,
  ) {}

  /** Adds an execution that the service does not show. */
  add(name: string, operation: Operation | undefined): Execution {
    const since = this.clock.now();
    const createTime = new Date(since).toISOString();
    const execution: Execution = { name, state: 'INITIALIZING', createTime };
    this.unseen.set(name, { execution, operation, since });
    return execution;
  }

  /** The service shows the execution, or it was deleted. */
  remove(name: string): boolean {
    return this.unseen.delete(name);
  }

  /** Executions whose creation failed. No list of the service contains them. */
  failed(): Execution[] {
    return [...this.unseen.values()]
      .map(({ execution }) => execution)
      .filter(({ state }) => isTerminal(state));
  }

  /**
   * An execution that the service does not know, after asking its operation: still being created, or failed. Undefined
   * if it was not created here, or was created and deleted again.
   */
  async find(name: string, signal?: AbortSignal): Promise<Execution | undefined> {
    const entry = this.unseen.get(name);
    if (entry === undefined || isTerminal(entry.execution.state)) return entry?.execution;
    const operation = await this.operationOf(entry, signal);
    if (operation === undefined) {
      if (this.clock.now() - entry.since < APPEARS_WITHIN) return entry.execution;
      return this.fail(entry, 'The service accepted the execution, but knows neither it nor its operation.');
    }
    if (operation.done !== true) return entry.execution;
    const failure = failureOfOperation(operation);
    if (failure !== undefined) return this.fail(entry, failure.message);
    this.unseen.delete(name);
    return undefined;
  }

  private async operationOf(
    { operation }: Unseen,
    signal: AbortSignal | undefined,
  ): Promise<Operation | undefined> {
    if (operation === undefined || operation.done === true) return operation;
    try {
      return await this.api.operation(operation.name, signal);
    } catch (error) {
      if (error instanceof ServiceError && error.status === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  private fail(entry: Unseen, message: string): Execution {
    const { execution } = entry;
    const endTime = new Date(this.clock.now()).toISOString();
    const { createTime = endTime } = execution;
    const history = [
      { state: 'INITIALIZING', time: createTime },
      { state: 'FAILED', time: endTime },
    ];
    const runStatus = { attempt: 1, endTime, history, cause: 'serviceError', message };
    entry.execution = { ...execution, state: 'FAILED', updateTime: endTime, runStatus };
    return entry.execution;
  }
}
