import type { RunnerStatus } from '../../protocol/runner-job';
import type { ExecutionRecord } from './record';
import type { RunnerClient } from '../runners/runner-client';

/** An execution in memory: its record and, while it runs, its runner's last status. */
export interface Entry {
  readonly record: ExecutionRecord;
  status?: RunnerStatus | undefined;
  runner?: RunnerClient | undefined;
  /** The end of the execution while it is being saved: clients only see an end that is on disk. */
  ending?: Partial<ExecutionRecord> | undefined;
}

/** The record as it is saved: with the end, and with changes that were requested meanwhile. */
export function recordToSave({ record, ending }: Entry): ExecutionRecord {
  return ending === undefined ? record : { ...withoutAttempt(record), ...ending };
}

/** Makes an end that was saved visible to clients. */
export function showEnding(entry: Entry, ending: Partial<ExecutionRecord>): void {
  const { record } = entry;
  Object.assign(record, ending);
  delete record.runtime;
  delete record.placing;
  if (entry.ending === ending) entry.ending = undefined;
  entry.status = undefined;
}

/** A record without what only matters while an attempt runs. */
function withoutAttempt({ runtime: _runtime, placing: _placing, ...rest }: ExecutionRecord): ExecutionRecord {
  return rest;
}
