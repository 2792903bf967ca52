import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { ServicePaths } from './endpoint';
import { RunnerClient, removeRuntime } from './runner-client';

/** Notebooks that a client staged for a create and did not remove, because its window was ended; milliseconds. */
const STAGED_MS = 60 * 60 * 1000;

/**
 * Removes what processes that were killed left behind: staged notebooks, logs of spares, and runtime directories in
 * which nobody listens any more.
 * @param used runtime directories of executions that have not ended; their supervisor sees to them.
 */
export async function removeLeftovers(
  paths: ServicePaths,
  runtimeRoot: string,
  used: ReadonlySet<string>,
): Promise<void> {
  for (const file of await filesIn(path.join(paths.dataDirectory, 'staging'))) {
    const stat = await fs.stat(file).catch(() => undefined);
    if (stat !== undefined && Date.now() - stat.mtimeMs > STAGED_MS) await fs.rm(file, { force: true });
  }
  for (const file of await filesIn(paths.host)) {
    if (/^spare-.*\.log$/.test(path.basename(file))) await fs.rm(file, { force: true });
  }
  for (const runtime of await filesIn(runtimeRoot)) {
    if (used.has(runtime)) continue;
    const runner = await RunnerClient.connect(runtime);
    if (runner === undefined) await removeRuntime(runtime);
    else {
      // A runner whose kernel is just ending, or a spare that has not yet noticed that its service is gone.
      runner.once('close', () => {
        void removeRuntime(runtime);
      });
    }
  }
}

async function filesIn(directory: string): Promise<string[]> {
  const names = await fs.readdir(directory).catch((): string[] => []);
  return names.map((name) => path.join(directory, name));
}
