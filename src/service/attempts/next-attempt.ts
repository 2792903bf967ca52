import { RunnerJobSchema, type RunnerStatus } from '../../protocol/runner-job';
import { readIfExists, replaceFile } from '../../system/files';
import { retryFile } from '../executions/attempt-files';
import type { Entry } from '../executions/entry';
import type { FolderStore } from '../executions/folder-store';
import { merge, now } from '../executions/record';

/**
 * Queues another attempt after a failure outside the notebook.
 * @param status the runner's last status, for the history.
 * @returns false if no attempt is left, or the execution is being cancelled.
 */
export async function queueNextAttempt(
  store: FolderStore,
  entry: Entry,
  status: RunnerStatus | undefined,
): Promise<boolean> {
  const { record } = entry;
  const { id, attempt, cancelTime } = record;
  if (cancelTime !== undefined || attempt >= (record.runOptions.maxAttempts ?? 1)) return false;
  const kept = await readIfExists(retryFile(store, id));
  if (kept === undefined) return false;
  const job = RunnerJobSchema.parse(JSON.parse(kept));
  record.history = merge(record, status).history;
  await replaceFile(store.file(id, 'job'), JSON.stringify({ ...job, attempt: attempt + 1 }));
  await queueAttempt(store, entry, attempt + 1);
  return true;
}

/** Makes the execution wait for a runner for this attempt. */
export async function queueAttempt(store: FolderStore, entry: Entry, attempt: number): Promise<void> {
  const { record } = entry;
  entry.status = undefined;
  Object.assign(record, { attempt, state: 'QUEUED', updateTime: now() });
  delete record.runtime;
  record.history.push({ state: 'QUEUED', time: record.updateTime });
  await store.save(entry);
}
