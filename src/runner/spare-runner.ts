import * as fs from 'node:fs';
import * as path from 'node:path';
import { ControlServer } from './control-server';
import { deferred, elapsed } from './deferred';
import { FILES, RunnerJobSchema, type ControlRequest } from './job';
import { runJob } from './job-runner';
import { KernelClient } from './kernel/kernel-client';
import { launchKernel } from './kernel/launch';

/** Milliseconds in which the service that started a spare says what it is for; it may have ended since. */
const PATIENCE = 10_000;

/**
 * A runner with a kernel that was started ahead and has run no code. It lives as long as the connection of the service
 * that wants it, until it is given a job.
 */
export class SpareRunner {
  private readonly control = new ControlServer();
  private readonly prepared = deferred<Extract<ControlRequest, { type: 'prepare' }>>();
  private readonly jobFile = deferred<string>();

  /** @param patience Milliseconds until somebody has said what it is for. */
  constructor(
    private readonly runtimeDirectory: string,
    private readonly patience = PATIENCE,
  ) {}

  /** Resolves when the job is done, or nobody wants this spare any more. */
  async run(): Promise<void> {
    const abandoned = deferred<undefined>();
    this.control.onRequest = (request) => {
      if (request.type === 'prepare') this.prepared.resolve(request);
      else if (request.type === 'run') this.jobFile.resolve(request.job);
    };
    this.control.onClose = (): void => {
      abandoned.resolve(undefined);
    };
    await this.control.listen(this.runtimeDirectory);
    const prepare = await Promise.race([this.prepared.promise, abandoned.promise, elapsed(this.patience)]);
    if (!prepare) return;
    const kernel = new KernelClient(
      await launchKernel(prepare.kernel, prepare.workingDirectory, this.runtimeDirectory, prepare.kernelLog),
    );
    void kernel.ready.then(() => {
      this.control.send({ type: 'ready' });
    });
    const jobFile = await Promise.race([this.jobFile.promise, abandoned.promise, kernel.exited]);
    if (typeof jobFile !== 'string') {
      await kernel.shutDown(0);
      fs.rmSync(prepare.kernelLog, { force: true });
      return;
    }
    this.control.onClose = (): void => undefined;
    const job = RunnerJobSchema.parse(JSON.parse(fs.readFileSync(jobFile, 'utf8')));
    fs.writeFileSync(path.join(job.folder, FILES.claim), String(process.pid), { flag: 'wx', mode: 0o600 });
    fs.rmSync(jobFile);
    try {
      fs.renameSync(prepare.kernelLog, path.join(job.folder, FILES.kernelLog));
    } catch (error) {
      // A run without the log of its kernel's start is better than none.
      console.error('kernel.log:', error);
    }
    await runJob(job, kernel, this.control);
  }
}
