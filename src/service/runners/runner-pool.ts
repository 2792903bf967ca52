import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerJob } from '../../protocol/runner-job';
import { removeRuntime } from '../../protocol/runtime-directory';
import { filesFingerprint, filesLoadedBy } from '../create/python-kernel';
import { RunnerClient } from './runner-client';
import { startIdleRunner, type RunnerLauncher, type StartedRunner } from './runner-process';

/** A spare kernel that is not used for this long is replaced by an idle runner, milliseconds. */
const SPARE_IDLE_MS = 10 * 60 * 1000;

/** How long an execution waits for a runner that is about to become free, milliseconds. */
const FREE_TIMEOUT_MS = 2000;

/** A kernel that was started before its execution, and the runner that started it. */
interface SpareKernel {
  readonly client: RunnerClient;
  readonly key: string;
  readonly files: readonly string[];
  readonly fingerprint: string;
  readonly timer: NodeJS.Timeout;
  ready: boolean;
}

/** A runner for an execution. */
export interface AcquiredRunner {
  readonly client: RunnerClient;
  /** See ControlRequestSchema. Only set if the runner has run a job before. */
  readonly forkServer?: string | undefined;
}

/**
 * Runners that are ready for the next executions. At first there is one idle runner: a process without a kernel, which
 * saves an execution the start of Node. After a run it starts a spare kernel, for the next execution with the same
 * kernel, environment and working directory. A spare kernel has never run code. It is ended if it is not used for long,
 * or if files that it loaded have changed. While executions are queued, each runner goes from one execution to the
 * next, and forks their kernels.
 */
export class RunnerPool {
  /** Idle runners, which have no kernel; most recently used first. */
  private readonly idle: Promise<RunnerClient | undefined>[] = [];
  /** Runners that this service started: they report at once whether they can run another job. */
  private readonly startedHere = new WeakSet<RunnerClient>();
  /** Runners that have run a job. */
  private readonly used = new WeakSet<RunnerClient>();
  /** Runtime directories of runners that were started here and have not ended. */
  private readonly runtimeDirectories = new Set<string>();
  private spare: SpareKernel | undefined;
  /** Key of the spare kernel that is being started. */
  private startingKey: string | undefined;
  /** Files that kernels with this key load; looked up once for a queue of such jobs. */
  private loaded: { readonly key: string; readonly files: Promise<string[] | undefined> } | undefined;
  /** Increases with each `ensureSpare` and `endSpare`, so that a spare kernel that starts too late is not kept. */
  private generation = 0;
  private closed = false;

  constructor(
    private readonly launcher: RunnerLauncher,
    /** Folder for logs of spare kernels, on the same file system as the executions. */
    private readonly logs: string,
    /** Whether kernels may be started ahead or forked; read again each time. */
    private readonly isSpareEnabled: () => boolean,
    /**
     * Number of queued executions; read again each time. While there are any, no kernel is started ahead:
     * it would take processor time from the running ones.
     */
    private readonly queued: () => number,
  ) {}

  /** Runtime directories in use, including those of runners that do not listen yet. */
  get runtimes(): ReadonlySet<string> {
    return this.runtimeDirectories;
  }

  /** True if there is a spare kernel that has answered. */
  get ready(): boolean {
    return this.spare?.ready === true;
  }

  /**
   * Starts an idle runner unless there is one.
   * @param started a runner that was already started.
   */
  ensureIdleRunner(started?: StartedRunner): void {
    if (this.closed || this.idle.length > 0 || this.spare !== undefined) return;
    this.addIdle(this.start(started).catch(() => undefined));
  }

  private addIdle(runner: Promise<RunnerClient | undefined>): void {
    this.idle.unshift(runner);
    void runner.then(async (client) => {
      await client?.closed;
      const at = this.idle.indexOf(runner);
      if (at >= 0) void this.idle.splice(at, 1);
    });
  }

  /**
   * Hands out the runner of the spare kernel if this fits the job, else an idle runner if there is one. The caller owns
   * it.
   */
  async acquire(job: RunnerJob): Promise<AcquiredRunner | undefined> {
    const spare = this.spare;
    if (spare?.ready !== true || spare.key !== keyOf(job)) {
      let client: RunnerClient | undefined;
      while (client === undefined && this.idle.length > 0) client = await this.idle.shift();
      if (client === undefined) {
        if (this.queued() > 0) this.ensureIdleRunner();
        return undefined;
      }
      return { client, forkServer: this.used.has(client) ? await this.forkServerFor(job) : undefined };
    }
    this.forgetSpare();
    if ((await filesFingerprint(spare.files)) === spare.fingerprint) return { client: spare.client };
    spare.client.end();
    return undefined;
  }

  /**
   * Name of the fork server for kernels like this job's. It changes when files that these kernels load have changed.
   */
  private async forkServerFor(job: RunnerJob): Promise<string | undefined> {
    if (!this.isSpareEnabled() || job.memoryLimitBytes !== undefined) return undefined;
    const key = keyOf(job);
    if (this.loaded?.key !== key) this.loaded = { key, files: filesLoadedBy(job.kernel) };
    const files = await this.loaded.files;
    return files && `${key} ${await filesFingerprint(files)}`;
  }

  /**
   * Takes back a runner whose job has just ended. It is kept for the next execution if it can run another job, and
   * ended if it is not needed. The next execution may take it before the runner has reported that it is free.
   */
  release(client: RunnerClient): void {
    const isWanted = this.queued() > 0 || (this.spare === undefined && this.idle.length === 0);
    const freed = client.freed.then((isFree) => {
      if (isFree) this.used.add(client);
      if (isFree && (this.closed || !isWanted)) client.end();
      return isFree && isWanted ? client : undefined;
    });
    if (!this.startedHere.has(client) || !isWanted) {
      void freed.then((runner) => {
        if (runner !== undefined) this.addIdle(Promise.resolve(runner));
      });
      return;
    }
    const runner = Promise.race([freed, delay(FREE_TIMEOUT_MS, undefined, { ref: false })]);
    this.addIdle(runner);
    void runner.then(async (runner) => {
      // It reported too late: no execution waits for it any more.
      if (runner === undefined) (await freed)?.end();
    });
  }

  private endIdle(): void {
    for (const runner of this.idle.splice(0)) void runner.then((client) => client?.end());
  }

  /** Starts a spare kernel for jobs like this one, replacing one for another kind of job. */
  async ensureSpare(job: RunnerJob): Promise<void> {
    const key = keyOf(job);
    if (this.spare?.key === key || this.startingKey === key) return;
    this.endSpare();
    const generation = this.generation;
    this.startingKey = key;
    try {
      await this.startSpare(job, key, generation);
    } finally {
      if (generation === this.generation) this.startingKey = undefined;
    }
  }

  private async startSpare(job: RunnerJob, key: string, generation: number): Promise<void> {
    const takesKernel = this.isSpareEnabled() && this.queued() === 0 && job.memoryLimitBytes === undefined;
    const files = takesKernel ? await filesLoadedBy(job.kernel) : undefined;
    if (files === undefined) {
      this.ensureIdleRunner();
      return;
    }
    this.loaded = undefined;
    const fingerprint = await filesFingerprint(files);
    if (generation !== this.generation) return;
    const client = (await this.idle.shift()) ?? (await this.start());
    if (client === undefined) return;
    if (generation !== this.generation) {
      client.end();
      return;
    }
    const kernelLog = path.join(this.logs, `spare-${path.basename(client.runtime)}.log`);
    const timer = setTimeout(() => {
      this.endSpare();
      this.ensureIdleRunner();
    }, SPARE_IDLE_MS);
    timer.unref();
    const spare: SpareKernel = { client, key, files, fingerprint, timer, ready: false };
    this.spare = spare;
    if (this.queued() === 0) this.endIdle();
    client.once('ready', () => {
      spare.ready = true;
    });
    void client.closed.then(() => {
      if (this.spare === spare) this.forgetSpare();
      // If the runner was acquired, the log has been moved to the execution's folder.
      void rm(kernelLog, { force: true }).catch(() => undefined);
    });
    client.send({ type: 'prepare', kernel: job.kernel, workingDirectory: job.workingDirectory, kernelLog });
  }

  private async start(
    { runtime, ended }: StartedRunner = startIdleRunner(this.launcher, this.logs),
  ): Promise<RunnerClient | undefined> {
    this.runtimeDirectories.add(runtime);
    const cleanUp = async (): Promise<void> => {
      this.runtimeDirectories.delete(runtime);
      await removeRuntime(runtime);
    };
    let exited = false;
    void ended.then(() => {
      exited = true;
    });
    const client = await RunnerClient.connectWhenUp(runtime, () => exited);
    if (client === undefined) {
      await cleanUp();
      return undefined;
    }
    this.startedHere.add(client);
    void client.cleanUp().then(() => this.runtimeDirectories.delete(runtime));
    return client;
  }

  /** Ends the spare kernel, if there is one. */
  endSpare(): void {
    this.generation++;
    this.startingKey = undefined;
    this.spare?.client.end();
    this.forgetSpare();
  }

  /** Ends all runners that have no job; no more are started. */
  close(): void {
    this.closed = true;
    this.endSpare();
    this.endIdle();
  }

  private forgetSpare(): void {
    clearTimeout(this.spare?.timer);
    this.spare = undefined;
  }
}

function keyOf(job: RunnerJob): string {
  const { kernel, workingDirectory } = job;
  const env = Object.entries(kernel.env).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([{ ...kernel, env }, workingDirectory]))
    .digest('hex');
}
