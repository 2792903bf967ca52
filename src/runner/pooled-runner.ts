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

/** Timeout for the service that started this runner to connect to it, milliseconds: that service may have ended. */
const CONNECT_TIMEOUT = 10_000;

/** A runner that has grown by more than this, bytes, gets no other job: the memory of a large notebook ends with it. */
const MAX_GROWTH = 40 * 2 ** 20;

/** A fork server without a job is ended after this time, milliseconds. */
const FORK_SERVER_IDLE = 10_000;

type StartSpareRequest = Extract<ControlRequest, { type: 'prepare' }>;
type RunRequest = Extract<ControlRequest, { type: 'run' }>;

/** A kernel that was started before its job, and its log. */
interface SpareKernel {
  readonly client: KernelClient;
  readonly log: string;
}

/**
 * A runner of the service's pool, which was started before its jobs. It runs one job after the other, each with its own
 * kernel; between two jobs it may start a spare kernel. It exits when no client is connected and no job is running.
 */
export class PooledRunner {
  private readonly control = new ControlServer();
  private readonly requests: (StartSpareRequest | RunRequest)[] = [];
  private requested = deferred<undefined>();
  /** Resolves when the latest job is to be cancelled. */
  private cancelled: Deferred<undefined> = deferred();
  private readonly disconnected = deferred<undefined>();
  private isBusy = false;
  private kernels = 0;
  private forkServer: KernelForkServer | undefined;
  private forkServerTimer: NodeJS.Timeout | undefined;

  /** @param connectTimeout Milliseconds for the service to connect. */
  constructor(
    private readonly runtimeDirectory: string,
    private readonly connectTimeout = CONNECT_TIMEOUT,
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
      if (!this.isBusy) this.disconnected.resolve(undefined);
    };
    await this.control.listen(this.runtimeDirectory);
    if ((await Promise.race([connected.promise, elapsed(this.connectTimeout)])) !== true) return;
    const memory = process.memoryUsage.rss();
    let spare: SpareKernel | undefined;
    for (;;) {
      const request = await this.next(spare);
      if (request === undefined) break;
      if (request.type === 'prepare') {
        this.endForkServer();
        spare ??= await this.startSpare(request);
      } else {
        await this.runOn(spare, request);
        spare = undefined;
        const isFree = this.control.isConnected && process.memoryUsage.rss() - memory <= MAX_GROWTH;
        this.control.send({ type: 'ended', isFree });
        if (!isFree) break;
      }
    }
    this.endForkServer();
    await spare?.client.shutDown(0);
    if (spare !== undefined) fs.rmSync(spare.log, { force: true });
  }

  /** The next request; undefined if there will be none, or if the spare kernel has ended. */
  private async next(spare: SpareKernel | undefined): Promise<StartSpareRequest | RunRequest | undefined> {
    if (this.requests.length === 0) {
      this.requested = deferred();
      await Promise.race([
        this.requested.promise,
        this.disconnected.promise,
        ...(spare === undefined ? [] : [spare.client.exited]),
      ]);
    }
    const request = this.requests.shift();
    // From here on this process runs the job, even without a connected client.
    this.isBusy = request?.type === 'run';
    return request;
  }

  private async startSpare({ kernel, workingDirectory, kernelLog }: StartSpareRequest): Promise<SpareKernel> {
    const place = this.place(workingDirectory, kernelLog);
    const client = new KernelClient(await launchKernel(kernel, place));
    void client.ready.then(async () => {
      await warmUp(kernel);
      this.control.send({ type: 'ready' });
    });
    return { client, log: kernelLog };
  }

  /** Runs a job to its end, including the end of its kernel. */
  private async runOn(spare: SpareKernel | undefined, request: RunRequest): Promise<void> {
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
        console.error('cannot move kernel.log:', error);
      }
    }
    const kernel = spare?.client ?? (await this.startKernel(job, log, request.forkServer));
    await runJob(job, kernel, this.control, this.cancelled.promise);
    this.isBusy = false;
    this.forkServerTimer = setTimeout(() => {
      this.endForkServer();
    }, FORK_SERVER_IDLE).unref();
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
