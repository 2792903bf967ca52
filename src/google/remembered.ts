import type { Execution, ExecutionRequest, ExecutionWarning } from '../execution/execution';
import { isTerminal } from '../execution/states';

/** What is known of a run that has ended, beyond the answer to a list. */
export interface Details {
  readonly outputNotebookFile?: string;
  readonly runStatus: Execution['runStatus'];
}

/** Executions that are remembered of each kind. */
const MOST = 500;

/**
 * What the services do not tell, or not every time, for as long as the window lives: the request of an execution that
 * was created here (its source, its parameters, what was warned of), and the details of a run that has ended.
 */
export class Remembered {
  private readonly requests = new Map<string, { request: ExecutionRequest; warnings: ExecutionWarning[] }>();
  private readonly details = new Map<string, Details>();

  created(name: string, request: ExecutionRequest, warnings: ExecutionWarning[]): void {
    const { environment: _, ...runOptions } = request.runOptions ?? {};
    put(this.requests, name, { request: { ...request, runOptions }, warnings });
  }

  ended(name: string, details: Details): void {
    put(this.details, name, details);
  }

  hasDetails(name: string): boolean {
    return this.details.has(name);
  }

  forget(name: string): void {
    this.requests.delete(name);
    this.details.delete(name);
  }

  /** An answer of the service with all that is remembered; what the service says goes before. */
  complete(answered: Execution): Execution {
    const details = isTerminal(answered.state) ? this.details.get(answered.name) : undefined;
    const execution = details === undefined ? answered : { ...answered, ...details };
    const known = this.requests.get(answered.name);
    if (known === undefined) return execution;
    const { request, warnings } = known;
    return {
      ...execution,
      displayName: execution.displayName ?? request.displayName,
      description: execution.description ?? request.description,
      executionTemplate: { ...request.executionTemplate, ...execution.executionTemplate },
      runOptions: { ...request.runOptions, ...execution.runOptions },
      runStatus: { ...execution.runStatus, ...(warnings.length === 0 ? {} : { warnings }) },
    };
  }
}

function put<T>(map: Map<string, T>, name: string, value: T): void {
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
}
