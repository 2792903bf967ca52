import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { endMessage } from '../execution/end-message';
import { isStorageError } from '../system/storage-error';
import { releaseClaim } from '../protocol/claim';
import { completeFromJournal } from '../recording/recovery';
import { ControlServer } from './control-server';
import { deferred } from '../system/deferred';
import { RunnerJobSchema, type RunnerJob } from '../protocol/runner-job';
import { FILES } from '../protocol/execution-folder';
import { KernelClient } from './kernel/kernel-client';
import type { LaunchedKernel } from './kernel/launch';
import { processStartTime } from '../system/processes';
import { NotebookRun } from './run';
import { StatusReporter } from './status-reporter';

/**
 * Runs a job that was claimed and whose kernel is being started.
 *
 * @param unchecked The content of its job.json.
 * @throws if it is not a valid job, or if this process cannot do its work at all: then it leaves no status.
 */
export async function runLaunchedJob(
  runtimeDirectory: string,
  unchecked: unknown,
  launching: Promise<LaunchedKernel>,
): Promise<void> {
  const job = RunnerJobSchema.parse(unchecked);
  const control = new ControlServer();
  const cancelled = deferred<undefined>();
  control.onRequest = (request) => {
    if (request.type === 'cancel') cancelled.resolve(undefined);
  };
  const listening = control.listen(runtimeDirectory);
  const kernel = await clientOf(launching);
  await listening;
  await runJob(job, kernel, control, cancelled.promise);
}

/** Connects to a kernel that is being started; resolves with the error if it could not be started. */
export async function clientOf(launching: Promise<LaunchedKernel>): Promise<KernelClient | Error> {
  return launching.then(
    (launched) => new KernelClient(launched),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}

/**
 * Runs a job on a kernel, or reports why there is none. Afterwards the kernel has ended.
 * @param cancelled Resolves when the run is to be cancelled.
 * @throws NotStartedError if not even the first status can be written, so that no result could be reported. The kernel
 *   has ended then.
 */
export async function runJob(
  job: RunnerJob,
  kernel: KernelClient | Error,
  control: ControlServer,
  cancelled: Promise<unknown>,
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
  if (reporter.notWritten !== undefined) {
    if (kernel instanceof KernelClient) await kernel.shutDown(0);
    releaseClaim(job.folder, reporter.notWritten);
  }
  // It contains the user's environment.
  fs.rmSync(path.join(job.folder, FILES.job), { force: true });
  if (kernel instanceof Error) {
    // No cell was run: without an earlier output, the output is the notebook without results.
    await completeFromJournal(job.folder).catch((error: unknown) => {
      console.error('cannot write output.ipynb:', error);
    });
    const endTime = new Date().toISOString();
    const cause = isStorageError(kernel) ? 'outputNotWritable' : 'kernelNotReady';
    reporter.enter('FAILED', endTime, { endTime, cause, message: kernel.message });
    return;
  }
  const run = new NotebookRun(job, kernel, reporter);
  void cancelled.then(() => {
    run.stop('cancelled');
  });
  // The machine is shutting down, or this process was asked to end: save the outputs so far.
  const end = (): void => {
    run.stop('hostLost', endMessage('runnerTerminated'));
  };
  process.once('SIGTERM', end);
  await run.run();
  process.off('SIGTERM', end);
}
