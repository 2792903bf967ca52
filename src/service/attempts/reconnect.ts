import { setTimeout as delay } from 'node:timers/promises';
import { processStartTime } from '../../system/processes';
import { exists } from '../../system/programs';
import { claimant } from '../executions/attempt-files';
import type { FolderStore } from '../executions/folder-store';
import type { ExecutionRecord } from '../executions/record';
import { RunnerClient } from '../runners/runner-client';

/** Time for a runner that a previous service had just started to become reachable, milliseconds. */
const START_MS = 10_000;

/** Connects to a runner that may be running, starting or gone. */
export async function reconnect(
  store: FolderStore,
  record: ExecutionRecord,
  runtime: string,
): Promise<RunnerClient | undefined> {
  // Count from the start of the runner, not of this service: otherwise each restart would restart the wait.
  const age = Date.now() - Date.parse(record.history.at(-1)?.time ?? '');
  const deadline = performance.now() + (age >= 0 && age < START_MS ? START_MS - age : 0);
  for (;;) {
    const runner = await RunnerClient.connect(runtime);
    if (runner !== undefined || performance.now() > deadline || !(await exists(runtime))) return runner;
    // A runner writes its process id to the claim just before it listens.
    const pid = await claimant(store, record);
    if (pid !== undefined && (await processStartTime(pid)) === undefined) return undefined;
    await delay(50);
  }
}
