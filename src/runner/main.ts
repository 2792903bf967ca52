import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { ControlServer } from './control-server';
import { FILES, RunnerJobSchema, type RunnerJob } from './job';
import { KernelClient } from './kernel/kernel-client';
import { launchKernel } from './kernel/launch';
import { processStartTime } from './kernel/process-info';
import { NotebookRun } from './run';
import { StatusReporter } from './status-reporter';

/** Milliseconds that the kernel gets to end politely: its own clean-up, and its children's. */
const SHUTDOWN_PATIENCE = 5000;

/** Runs the job in this file. See job.ts for the files and the control connection. */
async function runJob(runtimeDirectory: string, jobFile: string): Promise<void> {
  const startTime = new Date().toISOString();
  const job = RunnerJobSchema.parse(JSON.parse(fs.readFileSync(jobFile, 'utf8')));
  claim(job);
  const launched = await launchKernel(
    job.kernel,
    job.workingDirectory,
    runtimeDirectory,
    path.join(job.folder, FILES.kernelLog),
  );
  // It holds the person's environment.
  fs.rmSync(jobFile, { force: true });
  const kernel = new KernelClient(launched);
  const { pid } = launched.process;
  const kernelStartTime = pid === undefined ? undefined : await processStartTime(pid);
  const run = { stop: (): void => undefined };
  const control = new ControlServer((request) => {
    if (request.type === 'cancel') run.stop();
  });
  await control.listen(runtimeDirectory);
  const reporter = new StatusReporter(
    path.join(job.folder, FILES.status),
    {
      version: 1,
      attempt: job.attempt,
      state: 'PREPARING',
      runStatus: {
        attempt: job.attempt,
        startTime,
        history: [{ state: 'PREPARING', time: startTime }],
        kernel: { name: job.kernel.name, displayName: job.kernel.displayName, language: job.kernel.language },
        host: os.hostname(),
      },
      ...(pid !== undefined &&
        kernelStartTime !== undefined && { kernelProcess: { pid, startTime: kernelStartTime } }),
    },
    (status) => {
      control.send({ type: 'status', status });
    },
  );
  const notebookRun = new NotebookRun(job, kernel, reporter);
  run.stop = (): void => {
    notebookRun.stop('cancelled');
  };
  await notebookRun.run();
  await kernel.shutDown(SHUTDOWN_PATIENCE);
}

/** @throws where somebody else has decided about this attempt. */
function claim(job: RunnerJob): void {
  fs.writeFileSync(path.join(job.folder, FILES.claim), String(process.pid), { flag: 'wx', mode: 0o600 });
}

const { values } = parseArgs({ options: { runtime: { type: 'string' }, job: { type: 'string' } } });
const { runtime, job } = values;
if (runtime === undefined || job === undefined) {
  console.error('usage: runner.js --runtime DIR [--job FILE]');
  process.exit(2);
}
runJob(runtime, job).then(
  () => {
    fs.rmSync(runtime, { recursive: true, force: true });
    process.exit(0);
  },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
