import { setTimeout as delay } from 'node:timers/promises';
import { endMessage } from '../../execution/end-message';
import { isTerminal } from '../../execution/states';
import { NotStartedError } from '../../protocol/claim';
import type { Entry } from '../executions/entry';
import { errorCode, isStorageError, readIfExists } from '../../system/files';
import type { FolderStore } from '../executions/folder-store';
import { now } from '../executions/record';
import { endRuntime } from '../runners/runner-client';

/** Interval between attempts to write to a disk that cannot be written, milliseconds. */
const RETRY_MS = 2000;

/**
 * Keeps an execution QUEUED, with a message that says why, while its disk cannot be written and nothing of it has run.
 * @returns true once the record can be written again, or the execution was cancelled; false at once if it may have
 *   started, or failed for another reason.
 */
export async function waitsForDisk(entry: Entry, error: unknown, store: FolderStore): Promise<boolean> {
  const { record } = entry;
  const isDiskError = error instanceof NotStartedError || (error instanceof Error && isStorageError(error));
  if (!isDiskError || isTerminal(record.state)) return false;
  if (await mayHaveStarted(entry, store)) return false;
  if (record.runtime !== undefined) await endRuntime(record.runtime);
  delete record.runtime;
  entry.status = undefined;
  const { history } = record;
  const since = history.at(-1)?.state === 'PREPARING' ? history.slice(0, -1) : history;
  const why = endMessage('waitsForDisk', { error: errorCode(error) ?? error.message });
  Object.assign(record, {
    state: 'QUEUED',
    updateTime: now(),
    history: since.at(-1)?.state === 'QUEUED' ? since : [...since, { state: 'QUEUED', time: now() }],
    runStatus: { ...record.runStatus, ...why },
  });
  while (record.state === 'QUEUED') {
    await delay(RETRY_MS, undefined, { ref: false });
    const isWritten = await store.save(entry).then(
      () => true,
      () => false,
    );
    if (isWritten) break;
  }
  return true;
}

/** Whether there is a runner, or a runner has claimed the attempt. True if the claim cannot be read. */
async function mayHaveStarted({ record, runner }: Entry, store: FolderStore): Promise<boolean> {
  if (runner !== undefined) return true;
  return readIfExists(store.file(record.id, 'claim')).then(
    (claim) => claim !== undefined,
    () => true,
  );
}
