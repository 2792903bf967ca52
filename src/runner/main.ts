import * as fs from 'node:fs';
import * as path from 'node:path';
import { claim, EXIT_NOT_STARTED, NotStartedError } from '../protocol/claim';
import type { RunnerJob } from '../protocol/runner-job';
import { launchKernel } from './kernel/launch';
import { removeRuntime } from '../protocol/runtime-directory';

/*
 * The runner's process; protocol/runner-job.ts describes how it is started. The kernel takes far longer to start than
 * everything here. So it is started first, and most of this program is loaded only afterwards (esbuild runs a
 * dynamically imported module when it is imported).
 */

async function main(runtimeDirectory: string, jobFile: string | undefined): Promise<void> {
  if (jobFile === undefined) {
    const { PooledRunner } = await import('./pooled-runner');
    await new PooledRunner(runtimeDirectory).run();
    return;
  }
  const folder = path.dirname(jobFile);
  // Written by the service into a private folder; runLaunchedJob validates it before it uses the rest.
  const unchecked = { ...(JSON.parse(fs.readFileSync(jobFile, 'utf8')) as RunnerJob), folder };
  const { kernel, workingDirectory } = unchecked;
  claim(folder);
  const logFile = path.join(folder, 'kernel.log');
  const launched = launchKernel(kernel, { workingDirectory, runtimeDirectory, logFile });
  // It may fail before it is awaited.
  launched.catch(() => undefined);
  const { runLaunchedJob } = await import('./job-runner');
  await runLaunchedJob(runtimeDirectory, unchecked, launched);
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

// At the limit for file sizes, the write fails and the run reports it; by default the signal would end this process.
if (process.platform !== 'win32') process.on('SIGXFSZ', () => undefined);

const runtimeDirectory = option('--runtime');
if (runtimeDirectory === undefined) {
  console.error('usage: runner.js --runtime DIR [--job FILE]');
  process.exit(2);
}
void main(runtimeDirectory, option('--job'))
  .then(
    () => 0,
    (error: unknown) => {
      console.error(error);
      return error instanceof NotStartedError ? EXIT_NOT_STARTED : 1;
    },
  )
  .then(async (code) => {
    await removeRuntime(runtimeDirectory);
    process.exit(code);
  });
