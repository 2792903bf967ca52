import type { RunnerStatus } from '../runner/job';
import type { ExecutionRecord } from './record';
import type { RunnerClient } from './runner-client';

/** An execution in memory: its record, and while it runs what its runner said last. */
export interface Entry {
  readonly record: ExecutionRecord;
  status?: RunnerStatus | undefined;
  runner?: RunnerClient | undefined;
}
