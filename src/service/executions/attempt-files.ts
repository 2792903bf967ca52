import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import { endMessage, type EndMessage } from '../../execution/end-message';
import {
  RunnerJobSchema,
  RunnerStatusSchema,
  type RunnerJob,
  type RunnerStatus,
} from '../../protocol/runner-job';
import { exists, isExecutable } from '../../system/programs';
import { readSmallFileSync } from '../../system/small-file';
import { createFile, errorCode, readIfExists } from '../../system/files';
import type { FolderStore } from './folder-store';
import { findKernelSpecs } from '../../system/kernelspecs';
import type { ExecutionRecord } from './record';

/*
 * The files of an attempt beside the record: its job, its claim, and its runner's status. Job and status are small and
 * needed quickly, so they are read synchronously: a read on Node's thread pool takes far longer.
 */

/** Reads the job of an execution. @throws Error if there is none or it cannot be read. */
export function readJob(store: FolderStore, { id }: ExecutionRecord): RunnerJob {
  return RunnerJobSchema.parse(JSON.parse(readSmallFileSync(store.file(id, 'job'))));
}

/** {@link readJob}, or undefined: the runner deletes the job once its kernel runs. */
export function jobIfReadable(store: FolderStore, record: ExecutionRecord): RunnerJob | undefined {
  try {
    return readJob(store, record);
  } catch {
    return undefined;
  }
}

/** Reads the runner's status.json; undefined if there is none, or if it is invalid, which is logged. */
export function readStatus(
  store: FolderStore,
  { id }: ExecutionRecord,
  log: (message: string) => void,
): RunnerStatus | undefined {
  try {
    return RunnerStatusSchema.parse(JSON.parse(readSmallFileSync(store.file(id, 'status'))));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    log(`${id}: cannot read status.json: ${String(error)}`);
    return undefined;
  }
}

/** Claims the attempt, so that no runner can start it. @returns false if a runner has already started it. */
export async function withdraw(store: FolderStore, { id }: ExecutionRecord): Promise<boolean> {
  try {
    await createFile(store.file(id, 'claim'), 'withdrawn');
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Process id of the runner that has started the attempt; undefined if none has, or if the claim is invalid. */
export async function claimant(store: FolderStore, { id }: ExecutionRecord): Promise<number | undefined> {
  const claim = await readIfExists(store.file(id, 'claim')).catch(() => undefined);
  // Zero and negative numbers would address process groups.
  return claim !== undefined && /^[1-9]\d{0,9}$/.test(claim) ? Number(claim) : undefined;
}

/** A second copy of the job, 0600, for executions with more than one attempt: the runner deletes the first copy. */
export function retryFile(store: FolderStore, id: string): string {
  return path.join(store.folder(id), 'retry.json');
}

/** Both copies of the job, which hold the user's environment. */
export function jobFiles(store: FolderStore, id: string): string[] {
  return [store.file(id, 'job'), retryFile(store, id)];
}

/** Removes both copies of the job. @returns the errors of those that could not be removed. */
export async function removeJobs(store: FolderStore, id: string): Promise<unknown[]> {
  const files = jobFiles(store, id);
  const removals = await Promise.allSettled(files.map((file) => rm(file, { force: true })));
  return removals.flatMap((removal) => (removal.status === 'rejected' ? [removal.reason as unknown] : []));
}

/** If the kernel's program or folder has disappeared since the create: a message with it and the existing kernels. */
export async function vanished({ kernel }: RunnerJob): Promise<EndMessage | undefined> {
  const [command] = kernel.argv;
  const isGone = command !== undefined && path.isAbsolute(command) && !(await isExecutable(command));
  const { resourceDir, env } = kernel;
  const gone = isGone
    ? command
    : resourceDir !== undefined && !(await exists(resourceDir))
      ? resourceDir
      : undefined;
  if (gone === undefined) return undefined;
  const specs = await findKernelSpecs({
    env,
    prefixes: [env['VIRTUAL_ENV'] ?? ''].filter((each) => each !== ''),
  });
  const kernels = specs.map(({ name }) => name).join(', ');
  return kernels === ''
    ? endMessage('lastKernelGone', { path: gone })
    : endMessage('kernelGone', { path: gone, kernels });
}
