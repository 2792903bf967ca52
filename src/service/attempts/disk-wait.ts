import { setTimeout as delay } from 'node:timers/promises';
import { endMessage } from '../../execution/end-message';
import { isTerminal } from '../../execution/states';
import { NotBegunError } from '../../protocol/claim';
import type { Entry } from '../executions/entry';
import { errorCode, isStorageError, readIfExists } from '../../system/files';
import type { FolderStore } from '../executions/folder-store';
import { now } from '../executions/record';
import { endRuntime } from '../runners/runner-client';

/** How often a disk that cannot be written is tried again, milliseconds. */
const TRY_MS = 2000;

/**
 * Keeps an execution QUEUED, with a message that says why, while its disk cannot be written and nothing of it has run.
 * @returns true once the record can be written again, or the execution was cancelled; false at once if it may have
 *   begun, or failed for another reason.
 */
export async function waitsForDisk(entry: Entry, error: unknown, store: FolderStore): Promise<boolean> {
  const { record } = entry;
  const isMeant = error instanceof NotBegunError || (error instanceof Error && isStorageError(error));
  if (!isMeant || isTerminal(record.state)) return false;
  if (await mayHaveBegun(entry, store)) return false;
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
    await delay(TRY_MS, undefined, { ref: false });
    const isWritten = await store.save(entry).then(
      () => true,
      () => false,
    );
    if (isWritten) break;
  }
  return true;
}

/** Whether there is a runner, or a runner has claimed the attempt. True if the claim cannot be read. */
async function mayHaveBegun({ record, runner }: Entry, store: FolderStore): Promise<boolean> {
  if (runner !== undefined) return true;
  return readIfExists(store.file(record.id, 'claim')).then(
    (claim) => claim !== undefined,
    () => true,
  );
}
