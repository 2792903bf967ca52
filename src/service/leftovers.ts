import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { processStartTime } from '../runner/kernel/process-info';
import { fileNameOf, stagedBy, type ServicePaths } from './endpoint';
import { RunnerClient, removeRuntime } from './runner-client';
import { isOwnDirectory } from './runner-process';

/** Age in milliseconds of what a client was writing and has not finished, because its window was ended. */
const UNFINISHED_MS = 60 * 60 * 1000;

/**
 * Removes what processes that were killed left behind: staged notebooks, files and bundles that were not finished, logs
 * of spares, and runtime directories in which nobody listens any more.
 * @param abandoned runtime directories that are of no execution that has not ended; those have a supervisor.
 */
export async function removeLeftovers(paths: ServicePaths, abandoned: readonly string[]): Promise<void> {
  const unfinished = [
    ...(await filesIn(path.join(paths.dataDirectory, 'staging'))),
    ...(await filesIn(paths.versions)).filter(isHidden),
    ...(await filesIn(paths.dataDirectory)).filter(isHidden),
  ];
  for (const file of unfinished) {
    if (await isAbandoned(file)) await remove(file);
  }
  for (const file of await filesIn(paths.host)) {
    // Tokens and endpoints that former services were just writing; this one has written its own.
    if (/^(?:spare-.*\.log|\.(?:token|endpoint\.json)\..*)$/.test(path.basename(file))) await remove(file);
  }
  for (const runtime of abandoned) {
    const runner = await RunnerClient.connect(runtime);
    if (runner === undefined) await removeRuntime(runtime);
    else {
      // A runner whose kernel is just ending, or a spare that has not yet noticed that its service is gone.
      void runner.closed.then(() => removeRuntime(runtime));
    }
  }
}

/** The runtime directories there are. Where somebody else has put a link in their root's place, there are none of ours. */
export async function runtimesIn(runtimeRoot: string): Promise<string[]> {
  return isOwnDirectory(runtimeRoot) ? filesIn(runtimeRoot) : [];
}

/** True where nobody goes on with it: its maker is gone, or, where the name tells none, it is old. */
async function isAbandoned(file: string): Promise<boolean> {
  const maker = stagedBy(path.basename(file));
  if (maker?.host === fileNameOf(os.hostname()) && (await processStartTime(maker.pid)) === undefined)
    return true;
  const stat = await fs.stat(file).catch(() => undefined);
  return stat !== undefined && Date.now() - stat.mtimeMs > UNFINISHED_MS;
}

function isHidden(file: string): boolean {
  return path.basename(file).startsWith('.');
}

/** What cannot be removed now stays for another time. */
async function remove(file: string): Promise<void> {
  await fs.rm(file, { recursive: true, force: true }).catch(() => undefined);
}

async function filesIn(directory: string): Promise<string[]> {
  const names = await fs.readdir(directory).catch((): string[] => []);
  return names.map((name) => path.join(directory, name));
}
