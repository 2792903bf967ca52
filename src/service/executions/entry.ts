import type { RunnerStatus } from '../../protocol/runner-job';
import type { ExecutionRecord } from './record';
import type { RunnerClient } from '../runners/runner-client';

/** An execution in memory: its record and, while it runs, its runner's last status. */
export interface Entry {
  readonly record: ExecutionRecord;
  status?: RunnerStatus | undefined;
  runner?: RunnerClient | undefined;
  /** Changes that the end makes to the record, while they are being saved: clients only see what is on disk. */
  ending?: Partial<ExecutionRecord> | undefined;
}

/** The record to save: with the end, and with changes that were requested meanwhile. */
export function recordToSave({ record, ending }: Entry): ExecutionRecord {
  if (ending === undefined) return record;
  const { runtime: _runtime, placing: _placing, ...rest } = record;
  return { ...rest, ...ending };
}
