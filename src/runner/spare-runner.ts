import * as fs from 'node:fs';
import * as path from 'node:path';
import { claim } from '../protocol/claim';
import { ControlServer } from './control-server';
import { deferred, elapsed, type Deferred } from '../system/deferred';
import { RunnerJobSchema, type ControlRequest, type RunnerJob } from '../protocol/runner-job';
import { FILES } from '../protocol/execution-folder';
import { clientOf, runJob } from './job-runner';
import { KernelForkServer } from './kernel/fork-server';
import { KernelClient } from './kernel/kernel-client';
import { launchKernel } from './kernel/launch';
import { warmUp } from './warm-up';

/** Milliseconds for the service that started a spare to connect to it; that service may have ended since. */
const PATIENCE = 10_000;

/** A runner that has grown by more than this, bytes, gets no other job: the memory of a large notebook ends with it. */
const MOST_GROWTH = 40 * 2 ** 20;

/** Milliseconds that a fork server waits for the next job. */
const FORK_SERVER_PATIENCE = 10_000;

type Prepare = Extract<ControlRequest, { type: 'prepare' }>;
type Run = Extract<ControlRequest, { type: 'run' }>;

/** A kernel that was started ahead, and its log. */
interface SpareKernel {
  readonly client: KernelClient;
  readonly log: string;
}

/**
 * A runner that was started before its jobs, perhaps with a kernel, which has not run any code yet. It lives while a
 * client is connected, and until the end of its job. It runs one job after the other, each with its own kernel.
 */
export class SpareRunner {
  private readonly control = new ControlServer();
  private readonly requests: (Prepare | Run)[] = [];
  private requested = deferred<undefined>();
  /** Resolves when the latest job is to be cancelled. */
  private cancelled: Deferred<undefined> = deferred();
  private readonly abandoned = deferred<undefined>();
  private isAtWork = false;
  private kernels = 0;
  private forkServer: KernelForkServer | undefined;
  private forkServerTimer: NodeJS.Timeout | undefined;

  /** @param patience Milliseconds for the service to connect. */
  constructor(
    private readonly runtimeDirectory: string,
    private readonly patience = PATIENCE,
  ) {}

  /** Resolves when no client needs this runner any more, and its jobs and kernels have ended. */
  async run(): Promise<void> {
    const connected = deferred<true>();
    this.control.onConnect = (): void => {
      connected.resolve(true);
    };
    this.control.onRequest = (request) => {
      if (request.type === 'cancel') {
        this.cancelled.resolve(undefined);
        return;
      }
      if (request.type === 'run') this.cancelled = deferred();
      this.requests.push(request);
      this.requested.resolve(undefined);
    };
    this.control.onClose = (): void => {
      if (!this.isAtWork) this.abandoned.resolve(undefined);
    };
    await this.control.listen(this.runtimeDirectory);
    if ((await Promise.race([connected.promise, elapsed(this.patience)])) !== true) return;
    const memory = process.memoryUsage.rss();
    let spare: SpareKernel | undefined;
    for (;;) {
      const request = await this.next(spare);
      if (request === undefined) break;
      if (request.type === 'prepare') {
        this.endForkServer();
        spare ??= await this.prepare(request);
      } else {
        await this.runOn(spare, request);
        spare = undefined;
        const isFree = this.control.isConnected && process.memoryUsage.rss() - memory <= MOST_GROWTH;
        this.control.send({ type: 'ended', isFree });
        if (!isFree) break;
      }
    }
    this.endForkServer();
    await spare?.client.shutDown(0);
    if (spare !== undefined) fs.rmSync(spare.log, { force: true });
  }

  /** The next request; undefined if there will be none, or if the kernel that was started ahead has ended. */
  private async next(spare: SpareKernel | undefined): Promise<Prepare | Run | undefined> {
    if (this.requests.length === 0) {
      this.requested = deferred();
      await Promise.race([
        this.requested.promise,
        this.abandoned.promise,
        ...(spare === undefined ? [] : [spare.client.exited]),
      ]);
    }
    const request = this.requests.shift();
    // From here on this process runs the job, even without a connected client.
    this.isAtWork = request?.type === 'run';
    return request;
  }

  private async prepare({ kernel, workingDirectory, kernelLog }: Prepare): Promise<SpareKernel> {
    const place = this.place(workingDirectory, kernelLog);
    const client = new KernelClient(await launchKernel(kernel, place));
    void client.ready.then(async () => {
      await warmUp(kernel);
      this.control.send({ type: 'ready' });
    });
    return { client, log: kernelLog };
  }

  /** Runs a job to its end, including the end of its kernel. */
  private async runOn(spare: SpareKernel | undefined, request: Run): Promise<void> {
    const stored = RunnerJobSchema.parse(JSON.parse(fs.readFileSync(request.job, 'utf8')));
    const job = { ...stored, folder: path.dirname(request.job) };
    try {
      claim(job.folder);
    } catch (error) {
      await spare?.client.shutDown(0);
      throw error;
    }
    const log = path.join(job.folder, FILES.kernelLog);
    if (spare !== undefined) {
      try {
        fs.renameSync(spare.log, log);
      } catch (error) {
        // Better to run without the log of the kernel's start than not at all.
        console.error('kernel.log:', error);
      }
    }
    const kernel = spare?.client ?? (await this.startKernel(job, log, request.forkServer));
    await runJob(job, kernel, this.control, this.cancelled.promise);
    this.isAtWork = false;
    this.forkServerTimer = setTimeout(() => {
      this.endForkServer();
    }, FORK_SERVER_PATIENCE).unref();
  }

  private async startKernel(
    { kernel, workingDirectory }: RunnerJob,
    log: string,
    forkServer: string | undefined,
  ): Promise<KernelClient | Error> {
    if (this.forkServer?.name !== forkServer) this.endForkServer();
    clearTimeout(this.forkServerTimer);
    if (forkServer !== undefined) {
      const { runtimeDirectory } = this;
      const place = { workingDirectory, runtimeDirectory, logFile: log };
      this.forkServer ??= KernelForkServer.start(forkServer, kernel, place);
    }
    return clientOf(launchKernel(kernel, this.place(workingDirectory, log), this.forkServer));
  }

  private place(workingDirectory: string, logFile: string): Parameters<typeof launchKernel>[1] {
    const { runtimeDirectory } = this;
    return { workingDirectory, runtimeDirectory, number: ++this.kernels, logFile };
  }

  private endForkServer(): void {
    clearTimeout(this.forkServerTimer);
    this.forkServer?.end();
    this.forkServer = undefined;
  }
}
