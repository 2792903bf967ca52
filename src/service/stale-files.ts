import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { processStartTime } from '../system/processes';
import { isOwnDirectory, isRuntimeDirectory } from '../protocol/runtime-directory';
import { fileNameOf, stagedBy, type ServicePaths } from '../protocol/service-paths';
import { isOwnName, isReplacementOf } from '../protocol/own-names';
import { endRuntime, RunnerClient } from './runners/runner-client';

/** Age in milliseconds of what a client was writing and has not finished, because its window was ended. */
const UNFINISHED_MS = 60 * 60 * 1000;

/*
 * Removes what processes that were killed left behind. Everything is known by its name: what has another one was not made by
 * us, and is left alone.
 */

/** Removes what clients had not finished: staged notebooks, settings and bundles. */
export async function removeUnfinished(paths: ServicePaths): Promise<void> {
  const unfinished = [
    ...(await filesIn(path.join(paths.dataDirectory, 'staging'), (name) => stagedBy(name) !== undefined)),
    ...(await filesIn(paths.versions, (name) => isOwnName('unfinishedBuild', name))),
    ...(await filesIn(paths.dataDirectory, (name) => isReplacementOf(path.basename(paths.config), name))),
  ];
  for (const file of unfinished) {
    if (await isAbandoned(file)) await remove(file);
  }
}

/** Removes what former services of this host left: with the lock, and before this one writes anything. */
export async function removeFormer(paths: ServicePaths): Promise<void> {
  const replaced = [paths.token, paths.endpoint, paths.clock, paths.retention].map((file) =>
    path.basename(file),
  );
  const isReplacement = (name: string): boolean => replaced.some((file) => isReplacementOf(file, name));
  const isFormer = (name: string): boolean => isReplacement(name) || isOwnName('spareLog', name);
  for (const file of await filesIn(paths.host, isFormer)) await remove(file);
  for (const file of await filesIn(paths.host, (name) => isOwnName('unfinishedLock', name))) {
    if ((await processStartTime(Number(path.extname(file).slice(1)))) === undefined) await remove(file);
  }
}

/**
 * Removes the runtime directories in which no runner listens: also those that a kernel made anew which was just starting as
 * its runner was killed.
 * @param isUsed true for one whose runner is known, and may not listen yet.
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
      // One whose kernel is just ending, or a spare that has not yet noticed that its service is gone.
      else runner.end();
    }
  }
}

/** The runtime directories there are. Where another user has put a link in their root's place, there are none of ours. */
export async function runtimesIn(root: string): Promise<string[]> {
  if (!isOwnDirectory(root)) return [];
  return (await filesIn(root, () => true)).filter(isRuntimeDirectory);
}

/** True where nobody goes on with it: its maker is gone, or, where the name tells none, it is old. */
async function isAbandoned(file: string): Promise<boolean> {
  const maker = stagedBy(path.basename(file));
  if (maker?.host === fileNameOf(os.hostname()) && (await processStartTime(maker.pid)) === undefined)
    return true;
  const stat = await fs.lstat(file).catch(() => undefined);
  return stat !== undefined && Date.now() - stat.mtimeMs > UNFINISHED_MS;
}

/** What cannot be removed now stays for another time. */
async function remove(file: string): Promise<void> {
  await fs.rm(file, { recursive: true, force: true }).catch(() => undefined);
}

async function filesIn(directory: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const names = await fs.readdir(directory).catch((): string[] => []);
  return names.filter(isWanted).map((name) => path.join(directory, name));
}
