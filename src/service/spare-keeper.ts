import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import type { RunnerJob } from '../runner/job';
import { fingerprintOf, filesLoadedBy } from './python';
import {
  makeRuntimeDirectory,
  removeRuntime,
  RunnerClient,
  spawnRunner,
  type RunnerLauncher,
} from './runner-client';

/** A spare that nobody took is ended after this time. */
const IDLE_MS = 10 * 60 * 1000;

interface Spare {
  readonly client: RunnerClient;
  readonly key: string;
  readonly files: readonly string[];
  readonly fingerprint: string;
  readonly timer: NodeJS.Timeout;
  ready: boolean;
}

/**
 * Keeps at most one runner whose kernel is started ahead, for the next execution with the same kernel, environment and
 * working directory. It never ran code; it is given up when it has waited long, or when what the kernel loaded changed.
 */
export class SpareKeeper {
  #spare: Spare | undefined;
  /** Counts up with each `prepare` and `drop`, so that a spare that comes up too late is not kept. */
  #turn = 0;

  constructor(
    private readonly launcher: RunnerLauncher,
    /** Folder for logs of spares, on the file system of the executions. */
    private readonly logs: string,
    /** Whether spares are wanted; asked anew each time. */
    private readonly wanted: () => boolean,
  ) {}

  /** True when a spare is there whose kernel has answered. */
  get ready(): boolean {
    return this.#spare?.ready === true;
  }

  /** Hands out the spare if it fits the job; the caller now owns it. */
  async take(job: RunnerJob): Promise<RunnerClient | undefined> {
    const spare = this.#spare;
    if (spare?.ready !== true || spare.key !== keyOf(job)) return undefined;
    this.#spare = undefined;
    clearTimeout(spare.timer);
    if ((await fingerprintOf(spare.files)) === spare.fingerprint) return spare.client;
    spare.client.end();
    return undefined;
  }

  /** Starts a spare like the kernel of this job, in place of one for another kind of job. */
  async prepare(job: RunnerJob): Promise<void> {
    if (this.#spare?.key === keyOf(job)) return;
    this.drop();
    if (!this.wanted() || job.memoryLimitBytes !== undefined) return;
    const turn = this.#turn;
    const files = await filesLoadedBy(job.kernel);
    if (files === undefined || turn !== this.#turn) return;
    const fingerprint = await fingerprintOf(files);
    const runtime = await makeRuntimeDirectory(this.launcher.runtimeRoot);
    let exited = false;
    const kernelLog = path.join(this.logs, `spare-${path.basename(runtime)}.log`);
    const runnerLog = path.join(this.logs, 'spare-runner.log');
    await rm(runnerLog, { force: true });
    void spawnRunner(this.launcher, runtime, undefined, runnerLog).then(() => {
      exited = true;
    });
    const client = await RunnerClient.connectWhenUp(runtime, () => exited);
    if (client === undefined) return removeRuntime(runtime);
    client.once('close', () => {
      if (this.#spare?.client === client) this.#forget();
      void removeRuntime(runtime);
      // Where the runner was taken it is the execution's by now.
      void rm(kernelLog, { force: true }).catch(() => undefined);
    });
    if (turn !== this.#turn) {
      client.end();
      return;
    }
    const timer = setTimeout(() => {
      this.drop();
    }, IDLE_MS);
    timer.unref();
    const spare: Spare = { client, key: keyOf(job), files, fingerprint, timer, ready: false };
    this.#spare = spare;
    client.once('ready', () => {
      spare.ready = true;
    });
    client.send({ type: 'prepare', kernel: job.kernel, workingDirectory: job.workingDirectory, kernelLog });
  }

  /** Ends the spare, if there is one. */
  drop(): void {
    this.#turn++;
    this.#spare?.client.end();
    this.#forget();
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
