import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerJob } from '../../protocol/runner-job';
import { removeRuntime } from '../../protocol/runtime-directory';
import { filesFingerprint, filesLoadedBy } from '../create/python-kernel';
import { RunnerClient } from './runner-client';
import { startWaitingRunner, type RunnerLauncher, type StartedRunner } from './runner-process';

/** A spare that is not used for this long is replaced by a runner without a kernel, milliseconds. */
const IDLE_MS = 10 * 60 * 1000;

/** How long an execution waits for a runner that is about to become free, milliseconds. */
const SOON_MS = 2000;

/** A runner that waits for its job with a started kernel. */
interface Spare {
  readonly client: RunnerClient;
  readonly key: string;
  readonly files: readonly string[];
  readonly fingerprint: string;
  readonly timer: NodeJS.Timeout;
  ready: boolean;
}

/** A runner for an execution. */
export interface TakenRunner {
  readonly client: RunnerClient;
  /** See ControlRequestSchema. Only set if the runner has run a job before. */
  readonly forkServer?: string | undefined;
}

/**
 * Keeps runners ready for the next executions. The first is a runner without a kernel, which saves an execution the
 * start of Node. After a run it gets a kernel, for the next execution with the same kernel, environment and working
 * directory. That kernel has never run code. It is ended when it has waited long, or when files that it loaded have
 * changed. While executions are waiting for others to end, runners are passed from one to the next, and fork their
 * kernels.
 */
export class SpareKeeper {
  /** Waiting runners without a kernel, most recently used first. */
  private readonly bare: Promise<RunnerClient | undefined>[] = [];
  /** Runners that this service started: they report at once whether they can run another job. */
  private readonly own = new WeakSet<RunnerClient>();
  /** Runners that have run a job. */
  private readonly used = new WeakSet<RunnerClient>();
  /** Runtime directories of runners that were started here and have not ended. */
  private readonly runtimeDirectories = new Set<string>();
  private spare: Spare | undefined;
  /** Key of the spare that is being started. */
  private coming: string | undefined;
  /** Files that kernels with this key load; looked up once for a queue of such jobs. */
  private loaded: { readonly key: string; readonly files: Promise<string[] | undefined> } | undefined;
  /** Increases with each `prepare` and `drop`, so that a spare that is ready too late is not kept. */
  private turn = 0;
  private closed = false;

  constructor(
    private readonly launcher: RunnerLauncher,
    /** Folder for logs of spares, on the same file system as the executions. */
    private readonly logs: string,
    /** Whether kernels may be started ahead or forked; read anew each time. */
    private readonly wanted: () => boolean,
    /**
     * How many executions wait for others to end; read anew each time. While there are any, no kernel is started ahead:
     * it would take processor time from the running ones.
     */
    private readonly waiting: () => number,
  ) {}

  /** Runtime directories in use, including those of runners that do not listen yet. */
  get runtimes(): ReadonlySet<string> {
    return this.runtimeDirectories;
  }

  /** True if there is a spare whose kernel has answered. */
  get ready(): boolean {
    return this.spare?.ready === true;
  }

  /**
   * Starts a runner that waits for its job, unless there is one.
   * @param started a runner that was already started.
   */
  standBy(started?: StartedRunner): void {
    if (this.closed || this.bare.length > 0 || this.spare !== undefined) return;
    this.addBare(this.start(started).catch(() => undefined));
  }

  private addBare(bare: Promise<RunnerClient | undefined>): void {
    this.bare.unshift(bare);
    void bare.then(async (client) => {
      await client?.closed;
      const at = this.bare.indexOf(bare);
      if (at >= 0) void this.bare.splice(at, 1);
    });
  }

  /**
   * Hands out the spare if its kernel fits the job, else a runner without a kernel if there is one. The caller owns it.
   */
  async take(job: RunnerJob): Promise<TakenRunner | undefined> {
    const spare = this.spare;
    if (spare?.ready !== true || spare.key !== keyOf(job)) {
      let client: RunnerClient | undefined;
      while (client === undefined && this.bare.length > 0) client = await this.bare.shift();
      if (client === undefined) {
        if (this.waiting() > 0) this.standBy();
        return undefined;
      }
      return { client, forkServer: this.used.has(client) ? await this.forkServerFor(job) : undefined };
    }
    this.forget();
    if ((await filesFingerprint(spare.files)) === spare.fingerprint) return { client: spare.client };
    spare.client.end();
    return undefined;
  }

  /**
   * Name of the fork server for kernels like this job's. It changes when files that these kernels load have changed.
   */
  private async forkServerFor(job: RunnerJob): Promise<string | undefined> {
    if (!this.wanted() || job.memoryLimitBytes !== undefined) return undefined;
    const key = keyOf(job);
    if (this.loaded?.key !== key) this.loaded = { key, files: filesLoadedBy(job.kernel) };
    const files = await this.loaded.files;
    return files && `${key} ${await filesFingerprint(files)}`;
  }

  /**
   * Takes back a runner whose job has just ended. It is kept for the next execution if it can run another job, and
   * ended if it is not needed. The next execution may take it before the runner has reported that it is free.
   */
  giveBack(client: RunnerClient): void {
    const isNeeded = this.waiting() > 0 || (this.spare === undefined && this.bare.length === 0);
    const freed = client.freed.then((isFree) => {
      if (isFree) this.used.add(client);
      if (isFree && (this.closed || !isNeeded)) client.end();
      return isFree && isNeeded ? client : undefined;
    });
    if (!this.own.has(client) || !isNeeded) {
      void freed.then((runner) => {
        if (runner !== undefined) this.addBare(Promise.resolve(runner));
      });
      return;
    }
    const soon = Promise.race([freed, delay(SOON_MS, undefined, { ref: false })]);
    this.addBare(soon);
    void soon.then(async (runner) => {
      // It reported too late: nothing waits for it any more.
      if (runner === undefined) (await freed)?.end();
    });
  }

  private endBare(): void {
    for (const bare of this.bare.splice(0)) void bare.then((client) => client?.end());
  }

  /** Starts a spare with the kernel of this job, replacing one for another kind of job. */
  async prepare(job: RunnerJob): Promise<void> {
    const key = keyOf(job);
    if (this.spare?.key === key || this.coming === key) return;
    this.drop();
    const turn = this.turn;
    this.coming = key;
    try {
      await this.startSpare(job, key, turn);
    } finally {
      if (turn === this.turn) this.coming = undefined;
    }
  }

  private async startSpare(job: RunnerJob, key: string, turn: number): Promise<void> {
    const takesKernel = this.wanted() && this.waiting() === 0 && job.memoryLimitBytes === undefined;
    const files = takesKernel ? await filesLoadedBy(job.kernel) : undefined;
    if (files === undefined) {
      this.standBy();
      return;
    }
    this.loaded = undefined;
    const fingerprint = await filesFingerprint(files);
    if (turn !== this.turn) return;
    const client = (await this.bare.shift()) ?? (await this.start());
    if (client === undefined) return;
    if (turn !== this.turn) {
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
    this.spare = spare;
    if (this.waiting() === 0) this.endBare();
    client.once('ready', () => {
      spare.ready = true;
    });
    void client.closed.then(() => {
      if (this.spare === spare) this.forget();
      // If the runner was taken, the log has been moved to the execution's folder.
      void rm(kernelLog, { force: true }).catch(() => undefined);
    });
    client.send({ type: 'prepare', kernel: job.kernel, workingDirectory: job.workingDirectory, kernelLog });
  }

  private async start(
    { runtime, ended }: StartedRunner = startWaitingRunner(this.launcher, this.logs),
  ): Promise<RunnerClient | undefined> {
    this.runtimeDirectories.add(runtime);
    const forget = async (): Promise<void> => {
      this.runtimeDirectories.delete(runtime);
      await removeRuntime(runtime);
    };
    let exited = false;
    void ended.then(() => {
      exited = true;
    });
    const client = await RunnerClient.connectWhenUp(runtime, () => exited);
    if (client === undefined) {
      await forget();
      return undefined;
    }
    this.own.add(client);
    void client.cleanUp().then(() => this.runtimeDirectories.delete(runtime));
    return client;
  }

  /** Ends the spare, if there is one. */
  drop(): void {
    this.turn++;
    this.coming = undefined;
    this.spare?.client.end();
    this.forget();
  }

  /** Ends all waiting runners; no more are started. */
  close(): void {
    this.closed = true;
    this.drop();
    this.endBare();
  }

  private forget(): void {
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
