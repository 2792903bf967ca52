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
 * What an attempt of an execution has on disk beside the record: its job, its claim, and what its runner says of it. Job
 * and status are small and somebody waits for them, so that they are read at once: waiting for a thread takes far longer.
 */

/** @throws Error where there is none, or one that cannot be read. */
export function readJob(store: FolderStore, { id }: ExecutionRecord): RunnerJob {
  return RunnerJobSchema.parse(JSON.parse(readSmallFileSync(store.file(id, 'job'))));
}

/** {@link readJob}, or undefined: the job is gone once its kernel runs. */
export function jobIfReadable(store: FolderStore, record: ExecutionRecord): RunnerJob | undefined {
  try {
    return readJob(store, record);
  } catch {
    return undefined;
  }
}

/** What the runner left in status.json; undefined, and said to the log, where that is of no use. */
export function readStatus(
  store: FolderStore,
  { id }: ExecutionRecord,
  log: (message: string) => void,
): RunnerStatus | undefined {
  try {
    return RunnerStatusSchema.parse(JSON.parse(readSmallFileSync(store.file(id, 'status'))));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
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

/** Process id of the runner that has begun the attempt; undefined where none has, or the claim is of no use. */
export async function claimant(store: FolderStore, { id }: ExecutionRecord): Promise<number | undefined> {
  const claim = await readIfExists(store.file(id, 'claim')).catch(() => undefined);
  // Other numbers than those of processes would name groups of them.
  return claim !== undefined && /^[1-9]\d{0,9}$/.test(claim) ? Number(claim) : undefined;
}

/** A second copy of the job, 0600, for executions that may have more than one attempt: the runner deletes the first. */
export function retryFile(store: FolderStore, id: string): string {
  return path.join(store.folder(id), 'retry.json');
}

/** Both copies of the job, which hold the user's environment. */
export function jobFiles(store: FolderStore, id: string): string[] {
  return [store.file(id, 'job'), retryFile(store, id)];
}

/** Removes both copies of the job. Answers why one is left over. */
export async function removeJobs(store: FolderStore, id: string): Promise<unknown[]> {
  const files = jobFiles(store, id);
  const removals = await Promise.allSettled(files.map((file) => rm(file, { force: true })));
  return removals.flatMap((removal) => (removal.status === 'rejected' ? [removal.reason as unknown] : []));
}

/** What of a kernel that was there at create is gone, and which kernels there are. */
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
