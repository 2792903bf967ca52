import type { RunnerStatus } from '../../protocol/runner-job';
import type { ExecutionRecord } from './record';
import type { RunnerClient } from '../runners/runner-client';

/** An execution in memory: its record, and while it runs what its runner said last. */
export interface Entry {
  readonly record: ExecutionRecord;
  status?: RunnerStatus | undefined;
  runner?: RunnerClient | undefined;
  /** What its end changes in the record, while that is written: clients are shown what is on disk. */
  ending?: Partial<ExecutionRecord> | undefined;
}

/** The record as it belongs on disk: with the end, and with what was asked for meanwhile. */
export function recordToSave({ record, ending }: Entry): ExecutionRecord {
  if (ending === undefined) return record;
  const { runtime: _runtime, placing: _placing, ...rest } = record;
  return { ...rest, ...ending };
}
