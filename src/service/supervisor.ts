import { readFile, rm, stat } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ExecutionWarning, KnownCause } from '../execution/execution';
import { isTerminal } from '../execution/states';
import { RunnerJobSchema, RunnerStatusSchema, type RunnerJob, type RunnerStatus } from '../runner/job';
import { createFile, errorCode, readIfExists, replaceFile } from './files';
import type { FolderStore } from './folder-store';
import { isExecutable } from './kernelspecs';
import { placeOutput } from './output';
import { killGroup, processStartTime } from './processes';
import { merge, now, type ExecutionRecord, type Merged } from './record';
import {
  makeRuntimeDirectory,
  removeRuntime,
  RunnerClient,
  spawnRunner,
  type RunnerLauncher,
} from './runner-client';
import type { SpareKeeper } from './spare-keeper';
import { pathOfUri } from './input';
import { completeOnThread } from './worker';

/** An execution in memory: its record, and while it runs what its runner said last. */
export interface Entry {
  readonly record: ExecutionRecord;
  status?: RunnerStatus | undefined;
  runner?: RunnerClient | undefined;
}

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly store: FolderStore;
  readonly launcher: RunnerLauncher;
  readonly spares: SpareKeeper;
  /** This run of this machine, see processes.ts. */
  readonly boot: string;
  /** How long a runner that is asked to cancel may take before it is ended by force, milliseconds. */
  readonly cancelMs: number;
  readonly log: (message: string) => void;
}

/** How long a runner that a former service had just asked for may take to show itself, milliseconds. */
const START_MS = 10_000;
/** Wait before a record that could not be written is written again, milliseconds. */
const RETRY_MS = 5_000;

/**
 * Sees to the attempts of executions: starts or adopts a runner, follows it, and makes of its end the end of the
 * execution. Whatever happens, a record ends up final or QUEUED again.
 */
export class Supervisor {
  constructor(private readonly options: SupervisorOptions) {}

  /** Runs one attempt. Resolves when the record is final, or QUEUED for another attempt; never rejects. */
  async run(entry: Entry): Promise<void> {
    const { record } = entry;
    record.state = 'PREPARING';
    record.history.push({ state: 'PREPARING', time: now() });
    await this.#guard(entry, async () => {
      const job = await this.#readJob(record);
      const gone = await vanished(job);
      if (gone !== undefined) {
        await this.#end(entry, { state: 'FAILED', ...this.#failure(record, 'kernelNotFound', gone) });
        return;
      }
      const spare = await this.options.spares.take(job);
      record.runtime = spare?.runtime ?? (await makeRuntimeDirectory(this.options.launcher.runtimeRoot));
      record.host = os.hostname();
      record.boot = this.options.boot;
      // Nothing can be running: what a former attempt left behind would be taken for this one's.
      await this.options.store.clearAttempt(record.id);
      await this.options.store.save(record);
      let exit: string | undefined;
      let runner = spare;
      if (spare === undefined) {
        const files = this.options.store;
        void spawnRunner(
          this.options.launcher,
          record.runtime,
          files.file(record.id, 'job'),
          files.file(record.id, 'runnerLog'),
        ).then((reason) => {
          exit = reason;
        });
        runner = await RunnerClient.connectWhenUp(record.runtime, () => exit !== undefined);
      } else {
        spare.send({ type: 'run', job: this.options.store.file(record.id, 'job') });
      }
      const last = runner === undefined ? undefined : await this.#follow(entry, runner);
      await this.#settle(entry, last, exit ?? 'the runner ended', job);
    });
  }

  /** Takes over an attempt that a former service had started; resolves like {@link run}. */
  async adopt(entry: Entry): Promise<void> {
    const { record } = entry;
    await this.#guard(entry, async () => {
      const job = await this.#readJob(record).catch(() => undefined);
      const runtime = record.boot === this.options.boot ? record.runtime : undefined;
      const runner = runtime === undefined ? undefined : await this.#reconnect(record.id, runtime);
      if (runner === undefined && (await this.#withdraw(record))) {
        await this.#requeue(entry, record.attempt);
        return;
      }
      const last = runner === undefined ? undefined : await this.#follow(entry, runner);
      await this.#settle(entry, last, 'the runner ended while no service watched', job);
    });
  }

  /** Connects to a runner that may be at work, may just be coming up, or may be gone. */
  async #reconnect(id: string, runtime: string): Promise<RunnerClient | undefined> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const runner = await RunnerClient.connect(runtime);
      if (runner !== undefined || Date.now() > deadline || !(await exists(runtime))) return runner;
      // A runner claims the attempt, with its process id, a moment before it listens.
      const claim = await readIfExists(this.options.store.file(id, 'claim'));
      if (claim !== undefined && (await processStartTime(Number(claim))) === undefined) return undefined;
      await delay(50);
    }
  }

  /** Asks the runner to cancel, if there is one; {@link run} asks when it comes up later. */
  cancel(entry: Entry): void {
    const { runner } = entry;
    runner?.send({ type: 'cancel' });
    const timer = setTimeout(() => {
      if (entry.runner === runner) this.#force(entry).catch(this.#report(entry.record.id));
    }, this.options.cancelMs);
    timer.unref();
  }

  /** Ends a runner that does not react; that it is gone is then the end of the attempt. */
  async #force({ record, runner }: Entry): Promise<void> {
    const claim = await readIfExists(this.options.store.file(record.id, 'claim'));
    if (runner === undefined || claim === undefined) return;
    this.options.log(`${record.id}: its runner does not react and is ended`);
    // As long as the connection is open the process lives, so that its id is nobody else's.
    process.kill(Number(claim), 'SIGKILL');
  }

  /**
   * Resolves when the runner says that it is done, with what it says then, or is gone. The last status is not shown yet:
   * the output may still have to be put into its place.
   */
  async #follow(entry: Entry, runner: RunnerClient): Promise<RunnerStatus | undefined> {
    const { record } = entry;
    entry.runner = runner;
    runner.once('close', () => {
      void removeRuntime(runner.runtime);
    });
    const ended = new Promise<RunnerStatus | undefined>((resolve) => {
      runner.once('close', () => {
        resolve(undefined);
      });
      runner.on('status', (status) => {
        if (status.attempt !== record.attempt) return;
        if (isTerminal(status.state)) {
          resolve(status);
        } else {
          entry.status = status;
          record.updateTime = now();
        }
      });
    });
    if (record.cancelTime !== undefined) this.cancel(entry);
    const last = await ended;
    entry.runner = undefined;
    return last;
  }

  /** Makes the attempt's end of what its runner said last, or left behind. */
  async #settle(
    entry: Entry,
    last: RunnerStatus | undefined,
    reason: string,
    job: RunnerJob | undefined,
  ): Promise<void> {
    const { record } = entry;
    const status = last ?? (await this.readStatus(record));
    if (status?.attempt !== record.attempt || !isTerminal(status.state)) {
      await this.#lost(entry, status, reason);
      return;
    }
    if (status.runStatus.cause === 'kernelNotReady' && (await this.#retry(entry, status))) return;
    await this.#end(entry, merge(record, status));
    if (job !== undefined) void this.options.spares.prepare(job).catch(this.#report('spare'));
  }

  async #lost(entry: Entry, status: RunnerStatus | undefined, reason: string): Promise<void> {
    const { record } = entry;
    this.options.log(`${record.id}: attempt ${record.attempt} lost: ${reason}`);
    if (record.runtime !== undefined) await removeRuntime(record.runtime);
    if (await this.#withdraw(record)) {
      // It never began, so that nothing but its start went wrong.
      await this.#end(entry, {
        state: 'FAILED',
        ...this.#failure(record, 'serviceError', `runner: ${reason}`),
      });
      return;
    }
    if (status?.kernelProcess !== undefined) await killGroup(status.kernelProcess);
    await completeOnThread(this.options.store.folder(record.id)).catch(this.#report(`${record.id}: output`));
    if (record.cancelTime !== undefined) {
      await this.#end(entry, { state: 'CANCELLED', ...this.#failure(record, 'cancelled', reason, status) });
    } else if (!(await this.#retry(entry, status))) {
      await this.#end(entry, { state: 'FAILED', ...this.#failure(record, 'hostLost', reason, status) });
    }
  }

  /** Another attempt after a failure of the machinery, where the execution may have one. */
  async #retry(entry: Entry, status: RunnerStatus | undefined): Promise<boolean> {
    const { record } = entry;
    const { store } = this.options;
    if (record.cancelTime !== undefined || record.attempt >= (record.runOptions.maxAttempts ?? 1))
      return false;
    const kept = await readIfExists(retryFile(store, record.id));
    if (kept === undefined) return false;
    const job = RunnerJobSchema.parse(JSON.parse(kept));
    const { history } = merge(record, status);
    record.history = history;
    await replaceFile(store.file(record.id, 'job'), JSON.stringify({ ...job, attempt: record.attempt + 1 }));
    await this.#requeue(entry, record.attempt + 1);
    return true;
  }

  async #requeue(entry: Entry, attempt: number): Promise<void> {
    const { record } = entry;
    entry.status = undefined;
    Object.assign(record, { attempt, state: 'QUEUED', updateTime: now() });
    if (record.runtime !== undefined) await removeRuntime(record.runtime);
    delete record.runtime;
    record.history.push({ state: 'QUEUED', time: record.updateTime });
    await this.options.store.save(record);
  }

  /** True when this call has made sure that the attempt will never run; false when a runner had begun it. */
  async #withdraw(record: ExecutionRecord): Promise<boolean> {
    try {
      await createFile(this.options.store.file(record.id, 'claim'), 'withdrawn');
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  #failure(
    record: ExecutionRecord,
    cause: KnownCause,
    message: string,
    status?: RunnerStatus,
  ): Omit<Merged, 'state'> {
    const merged = merge(record, status);
    return { history: merged.history, runStatus: { ...merged.runStatus, cause, message } };
  }

  /** Ends the execution: the output is in its place and the record on disk before anybody is shown the final state. */
  async #end(
    entry: Entry,
    { state, history, runStatus: { history: _history, ...runStatus } }: Merged,
  ): Promise<void> {
    const { record } = entry;
    const { store } = this.options;
    const time = now();
    const warnings: ExecutionWarning[] = [...(runStatus.warnings ?? [])];
    const placed = await this.#place(record, warnings);
    // They hold the person's environment; whoever sees the end must not find them.
    for (const file of [store.file(record.id, 'job'), retryFile(store, record.id)])
      await rm(file, { force: true });
    const final: Partial<ExecutionRecord> = {
      state,
      updateTime: time,
      outputNotebookFile: placed ?? record.outputNotebookFile,
      history: history.at(-1)?.state === state ? history : [...history, { state, time }],
      runStatus: {
        startTime: record.history.findLast((each) => each.state === 'PREPARING')?.time,
        endTime: time,
        ...runStatus,
        attempt: record.attempt,
        host: record.host,
        ...(warnings.length === 0 ? {} : { warnings }),
      },
    };
    const { runtime: _runtime, ...rest } = record;
    const show = (): void => {
      Object.assign(record, final);
      delete record.runtime;
      entry.status = undefined;
    };
    // What the runner left on disk already says the same, and a restart would come to this same end.
    const known = placed === undefined && isTerminal((await this.readStatus(record))?.state);
    if (known) show();
    await this.#persist({ ...rest, ...final });
    if (!known) show();
    // What was asked for meanwhile was perhaps written over the end.
    if (record.cancelTime !== rest.cancelTime || record.deleteTime !== rest.deleteTime)
      await this.#persist(record);
  }

  async #place(record: ExecutionRecord, warnings: ExecutionWarning[]): Promise<string | undefined> {
    const uri = record.executionTemplate.outputNotebookFolder;
    const output = this.options.store.file(record.id, 'output');
    if (uri === undefined || !(await exists(output))) return undefined;
    const folder = pathOfUri(uri, 'outputNotebookFolder');
    try {
      return pathToFileURL(await placeOutput(output, folder, record)).href;
    } catch (error) {
      this.options.log(`${record.id}: output not placed: ${String(error)}`);
      warnings.push({ code: 'outputNotPlaced', args: [folder, errorCode(error) ?? String(error)] });
      return undefined;
    }
  }

  /** Saves a final record, now or as soon as the disk takes it: what memory says is true already. */
  async #persist(record: ExecutionRecord): Promise<void> {
    try {
      await this.options.store.save(record);
    } catch (error) {
      if (record.deleteTime !== undefined && errorCode(error) === 'ENOENT') return;
      this.options.log(`${record.id}: record not written, again in ${RETRY_MS} ms: ${String(error)}`);
      setTimeout(() => void this.#persist(record), RETRY_MS).unref();
    }
  }

  /** An error of the service's own, too, is the end of the attempt and is told. */
  async #guard(entry: Entry, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.options.log(
        `${entry.record.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      const failure = this.#failure(entry.record, 'serviceError', String(error), entry.status);
      await this.#end(entry, { state: 'FAILED', ...failure }).catch(this.#report(entry.record.id));
    }
  }

  #report(what: string): (error: unknown) => void {
    return (error) => {
      this.options.log(`${what}: ${String(error)}`);
    };
  }

  async #readJob(record: ExecutionRecord): Promise<RunnerJob> {
    return RunnerJobSchema.parse(
      JSON.parse(await readFile(this.options.store.file(record.id, 'job'), 'utf8')),
    );
  }

  /** What the runner of an execution left in its status.json. */
  async readStatus(record: ExecutionRecord): Promise<RunnerStatus | undefined> {
    const text = await readIfExists(this.options.store.file(record.id, 'status'));
    try {
      return text === undefined ? undefined : RunnerStatusSchema.parse(JSON.parse(text));
    } catch (error) {
      this.options.log(`${record.id}: status.json is of no use: ${String(error)}`);
      return undefined;
    }
  }
}

/** A second copy of the job, 0600, for executions that may have more than one attempt: the runner deletes the first. */
export function retryFile(store: FolderStore, id: string): string {
  return path.join(store.folder(id), 'retry.json');
}

/** What of a kernel that was there at create is gone. */
async function vanished({ kernel }: RunnerJob): Promise<string | undefined> {
  const [command] = kernel.argv;
  if (command !== undefined && path.isAbsolute(command) && !(await isExecutable(command)))
    return `${command} is gone`;
  if (kernel.resourceDir !== undefined && !(await exists(kernel.resourceDir)))
    return `${kernel.resourceDir} is gone`;
  return undefined;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
