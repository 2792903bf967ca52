import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ControlServer } from './control-server';
import { RunnerJobSchema, type RunnerJob } from './job';
import { FILES } from './execution-folder';
import { KernelClient } from './kernel/kernel-client';
import type { LaunchedKernel } from './kernel/launch';
import { processStartTime } from './kernel/process-info';
import { NotebookRun } from './run';
import { StatusReporter } from './status-reporter';

/** Milliseconds that the kernel gets to end politely: its own clean-up, and its children's. */
const SHUTDOWN_PATIENCE = 5000;

/**
 * Runs a job that was claimed and whose kernel is being started.
 *
 * @param unchecked The content of `jobFile`.
 * @throws where it is no job, or this process cannot do its work at all: no status is left then.
 */
export async function runLaunchedJob(
  runtimeDirectory: string,
  jobFile: string,
  unchecked: unknown,
  launching: Promise<LaunchedKernel>,
): Promise<void> {
  const job = RunnerJobSchema.parse(unchecked);
  const control = new ControlServer();
  const listening = control.listen(runtimeDirectory);
  const kernel = await launching.then(
    (launched) => new KernelClient(launched),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  // It holds the person's environment.
  fs.rmSync(jobFile, { force: true });
  await listening;
  await runJob(job, kernel, control);
}

/** Runs a job on a kernel, or tells why there is none; ends the kernel. */
export async function runJob(
  job: RunnerJob,
  kernel: KernelClient | Error,
  control: ControlServer,
): Promise<void> {
  const startTime = new Date().toISOString();
  const pid = kernel instanceof Error ? undefined : kernel.launched.process.pid;
  const kernelStart = pid === undefined ? undefined : await processStartTime(pid);
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
        kernelStart !== undefined && { kernelProcess: { pid, startTime: kernelStart } }),
    },
    (status) => {
      control.send({ type: 'status', status });
    },
  );
  if (kernel instanceof Error) {
    const endTime = new Date().toISOString();
    reporter.enter('FAILED', endTime, { endTime, cause: 'kernelNotReady', message: kernel.message });
    return;
  }
  const run = new NotebookRun(job, kernel, reporter);
  control.onRequest = (request) => {
    if (request.type === 'cancel') run.stop('cancelled');
  };
  // The machine is shut down, or somebody ends this process: what there is is saved.
  process.once('SIGTERM', () => {
    run.stop('hostLost', 'The runner was ended');
  });
  await run.run();
  await kernel.shutDown(SHUTDOWN_PATIENCE);
}
