import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { RunnerJobSchema, RunnerStatusSchema, type RunnerJob, type RunnerStatus } from '../runner/job';
import { createFile, errorCode, exists, readIfExists } from './files';
import type { FolderStore } from './folder-store';
import { isExecutable } from './kernelspecs';
import type { ExecutionRecord } from './record';

/*
 * What an attempt of an execution has on disk beside the record: its job, its claim, and what its runner says of it.
 */

/** @throws Error where there is none, or one that cannot be read. */
export async function readJob(store: FolderStore, { id }: ExecutionRecord): Promise<RunnerJob> {
  return RunnerJobSchema.parse(JSON.parse(await readFile(store.file(id, 'job'), 'utf8')));
}

/** What the runner left in status.json; undefined, and said to the log, where that is of no use. */
export async function readStatus(
  store: FolderStore,
  { id }: ExecutionRecord,
  log: (message: string) => void,
): Promise<RunnerStatus | undefined> {
  try {
    const text = await readIfExists(store.file(id, 'status'));
    return text === undefined ? undefined : RunnerStatusSchema.parse(JSON.parse(text));
  } catch (error) {
    log(`${id}: status.json is of no use: ${String(error)}`);
    return undefined;
  }
}

/** True when this call has made sure that the attempt will never run; false when a runner had begun it. */
export async function withdraw(store: FolderStore, { id }: ExecutionRecord): Promise<boolean> {
  try {
    await createFile(store.file(id, 'claim'), 'withdrawn');
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A second copy of the job, 0600, for executions that may have more than one attempt: the runner deletes the first. */
export function retryFile(store: FolderStore, id: string): string {
  return path.join(store.folder(id), 'retry.json');
}

/** What of a kernel that was there at create is gone. */
export async function vanished({ kernel }: RunnerJob): Promise<string | undefined> {
  const [command] = kernel.argv;
  if (command !== undefined && path.isAbsolute(command) && !(await isExecutable(command)))
    return `${command} is gone`;
  if (kernel.resourceDir !== undefined && !(await exists(kernel.resourceDir)))
    return `${kernel.resourceDir} is gone`;
  return undefined;
}
