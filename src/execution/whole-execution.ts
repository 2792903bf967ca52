import type { Execution } from './execution';
import type { ExecutionService } from './execution-service';

/** The execution with what a list left out of it, see `runStatus.omitted`. @throws ServiceError as `get`. */
export async function wholeExecution(
  service: Pick<ExecutionService, 'get'>,
  execution: Execution,
  signal?: AbortSignal,
): Promise<Execution> {
  const { omitted = [] } = execution.runStatus ?? {};
  return omitted.length === 0 ? execution : service.get(execution.name, signal);
}
