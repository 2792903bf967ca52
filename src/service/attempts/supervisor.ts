import * as os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { endMessage, type EndMessage } from '../../execution/end-message';
import type { KnownCause } from '../../execution/execution';
import { isTerminal } from '../../execution/states';
import { EXIT_NOT_BEGUN, NotBegunError } from '../../protocol/claim';
import type { Completion } from '../../recording/recovery';
import { deferred } from '../../system/deferred';
import type { ProcessExit } from '../../system/process-tree';
import { processStartTime } from '../../system/processes';
import { RunnerJobSchema, type RunnerJob, type RunnerStatus } from '../../protocol/runner-job';
import { exists } from '../../system/programs';
import { failure, runnerEnd, type Said } from './attempt-end';
import {
  claimant,
  jobIfReadable,
  readJob,
  readStatus,
  retryFile,
  vanished,
  withdraw,
} from '../executions/attempt-files';
import { waitsForDisk } from './disk-wait';
import type { Entry } from '../executions/entry';
import { ExecutionEnding } from './execution-ending';
import { isStorageError, readIfExists, replaceFile } from '../../system/files';
import type { FolderStore } from '../executions/folder-store';
import { killGroup } from '../../system/processes';
import { merge, now, type ExecutionRecord } from '../executions/record';
import { endRuntime, RunnerClient } from '../runners/runner-client';
import { makeRuntimeDirectory, spawnRunner, type RunnerLauncher } from '../runners/runner-process';
import type { SpareKeeper } from '../runners/spare-keeper';
import { completeOnThread } from '../thread';

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly store: FolderStore;
  readonly launcher: RunnerLauncher;
  readonly spares: SpareKeeper;
  /** This run of this machine, see system/processes.ts. */
  readonly boot: string;
  /** How long a runner that is asked to cancel may take before it is ended by force, milliseconds. */
  readonly cancelMs: number;
  readonly log: (message: string) => void;
}

/** How long a runner that a former service had just asked for may take to show itself, milliseconds. */
const START_MS = 10_000;

/** How long it may take from the end of a runner's connection until it is known how its process ended, milliseconds. */
const EXIT_MS = 1000;

/**
 * Sees to the attempts of executions: starts or adopts a runner, follows it, and makes of its end the end of the
 * execution. Whatever happens, a record ends up final or QUEUED again.
 */
export class Supervisor {
  readonly #ending: ExecutionEnding;

  constructor(private readonly options: SupervisorOptions) {
    this.#ending = new ExecutionEnding(options.store, options.log);
  }

  /** Runs one attempt. Resolves when the record is final, or QUEUED for another attempt; never rejects. */
  async run(entry: Entry): Promise<void> {
    const { record } = entry;
    record.state = 'PREPARING';
    record.history = [...record.history, { state: 'PREPARING', time: now() }];
    // Why it had to wait.
    const { message: _message, detail: _detail, ...runStatus } = record.runStatus ?? {};
    record.runStatus = runStatus;
    await this.#guard(entry, async () => {
      const job = readJob(this.options.store, record);
      const gone = await vanished(job);
      if (gone !== undefined) {
        await this.#complete(record);
        await this.#ending.end(entry, { state: 'FAILED', ...failure(record, 'kernelNotFound', gone) });
        return;
      }
      // Nothing can be running: what a former attempt left behind would be taken for this one's.
      const cleared = this.options.store.clearAttempt(record.id);
      const [taken] = await Promise.all([this.options.spares.take(job), cleared]);
      const spare = taken?.client;
      record.runtime = spare?.runtime ?? makeRuntimeDirectory(this.options.launcher.runtimeRoot);
      record.host = os.hostname();
      record.boot = this.options.boot;
      await this.options.store.save(record).catch((error: unknown) => {
        spare?.end();
        throw error;
      });
      let exit: ProcessExit | undefined;
      let runner = spare;
      let ended: Promise<unknown> | undefined;
      if (spare === undefined) {
        const files = this.options.store;
        ended = spawnRunner(
          this.options.launcher,
          record.runtime,
          files.file(record.id, 'job'),
          files.file(record.id, 'runnerLog'),
        ).ended.then((reason) => {
          exit = reason;
        });
        runner = await RunnerClient.connectWhenUp(record.runtime, () => exit !== undefined);
      } else {
        const { forkServer } = taken ?? {};
        spare.send({ type: 'run', job: this.options.store.file(record.id, 'job'), forkServer });
      }
      const last = runner === undefined ? undefined : await this.#follow(entry, runner);
      // The system closes its connection a moment before it says how it ended.
      if (last === undefined && ended !== undefined) {
        await Promise.race([ended, delay(EXIT_MS, undefined, { ref: false })]);
      }
      if (exit?.code === EXIT_NOT_BEGUN) throw new NotBegunError('the disk takes nothing');
      // A runner that waited may have ended before it was given this job: another one runs it.
      if (last === undefined && spare !== undefined && (await withdraw(this.options.store, record))) {
        await this.#begunByNone(entry);
        return;
      }
      await this.#settle(entry, last, runnerEnd(exit), job);
    });
  }

  /** Takes over an attempt that a former service had started; resolves like {@link run}. */
  async adopt(entry: Entry): Promise<void> {
    const { record } = entry;
    await this.#guard(entry, async () => {
      const job = jobIfReadable(this.options.store, record);
      const runtime = record.boot === this.options.boot ? record.runtime : undefined;
      const runner = runtime === undefined ? undefined : await this.#reconnect(record, runtime);
      const last = runner === undefined ? undefined : await this.#follow(entry, runner);
      // It never began: it was not yet started, or waited for this job and left when the former service was gone.
      if (last === undefined && (await withdraw(this.options.store, record))) {
        await this.#begunByNone(entry);
        return;
      }
      await this.#settle(entry, last, endMessage('runnerUnwatched'), job);
    });
  }

  /** Connects to a runner that may be at work, may just be coming up, or may be gone. */
  async #reconnect(record: ExecutionRecord, runtime: string): Promise<RunnerClient | undefined> {
    // Since it was asked for, not since this service began: services that are killed again and again must not add up.
    const age = Date.now() - Date.parse(record.history.at(-1)?.time ?? '');
    const deadline = performance.now() + (age >= 0 && age < START_MS ? START_MS - age : 0);
    for (;;) {
      const runner = await RunnerClient.connect(runtime);
      if (runner !== undefined || performance.now() > deadline || !(await exists(runtime))) return runner;
      // A runner claims the attempt, with its process id, a moment before it listens.
      const pid = await claimant(this.options.store, record);
      if (pid !== undefined && (await processStartTime(pid)) === undefined) return undefined;
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
    const pid = await claimant(this.options.store, record);
    if (runner === undefined || pid === undefined) return;
    this.options.log(`${record.id}: its runner does not react and is ended`);
    // As long as the connection is open the process lives, so that its id is nobody else's.
    process.kill(pid, 'SIGKILL');
  }

  /**
   * Resolves when the runner says that it is done, with what it says then, or is gone. The last status is not shown yet:
   * the output may still have to be put into its place.
   */
  async #follow(entry: Entry, runner: RunnerClient): Promise<RunnerStatus | undefined> {
    const { record } = entry;
    entry.runner = runner;
    void runner.cleanUp();
    const ended = deferred<RunnerStatus>();
    const onStatus = (status: RunnerStatus): void => {
      if (status.attempt !== record.attempt) return;
      if (isTerminal(status.state)) {
        ended.resolve(status);
      } else {
        entry.status = status;
        record.updateTime = now();
      }
    };
    runner.on('status', onStatus);
    if (record.cancelTime !== undefined) this.cancel(entry);
    const last = await Promise.race([ended.promise, runner.closed.then(() => undefined)]);
    runner.off('status', onStatus);
    entry.runner = undefined;
    this.options.spares.giveBack(runner);
    return last;
  }

  /** Makes the attempt's end of what its runner said last, or left behind. */
  async #settle(
    entry: Entry,
    last: RunnerStatus | undefined,
    reason: EndMessage,
    job: RunnerJob | undefined,
  ): Promise<void> {
    const { record } = entry;
    const status = last ?? readStatus(this.options.store, record, this.options.log);
    const isEnd = status?.attempt === record.attempt && isTerminal(status.state);
    const end = isEnd ? status : await this.#lost(entry, status, reason);
    if (end === undefined) return;
    // It may have ended before this service reached it: then nobody waits for its connection to close.
    if (last === undefined && record.runtime !== undefined) await endRuntime(record.runtime);
    if (end.runStatus.cause === 'kernelNotReady' && (await this.#retry(entry, end))) return;
    await this.#ending.end(entry, merge(record, end));
    if (job !== undefined) void this.options.spares.prepare(job).catch(this.#report('spare'));
  }

  /**
   * Makes the end of an attempt whose runner is gone without a last status.
   * @returns how it had ended by its journal; undefined where it had not, and the end is made.
   */
  async #lost(
    entry: Entry,
    status: RunnerStatus | undefined,
    reason: EndMessage,
  ): Promise<RunnerStatus | undefined> {
    const { record } = entry;
    this.options.log(`${record.id}: attempt ${record.attempt} lost: ${reason.message}`);
    if (record.runtime !== undefined) await endRuntime(record.runtime);
    if (await withdraw(this.options.store, record)) {
      // It never began, so that nothing but its start went wrong.
      await this.#endWithout(entry, 'serviceError', reason);
      return undefined;
    }
    if (status?.kernelProcess !== undefined) await killGroup(status.kernelProcess);
    await this.options.store
      .removeUnfinished(record.id)
      .catch(this.#report(`${record.id}: unfinished files`));
    const completion = await this.#complete(record);
    if (completion?.isDamaged === true) {
      const warnings = [...(record.runStatus?.warnings ?? []), { code: 'journalDamaged' }];
      record.runStatus = { ...record.runStatus, warnings };
    }
    if (completion?.end?.attempt === record.attempt) return completion.end;
    if (record.cancelTime === undefined && (await this.#retry(entry, status))) return undefined;
    await this.#endWithout(entry, 'hostLost', reason, status);
    return undefined;
  }

  /** Ends an execution of whose end no runner tells: FAILED with this cause, or CANCELLED where that was asked for. */
  async #endWithout(entry: Entry, cause: KnownCause, said: Said, status?: RunnerStatus): Promise<void> {
    const { record } = entry;
    const end =
      record.cancelTime === undefined
        ? { state: 'FAILED', ...failure(record, cause, said, status) }
        : { state: 'CANCELLED', ...failure(record, 'cancelled', said, status) };
    await this.#ending.end(entry, end);
  }

  async #complete({ id }: ExecutionRecord): Promise<Completion | undefined> {
    try {
      return await completeOnThread(this.options.store.folder(id));
    } catch (error) {
      this.options.log(`${id}: output: ${String(error)}`);
      return undefined;
    }
  }

  /** No runner has begun the attempt, nor will one: it waits for its turn again, or was cancelled meanwhile. */
  async #begunByNone(entry: Entry): Promise<void> {
    const { record } = entry;
    if (record.runtime !== undefined) await endRuntime(record.runtime);
    if (record.cancelTime === undefined) await this.#requeue(entry, record.attempt);
    else await this.#endWithout(entry, 'cancelled', {});
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
    delete record.runtime;
    record.history.push({ state: 'QUEUED', time: record.updateTime });
    await this.options.store.save(record);
  }

  /** An error of the service's own, too, is the end of the attempt and is told. */
  async #guard(entry: Entry, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.options.log(
        `${entry.record.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      if (await waitsForDisk(entry, error, this.options.store)) return;
      const cause = isStorageError(error) ? 'outputNotWritable' : 'serviceError';
      const failed = failure(entry.record, cause, { message: String(error) }, entry.status);
      await this.#ending.end(entry, { state: 'FAILED', ...failed }).catch(this.#report(entry.record.id));
    }
  }

  #report(what: string): (error: unknown) => void {
    return (error) => {
      this.options.log(`${what}: ${String(error)}`);
    };
  }
}
