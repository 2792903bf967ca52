import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { endMessage } from '../execution/end-message';
import { isStorageError } from '../system/storage-error';
import { giveUp } from '../protocol/claim';
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
 * @throws where it is no job, or this process cannot do its work at all: no status is left then.
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

/** Speaks with a kernel that is being started, or tells why there is none. */
export async function clientOf(launching: Promise<LaunchedKernel>): Promise<KernelClient | Error> {
  return launching.then(
    (launched) => new KernelClient(launched),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}

/**
 * Runs a job on a kernel, or tells why there is none. The kernel has ended afterwards.
 * @param cancelled Resolves when the run is to be cancelled.
 * @throws NotBegunError where not even its first status can be written: what came of it could not be told. The kernel has
 *   ended then.
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
    giveUp(job.folder, reporter.notWritten);
  }
  // It holds the person's environment.
  fs.rmSync(path.join(job.folder, FILES.job), { force: true });
  if (kernel instanceof Error) {
    // No cell of it was run.
    await completeFromJournal(job.folder).catch((error: unknown) => {
      console.error('output.ipynb:', error);
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
  // The machine is shut down, or somebody ends this process: what there is is saved.
  const end = (): void => {
    run.stop('hostLost', endMessage('runnerTerminated'));
  };
  process.once('SIGTERM', end);
  await run.run();
  process.off('SIGTERM', end);
}
