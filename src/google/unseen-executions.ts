import * as z from 'zod/mini';
import { ServiceError } from '../execution/errors';
import { parseExecution, type Execution } from '../execution/execution';
import { isTerminal } from '../execution/states';
import type { ExecutionApi } from './execution-api';
import { failureOfOperation, OperationSchema, type Operation } from './requests/operations';
import type { RequestClock } from './requests/request-sender';

/** An execution that was created here and that the service does not show. */
export interface UnseenRecord {
  readonly version: 1;
  readonly serviceId: string;
  readonly execution: Execution;
  /** Undefined if the answer to the create request was lost. */
  readonly operation?: Operation | undefined;
}

const RecordSchema = z.object({
  version: z.literal(1),
  serviceId: z.string(),
  execution: z.unknown(),
  operation: z.optional(OperationSchema),
});

/** @throws ZodError if it is no such record. */
export function parseUnseenRecord(value: unknown): UnseenRecord {
  const record = RecordSchema.parse(value);
  return { ...record, execution: parseExecution(record.execution) };
}

/** Where the records are kept: shared by all windows, and there after a restart. */
export interface UnseenRecords {
  /** Writes a record, replacing an older one of the same key. */
  put(key: string, record: UnseenRecord): Promise<void>;
  all(): Promise<UnseenRecord[]>;
  /** Removes a record, if it is there. */
  claim(key: string): Promise<boolean>;
}

/** How long an execution may stay unknown whose operation is done or unknown, too. Milliseconds. */
const APPEARS_WITHIN = 120_000;

/**
 * Executions that were created on this machine and that the service does not show: not yet, or never, because their
 * create operation failed after the request had succeeded. Without them such an execution would disappear without an
 * error.
 */
export class UnseenExecutions {
  /** Records that could not be written. Only this window knows them. */
  private readonly unwritten = new Map<string, UnseenRecord>();

  constructor(
    private readonly serviceId: string,
    private readonly api: ExecutionApi,
    private readonly clock: RequestClock,
    private readonly records: UnseenRecords,
  ) {}

  /** A new execution that the service does not show yet. */
  create(name: string, displayName: string): Execution {
    const createTime = new Date(this.clock.now()).toISOString();
    return { name, displayName, state: 'INITIALIZING', createTime };
  }

  /** Remembers an execution of {@link create}. */
  async add(execution: Execution, operation: Operation | undefined): Promise<void> {
    await this.put({ version: 1, serviceId: this.serviceId, execution, operation });
  }

  /** The service shows the execution, or it was deleted. */
  async remove(name: string): Promise<void> {
    this.unwritten.delete(name);
    // A record that stays is harmless while the service shows the execution.
    await this.records.claim(this.keyOf(name)).catch(() => undefined);
  }

  /** All of them, as they were when {@link find} last asked. */
  async all(): Promise<Execution[]> {
    return (await this.entries()).map(({ execution }) => execution);
  }

  /**
   * An execution that the service does not know, after asking its operation: still being created, or failed. Undefined
   * if it was not created here, or was created and deleted again.
   */
  async find(name: string, signal?: AbortSignal): Promise<Execution | undefined> {
    const entry = (await this.entries()).find(({ execution }) => execution.name === name);
    if (entry === undefined || isTerminal(entry.execution.state)) return entry?.execution;
    const operation = await this.operationOf(entry, signal);
    const failure = operation === undefined ? undefined : failureOfOperation(operation);
    if (failure !== undefined) return this.fail(entry, failure.message);
    const age = this.clock.now() - Date.parse(entry.execution.createTime ?? '');
    if ((operation !== undefined && operation.done !== true) || age < APPEARS_WITHIN) return entry.execution;
    if (operation === undefined)
      return this.fail(entry, 'The service accepted the execution, but knows neither it nor its operation.');
    await this.remove(name);
    return undefined;
  }

  private async operationOf(
    { operation }: UnseenRecord,
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

  private async fail(entry: UnseenRecord, message: string): Promise<Execution> {
    const endTime = new Date(this.clock.now()).toISOString();
    const { createTime = endTime, runStatus } = entry.execution;
    const history = [
      { state: 'INITIALIZING', time: createTime },
      { state: 'FAILED', time: endTime },
    ];
    const execution: Execution = {
      ...entry.execution,
      state: 'FAILED',
      updateTime: endTime,
      runStatus: { ...runStatus, attempt: 1, endTime, history, cause: 'serviceError', message },
    };
    await this.put({ ...entry, execution });
    return execution;
  }

  private async entries(): Promise<UnseenRecord[]> {
    const written = await this.records.all().catch(() => []);
    return [...written, ...this.unwritten.values()].filter(({ serviceId }) => serviceId === this.serviceId);
  }

  private async put(record: UnseenRecord): Promise<void> {
    const { name } = record.execution;
    try {
      await this.records.put(this.keyOf(name), record);
      this.unwritten.delete(name);
    } catch {
      this.unwritten.set(name, record);
    }
  }

  private keyOf(name: string): string {
    return `${this.serviceId}|${name}`;
  }
}
