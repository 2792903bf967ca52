import { ServiceError } from '../../../src/execution/errors';
import type { Execution } from '../../../src/execution/execution';
import type {
  Capabilities,
  ExecutionPage,
  ExecutionService,
  LogChunk,
} from '../../../src/execution/execution-service';

/**
 * An execution service with answers controlled by the test: executions in memory, and a gate in front of every request that
 * can be closed, so that answers come late or in another order.
 */
export class ScriptedService implements ExecutionService {
  readonly capabilities: Capabilities;
  readonly executions = new Map<string, Execution>();
  /** Every request as `list`, `list 100`, `list FILTER 100`, `get NAME`, `delete NAME`. */
  readonly requests: string[] = [];
  /** A gate for the next requests; their answers are computed when they arrive. */
  gate: Promise<void> | undefined;
  /** If set, every request is rejected with it. */
  error: Error | undefined;
  /** Names that lists omit, like a service with a delay. */
  readonly unlisted = new Set<string>();

  constructor(
    readonly id = 'test',
    capabilities: Partial<Capabilities> = {},
  ) {
    this.capabilities = { cancel: true, log: true, liveOutput: true, ...capabilities };
  }

  put(id: string, fields: Partial<Execution> = {}): Execution {
    const execution: Execution = {
      name: nameOf(id),
      state: 'RUNNING',
      createTime: '2026-01-01T00:00:00Z',
      ...fields,
    };
    this.executions.set(execution.name, execution);
    return execution;
  }

  create(): Promise<Execution> {
    return Promise.reject(new Error('not scripted'));
  }

  async get(name: string): Promise<Execution> {
    return this.answer(`get ${name}`, () => {
      const execution = this.executions.get(name);
      if (execution === undefined) throw new ServiceError('NOT_FOUND', 'executionNotFound', name);
      return execution;
    });
  }

  async list(
    { pageSize = 100, pageToken, filter }: { pageSize?: number; pageToken?: string; filter?: string },
    _signal?: AbortSignal,
  ): Promise<ExecutionPage> {
    const request = [
      'list',
      ...(filter === undefined ? [] : [filter]),
      ...(pageToken === undefined ? [] : [pageToken]),
    ];
    return this.answer(request.join(' '), () => {
      const all = [...this.executions.values()]
        // A filter is exactly the name of a state.
        .filter(({ name, state }) => !this.unlisted.has(name) && (filter === undefined || state === filter))
        .sort((one, other) => (other.createTime ?? '').localeCompare(one.createTime ?? ''));
      const start = Number(pageToken ?? 0);
      const end = start + pageSize;
      return {
        executions: all.slice(start, end),
        nextPageToken: end < all.length ? String(end) : undefined,
      };
    });
  }

  async cancel(name: string): Promise<Execution> {
    return this.get(name);
  }

  async delete(name: string): Promise<void> {
    return this.answer(`delete ${name}`, () => {
      if (!this.executions.delete(name)) throw new ServiceError('NOT_FOUND', 'executionNotFound', name);
    });
  }

  readOutput(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  readInput(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  readLog(): Promise<LogChunk> {
    return Promise.resolve({ text: '', next: '' });
  }

  private async answer<T>(request: string, result: () => T): Promise<T> {
    this.requests.push(request);
    if (this.error !== undefined) {
      const { error } = this;
      await this.gate;
      throw error;
    }
    const outcome = attempt(result);
    await this.gate;
    return outcome();
  }
}

export function nameOf(id: string): string {
  return `projects/local/locations/local/executions/${id}`;
}

/** Runs it now and returns its result later. */
function attempt<T>(run: () => T): () => T {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
