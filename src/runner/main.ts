import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RunnerJob } from './job';
import { launchKernel } from './kernel/launch';
import { removeRuntime } from './runtime-directory';

/*
 * The runner's process; job.ts says how it is started and what it leaves. The kernel takes far longer to start than
 * everything here: it is started first, and most of this program is loaded only then (esbuild runs a module that is
 * imported dynamically when it is imported).
 */

async function main(runtimeDirectory: string, jobFile: string | undefined): Promise<void> {
  if (jobFile === undefined) {
    const { SpareRunner } = await import('./spare-runner');
    await new SpareRunner(runtimeDirectory).run();
    return;
  }
  const folder = path.dirname(jobFile);
  // Written by the service into a private folder, and checked before anything else of it is used.
  const unchecked = { ...(JSON.parse(fs.readFileSync(jobFile, 'utf8')) as RunnerJob), folder };
  const { kernel, workingDirectory } = unchecked;
  fs.writeFileSync(path.join(folder, 'claim'), String(process.pid), { flag: 'wx', mode: 0o600 });
  const logFile = path.join(folder, 'kernel.log');
  const launched = launchKernel(kernel, { workingDirectory, runtimeDirectory, logFile });
  const { runLaunchedJob } = await import('./job-runner');
  await runLaunchedJob(runtimeDirectory, jobFile, unchecked, launched);
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

// Where files may not grow, the write fails, and the run says so; by default the signal would end this process.
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
      return 1;
    },
  )
  .then(async (code) => {
    await removeRuntime(runtimeDirectory);
    process.exit(code);
  });
