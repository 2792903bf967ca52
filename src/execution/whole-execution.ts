import type { Execution } from './execution';
import type { ExecutionService } from './execution-service';

/** The execution with the fields that a list omitted, see `runStatus.omitted`. @throws ServiceError like `get`. */
export async function wholeExecution(
  service: Pick<ExecutionService, 'get'>,
  execution: Execution,
  signal?: AbortSignal,
): Promise<Execution> {
  const { omitted = [] } = execution.runStatus ?? {};
  return omitted.length === 0 ? execution : service.get(execution.name, signal);
}
