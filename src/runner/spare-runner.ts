import * as fs from 'node:fs';
import * as path from 'node:path';
import { ControlServer } from './control-server';
import { deferred, elapsed } from './deferred';
import { RunnerJobSchema, type ControlRequest, type RunnerJob } from './job';
import { FILES } from './execution-folder';
import { runJob } from './job-runner';
import { KernelClient } from './kernel/kernel-client';
import { launchKernel } from './kernel/launch';
import { rehearse } from './rehearsal';

/** Milliseconds in which the service that started a spare connects to it; it may have ended since. */
const PATIENCE = 10_000;

/**
 * A runner that was started ahead of its job, and perhaps its kernel too, which has run no code then. It lives as long
 * as the connection of the service that wants it, until it is given a job.
 */
export class SpareRunner {
  private readonly control = new ControlServer();
  private readonly prepared = deferred<Extract<ControlRequest, { type: 'prepare' }>>();
  private readonly jobFile = deferred<string>();
  private readonly abandoned = deferred<undefined>();

  /** @param patience Milliseconds until somebody has connected. */
  constructor(
    private readonly runtimeDirectory: string,
    private readonly patience = PATIENCE,
  ) {}

  /** Resolves when the job is done, or nobody wants this spare any more. */
  async run(): Promise<void> {
    const connected = deferred<true>();
    this.control.onConnect = (): void => {
      connected.resolve(true);
    };
    this.control.onRequest = (request) => {
      if (request.type === 'prepare') this.prepared.resolve(request);
      else if (request.type === 'run') this.jobFile.resolve(request.job);
    };
    this.control.onClose = (): void => {
      this.abandoned.resolve(undefined);
    };
    await this.control.listen(this.runtimeDirectory);
    if ((await Promise.race([connected.promise, elapsed(this.patience)])) !== true) return;
    const first = await Promise.race([this.jobFile.promise, this.prepared.promise, this.abandoned.promise]);
    if (typeof first === 'string') await this.runOnNewKernel(first);
    else if (first !== undefined) await this.waitWithKernel(first);
  }

  private async runOnNewKernel(jobFile: string): Promise<void> {
    const job = this.claim(jobFile);
    const kernelLog = path.join(job.folder, FILES.kernelLog);
    const kernel = await launchKernel(
      job.kernel,
      job.workingDirectory,
      this.runtimeDirectory,
      kernelLog,
    ).then(
      (launched) => new KernelClient(launched),
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    await runJob(job, kernel, this.control);
  }

  private async waitWithKernel(prepare: Extract<ControlRequest, { type: 'prepare' }>): Promise<void> {
    const kernel = new KernelClient(
      await launchKernel(prepare.kernel, prepare.workingDirectory, this.runtimeDirectory, prepare.kernelLog),
    );
    void kernel.ready.then(async () => {
      await rehearse(prepare.kernel);
      this.control.send({ type: 'ready' });
    });
    const jobFile = await Promise.race([this.jobFile.promise, this.abandoned.promise, kernel.exited]);
    if (typeof jobFile !== 'string') {
      await kernel.shutDown(0);
      fs.rmSync(prepare.kernelLog, { force: true });
      return;
    }
    const job = this.claim(jobFile);
    try {
      fs.renameSync(prepare.kernelLog, path.join(job.folder, FILES.kernelLog));
    } catch (error) {
      // A run without the log of its kernel's start is better than none.
      console.error('kernel.log:', error);
    }
    await runJob(job, kernel, this.control);
  }

  /** From here on this process is the one that runs the job, whether anybody is connected or not. */
  private claim(jobFile: string): RunnerJob {
    this.control.onClose = (): void => undefined;
    const job = RunnerJobSchema.parse(JSON.parse(fs.readFileSync(jobFile, 'utf8')));
    fs.writeFileSync(path.join(job.folder, FILES.claim), String(process.pid), { flag: 'wx', mode: 0o600 });
    // It holds the person's environment.
    fs.rmSync(jobFile);
    return job;
  }
}
