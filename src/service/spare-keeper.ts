import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import type { RunnerJob } from '../runner/job';
import { fingerprintOf, filesLoadedBy } from './python';
import { removeRuntime, RunnerClient } from './runner-client';
import { startWaitingRunner, type RunnerLauncher, type StartedRunner } from './runner-process';

/** A spare that nobody took loses its kernel after this time. */
const IDLE_MS = 10 * 60 * 1000;

/** A runner that waits for its job, with a kernel. */
interface Spare {
  readonly client: RunnerClient;
  readonly key: string;
  readonly files: readonly string[];
  readonly fingerprint: string;
  readonly timer: NodeJS.Timeout;
  ready: boolean;
}

/**
 * Keeps at most one runner ahead of the execution that will need it. At first it is a bare process, which spares any
 * execution the start of Node; after a run it gets a kernel, for the next execution with the same kernel, environment
 * and working directory. That kernel never ran code; it is given up when it has waited long, or when what it loaded
 * changed.
 */
export class SpareKeeper {
  #bare: Promise<RunnerClient | undefined> | undefined;
  #spare: Spare | undefined;
  /** Key of the spare that is being started. */
  #coming: string | undefined;
  /** Counts up with each `prepare` and `drop`, so that a spare that comes up too late is not kept. */
  #turn = 0;
  #closed = false;

  constructor(
    private readonly launcher: RunnerLauncher,
    /** Folder for logs of spares, on the file system of the executions. */
    private readonly logs: string,
    /** Whether kernels are to be started ahead; asked anew each time. */
    private readonly wanted: () => boolean,
    /**
     * How many executions wait for others to end; asked anew each time. The next one's kernel is started when it is its
     * turn: started ahead, it would take processor time from those that run.
     */
    private readonly waiting: () => number,
  ) {}

  /** True when a spare is there whose kernel has answered. */
  get ready(): boolean {
    return this.#spare?.ready === true;
  }

  /**
   * Starts a runner that waits for its job, unless there is one.
   * @param started one that was started already.
   */
  standBy(started?: StartedRunner): void {
    if (this.#closed || this.#bare !== undefined || this.#spare !== undefined) return;
    const bare = this.#start(started).catch(() => undefined);
    this.#bare = bare;
    void bare.then(async (client) => {
      await client?.closed;
      if (this.#bare === bare) this.#bare = undefined;
    });
  }

  /** Hands out the spare if its kernel fits the job, or else a runner without a kernel if there is one; the caller now owns it. */
  async take(job: RunnerJob): Promise<RunnerClient | undefined> {
    const spare = this.#spare;
    if (spare?.ready !== true || spare.key !== keyOf(job)) {
      const bare = this.#takeBare();
      if (this.waiting() > 0) this.standBy();
      return bare;
    }
    this.#forget();
    if ((await fingerprintOf(spare.files)) === spare.fingerprint) return spare.client;
    spare.client.end();
    return undefined;
  }

  #takeBare(): Promise<RunnerClient | undefined> | undefined {
    const bare = this.#bare;
    this.#bare = undefined;
    return bare;
  }

  /** Starts a spare like the kernel of this job, in place of one for another kind of job. */
  async prepare(job: RunnerJob): Promise<void> {
    const key = keyOf(job);
    if (this.#spare?.key === key || this.#coming === key) return;
    this.drop();
    const turn = this.#turn;
    this.#coming = key;
    try {
      await this.#startSpare(job, key, turn);
    } finally {
      if (turn === this.#turn) this.#coming = undefined;
    }
  }

  async #startSpare(job: RunnerJob, key: string, turn: number): Promise<void> {
    const takesKernel = this.wanted() && this.waiting() === 0 && job.memoryLimitBytes === undefined;
    const files = takesKernel ? await filesLoadedBy(job.kernel) : undefined;
    if (files === undefined) {
      this.standBy();
      return;
    }
    const fingerprint = await fingerprintOf(files);
    if (turn !== this.#turn) return;
    const client = await (this.#takeBare() ?? this.#start());
    if (client === undefined) return;
    if (turn !== this.#turn) {
      client.end();
      return;
    }
    const kernelLog = path.join(this.logs, `spare-${path.basename(client.runtime)}.log`);
    const timer = setTimeout(() => {
      this.drop();
      this.standBy();
    }, IDLE_MS);
    timer.unref();
    const spare: Spare = { client, key, files, fingerprint, timer, ready: false };
    this.#spare = spare;
    client.once('ready', () => {
      spare.ready = true;
    });
    void client.closed.then(() => {
      if (this.#spare === spare) this.#forget();
      // Where the runner was taken it is the execution's by now.
      void rm(kernelLog, { force: true }).catch(() => undefined);
    });
    client.send({ type: 'prepare', kernel: job.kernel, workingDirectory: job.workingDirectory, kernelLog });
  }

  async #start(
    { runtime, ended }: StartedRunner = startWaitingRunner(this.launcher, this.logs),
  ): Promise<RunnerClient | undefined> {
    let exited = false;
    void ended.then(() => {
      exited = true;
    });
    const client = await RunnerClient.connectWhenUp(runtime, () => exited);
    if (client === undefined) await removeRuntime(runtime);
    else void client.closed.then(() => removeRuntime(runtime));
    return client;
  }

  /** Ends the spare, if there is one. */
  drop(): void {
    this.#turn++;
    this.#coming = undefined;
    this.#spare?.client.end();
    this.#forget();
  }

  /** Ends every runner that waits; none is started any more. */
  close(): void {
    this.#closed = true;
    this.drop();
    void this.#takeBare()?.then((client) => client?.end());
  }

  #forget(): void {
    clearTimeout(this.#spare?.timer);
    this.#spare = undefined;
  }
}

function keyOf(job: RunnerJob): string {
  const { kernel, workingDirectory } = job;
  const env = Object.entries(kernel.env).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([{ ...kernel, env }, workingDirectory]))
    .digest('hex');
}
