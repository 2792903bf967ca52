import * as os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { endMessage, type EndMessage } from '../../execution/end-message';
import type { KnownCause } from '../../execution/execution';
import { isTerminal } from '../../execution/states';
import { EXIT_NOT_STARTED, NotStartedError } from '../../protocol/claim';
import type { Completion } from '../../recording/recovery';
import { deferred } from '../../system/deferred';
import type { ProcessExit } from '../../system/process-tree';
import type { RunnerJob, RunnerStatus } from '../../protocol/runner-job';
import { failure, runnerEnd, type EndReason } from './attempt-end';
import {
  claimant,
  jobIfReadable,
  readJob,
  readStatus,
  vanished,
  withdraw,
} from '../executions/attempt-files';
import { waitsForDisk } from './disk-wait';
import { queueAttempt, queueNextAttempt } from './next-attempt';
import { reconnect } from './reconnect';
import type { Entry } from '../executions/entry';
import { ExecutionEnding } from './execution-ending';
import { isStorageError } from '../../system/files';
import type { FolderStore } from '../executions/folder-store';
import { killGroup } from '../../system/processes';
import { merge, now, type ExecutionRecord } from '../executions/record';
import { endRuntime, RunnerClient } from '../runners/runner-client';
import { makeRuntimeDirectory, spawnRunner, type RunnerLauncher } from '../runners/runner-process';
import type { RunnerPool } from '../runners/runner-pool';
import { completeOnThread } from '../thread';

/** Dependencies of a {@link Supervisor}. */
export interface SupervisorOptions {
  readonly store: FolderStore;
  readonly launcher: RunnerLauncher;
  readonly runnerPool: RunnerPool;
  /** Boot id of this machine, see system/processes.ts. */
  readonly boot: string;
  /** Time for a runner to cancel before it is killed, milliseconds. */
  readonly cancelMs: number;
  readonly log: (message: string) => void;
}

/** How long to wait for a runner's exit status after its connection has closed, milliseconds. */
const EXIT_MS = 1000;

/**
 * Supervises the attempts of executions: starts or adopts a runner, follows it, and derives the execution's end from
 * the runner's end. In every case the record ends up final or QUEUED again.
 */
export class Supervisor {
  private readonly ending: ExecutionEnding;

  constructor(private readonly options: SupervisorOptions) {
    this.ending = new ExecutionEnding(options.store, options.log);
  }

  /** Runs one attempt. Resolves when the record is final, or QUEUED for another attempt; never rejects. */
  async run(entry: Entry): Promise<void> {
    const { record } = entry;
    record.state = 'PREPARING';
    record.history = [...record.history, { state: 'PREPARING', time: now() }];
    // Remove the message that says why it had to wait.
    const { message: _message, detail: _detail, ...runStatus } = record.runStatus ?? {};
    record.runStatus = runStatus;
    await this.guard(entry, async () => {
      const job = readJob(this.options.store, record);
      const gone = await vanished(job);
      if (gone !== undefined) {
        await this.complete(record);
        await this.ending.end(entry, { state: 'FAILED', ...failure(record, 'kernelNotFound', gone) });
        return;
      }
      // No runner runs this execution now: files of a previous attempt would be mistaken for this one's.
      const cleared = this.options.store.clearAttempt(record.id);
      const [acquired] = await Promise.all([this.options.runnerPool.acquire(job), cleared]);
      const pooled = acquired?.client;
      record.runtime = pooled?.runtime ?? makeRuntimeDirectory(this.options.launcher.runtimeRoot);
      record.host = os.hostname();
      record.boot = this.options.boot;
      await this.options.store.save(entry).catch((error: unknown) => {
        pooled?.end();
        throw error;
      });
      let exit: ProcessExit | undefined;
      let runner = pooled;
      let ended: Promise<unknown> | undefined;
      if (pooled === undefined) {
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
        const { forkServer } = acquired ?? {};
        pooled.send({ type: 'run', job: this.options.store.file(record.id, 'job'), forkServer });
      }
      const last = runner === undefined ? undefined : await this.follow(entry, runner);
      // The connection closes a moment before the exit status is known.
      if (last === undefined && ended !== undefined)
        await Promise.race([ended, delay(EXIT_MS, undefined, { ref: false })]);
      if (exit?.code === EXIT_NOT_STARTED)
        throw new NotStartedError('the runner could not write to the disk');
      // An idle runner may have ended before it received this job: another one will run it.
      if (last === undefined && pooled !== undefined && (await withdraw(this.options.store, record))) {
        await this.requeueOrCancel(entry);
        return;
      }
      await this.settle(entry, last, runnerEnd(exit), job);
    });
  }

  /** Takes over an attempt that a previous service started; resolves like {@link run}. */
  async adopt(entry: Entry): Promise<void> {
    const { record } = entry;
    await this.guard(entry, async () => {
      const job = jobIfReadable(this.options.store, record);
      const runtime = record.boot === this.options.boot ? record.runtime : undefined;
      const runner = runtime === undefined ? undefined : await reconnect(this.options.store, record, runtime);
      const last = runner === undefined ? undefined : await this.follow(entry, runner);
      // It never started: there was no runner, or an idle runner exited with the previous service.
      if (last === undefined && (await withdraw(this.options.store, record))) {
        await this.requeueOrCancel(entry);
        return;
      }
      await this.settle(entry, last, endMessage('runnerUnwatched'), job);
    });
  }

  /** Asks the runner, if there is one, to cancel. If it connects later, {@link run} asks it. */
  cancel(entry: Entry): void {
    const { runner } = entry;
    runner?.send({ type: 'cancel' });
    const timer = setTimeout(() => {
      if (entry.runner === runner) this.force(entry).catch(this.report(entry.record.id));
    }, this.options.cancelMs);
    timer.unref();
  }

  /** Kills a runner that does not respond. Its end is then the end of the attempt. */
  private async force({ record, runner }: Entry): Promise<void> {
    const pid = await claimant(this.options.store, record);
    if (runner === undefined || pid === undefined) return;
    this.options.log(`${record.id}: its runner does not respond and is killed`);
    // While the connection is open the process is alive, so its id cannot belong to another process.
    process.kill(pid, 'SIGKILL');
  }

  /**
   * Resolves with the runner's final status, or with undefined if its connection closes first. The final status is not
   * shown yet: the output may still have to be placed.
   */
  private async follow(entry: Entry, runner: RunnerClient): Promise<RunnerStatus | undefined> {
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
    this.options.runnerPool.release(runner);
    return last;
  }

  /** Derives the attempt's end from the runner's final status, or from its files on disk. */
  private async settle(
    entry: Entry,
    last: RunnerStatus | undefined,
    reason: EndMessage,
    job: RunnerJob | undefined,
  ): Promise<void> {
    const { record } = entry;
    const status = last ?? readStatus(this.options.store, record, this.options.log);
    const isEnd = status?.attempt === record.attempt && isTerminal(status.state);
    const end = isEnd ? status : await this.lost(entry, status, reason);
    if (end === undefined) return;
    // It may have ended before this service connected to it: then nothing else removes its runtime directory.
    if (last === undefined && record.runtime !== undefined) await endRuntime(record.runtime);
    if (end.runStatus.cause === 'kernelNotReady' && (await queueNextAttempt(this.options.store, entry, end)))
      return;
    await this.ending.end(entry, merge(record, end));
    if (job !== undefined)
      void this.options.runnerPool.ensureSpare(job).catch(this.report('cannot start a spare kernel'));
  }

  /**
   * Handles an attempt whose runner is gone without a final status.
   * @returns the end that its journal holds; undefined if it holds none and the execution was ended or queued here.
   */
  private async lost(
    entry: Entry,
    status: RunnerStatus | undefined,
    reason: EndMessage,
  ): Promise<RunnerStatus | undefined> {
    const { record } = entry;
    this.options.log(`${record.id}: attempt ${record.attempt} ended without a result: ${reason.message}`);
    if (record.runtime !== undefined) await endRuntime(record.runtime);
    if (await withdraw(this.options.store, record)) {
      // It never started, so only its start has failed.
      await this.endWithout(entry, 'serviceError', reason);
      return undefined;
    }
    if (status?.kernelProcess !== undefined) await killGroup(status.kernelProcess);
    await this.options.store
      .removeUnfinished(record.id)
      .catch(this.report(`${record.id}: cannot remove unfinished files`));
    const completion = await this.complete(record);
    if (completion?.isDamaged === true) {
      const warnings = [...(record.runStatus?.warnings ?? []), { code: 'journalDamaged' }];
      record.runStatus = { ...record.runStatus, warnings };
    }
    if (completion?.end?.attempt === record.attempt) return completion.end;
    if (record.cancelTime === undefined && (await queueNextAttempt(this.options.store, entry, status)))
      return undefined;
    await this.endWithout(entry, 'hostLost', reason, status);
    return undefined;
  }

  /** Ends an execution whose runner reported no end: FAILED with this cause, or CANCELLED if that was requested. */
  private async endWithout(
    entry: Entry,
    cause: KnownCause,
    reason: EndReason,
    status?: RunnerStatus,
  ): Promise<void> {
    const { record } = entry;
    const end =
      record.cancelTime === undefined
        ? { state: 'FAILED', ...failure(record, cause, reason, status) }
        : { state: 'CANCELLED', ...failure(record, 'cancelled', reason, status) };
    await this.ending.end(entry, end);
  }

  private async complete({ id }: ExecutionRecord): Promise<Completion | undefined> {
    try {
      return await completeOnThread(this.options.store.folder(id));
    } catch (error) {
      this.options.log(`${id}: cannot complete the output: ${String(error)}`);
      return undefined;
    }
  }

  /** No runner has started the attempt, and none will: queues it again, or ends it if it was cancelled meanwhile. */
  private async requeueOrCancel(entry: Entry): Promise<void> {
    const { record } = entry;
    if (record.runtime !== undefined) await endRuntime(record.runtime);
    if (record.cancelTime === undefined) await queueAttempt(this.options.store, entry, record.attempt);
    else await this.endWithout(entry, 'cancelled', {});
  }

  /** Runs one attempt's work. An error of the service itself also ends the attempt, with its message. */
  private async guard(entry: Entry, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.options.log(
        `${entry.record.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      if (await waitsForDisk(entry, error, this.options.store)) return;
      const cause = isStorageError(error) ? 'outputNotWritable' : 'serviceError';
      const failed = failure(entry.record, cause, { message: String(error) }, entry.status);
      await this.ending.end(entry, { state: 'FAILED', ...failed }).catch(this.report(entry.record.id));
    }
  }

  private report(what: string): (error: unknown) => void {
    return (error) => {
      this.options.log(`${what}: ${String(error)}`);
    };
  }
}
