import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { processStartTime } from '../system/processes';
import { isOwnDirectory, isRuntimeDirectory } from '../protocol/runtime-directory';
import { fileNameOf, stagedBy, type ServicePaths } from '../protocol/service-paths';
import { isOwnName, isReplacementOf } from '../protocol/own-names';
import { endRuntime, RunnerClient } from './runners/runner-client';

/** Age at which an unfinished file of a client is stale, milliseconds: its window was closed before it finished. */
const UNFINISHED_MS = 60 * 60 * 1000;

/*
 * Removes what killed processes left behind. Files are recognized by their names; any other file does not belong to
 * this product and stays.
 */

/** Removes unfinished files of clients: staged notebooks, settings and bundles. */
export async function removeUnfinished(paths: ServicePaths): Promise<void> {
  const unfinished = [
    ...(await filesIn(path.join(paths.dataDirectory, 'staging'), (name) => stagedBy(name) !== undefined)),
    ...(await filesIn(paths.versions, (name) => isOwnName('unfinishedBuild', name))),
    ...(await filesIn(paths.dataDirectory, (name) => isReplacementOf(path.basename(paths.config), name))),
  ];
  for (const file of unfinished) if (await isAbandoned(file)) await remove(file);
}

/** Removes files of previous services of this host. Needs the lock, and comes before this service writes anything. */
export async function removeFormerFiles(paths: ServicePaths): Promise<void> {
  const replaced = [paths.token, paths.endpoint, paths.clock, paths.retention].map((file) =>
    path.basename(file),
  );
  const isReplacement = (name: string): boolean => replaced.some((file) => isReplacementOf(file, name));
  const isFormer = (name: string): boolean => isReplacement(name) || isOwnName('spareLog', name);
  for (const file of await filesIn(paths.host, isFormer)) await remove(file);
  for (const file of await filesIn(paths.host, (name) => isOwnName('unfinishedLock', name)))
    if ((await processStartTime(Number(path.extname(file).slice(1)))) === undefined) await remove(file);
}

/**
 * Removes the runtime directories in which no runner listens. That includes those that a starting kernel created again
 * after its runner was killed.
 * @param isUsed true for a directory whose runner is known, and may not listen yet.
 */
export async function removeAbandonedRuntimes(
  roots: readonly string[],
  isUsed: (runtime: string) => boolean,
): Promise<void> {
  for (const root of roots) {
    for (const runtime of await runtimesIn(root)) {
      if (isUsed(runtime)) continue;
      const runner = await RunnerClient.connect(runtime);
      if (runner === undefined) await endRuntime(runtime);
      // Its kernel is just ending, or it is idle and has not yet noticed that its service is gone.
      else runner.end();
    }
  }
}

/** The runtime directories in a root; none if another user owns the root or replaced it by a link. */
export async function runtimesIn(root: string): Promise<string[]> {
  if (!isOwnDirectory(root)) return [];
  return (await filesIn(root, () => true)).filter(isRuntimeDirectory);
}

/** True if the file is abandoned: the process named in its name is gone, or the file is old. */
async function isAbandoned(file: string): Promise<boolean> {
  const creator = stagedBy(path.basename(file));
  if (creator?.host === fileNameOf(os.hostname()) && (await processStartTime(creator.pid)) === undefined)
    return true;
  const stat = await fs.lstat(file).catch(() => undefined);
  return stat !== undefined && Date.now() - stat.mtimeMs > UNFINISHED_MS;
}

/** Removes a file; if that fails, it stays until the next start. */
async function remove(file: string): Promise<void> {
  await fs.rm(file, { recursive: true, force: true }).catch(() => undefined);
}

async function filesIn(directory: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const names = await fs.readdir(directory).catch((): string[] => []);
  return names.filter(isWanted).map((name) => path.join(directory, name));
}
