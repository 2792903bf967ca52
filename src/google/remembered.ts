import type { Execution, ExecutionRequest, ExecutionWarning } from '../execution/execution';
import { isTerminal } from '../execution/states';

/** Details of a finished run that the answer to a list does not contain. */
export interface Details {
  readonly outputNotebookFile?: string;
  readonly runStatus: Execution['runStatus'];
}

/** Maximum number of remembered entries of each kind. */
const MOST = 500;

/**
 * Data that the services do not return, or not in every answer, kept while the window is open: the request of an
 * execution that this window created (its source, parameters and warnings), and the details of a finished run.
 */
export class Remembered {
  private readonly requests = new Map<string, { request: ExecutionRequest; warnings: ExecutionWarning[] }>();
  private readonly details = new Map<string, Details>();

  created(name: string, request: ExecutionRequest, warnings: ExecutionWarning[]): void {
    const { environment: _, ...runOptions } = request.runOptions ?? {};
    // The service says where the input is: it may be a copy with parameters in place of the file in the request.
    const { inputNotebookFile: _input, ...executionTemplate } = request.executionTemplate ?? {};
    put(this.requests, name, { request: { ...request, executionTemplate, runOptions }, warnings });
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

  /**
   * Completes an answer with the remembered data of its execution. Values from the service take precedence over those
   * of the request.
   */
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
