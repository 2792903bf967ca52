import * as fs from 'node:fs';
import * as path from 'node:path';
import { endMessage, type EndMessage } from '../execution/end-message';
import type { CellRef, ExecutionWarning, RunStatus } from '../execution/execution';
import { stringifyJson } from '../notebook/json-writer';
import { tagsOf, type CodeCell } from '../notebook/model';
import { deferred, elapsed } from '../system/deferred';
import { cellsToRun, firstLineOf } from './cells';
import {
  kernelDied,
  kernelNotReady,
  messageOf,
  notRunnable,
  notWritten,
  stateAfter,
  withoutColours,
  type Ending,
  type StopReason,
} from './ending';
import { errorOf, errorOfUnsendable, notSent, unsendableIn } from './cell-reply';
import type { RunnerJob } from '../protocol/runner-job';
import { FILES } from '../protocol/execution-folder';
import { IdleWait, type IdleTimeouts } from './idle-wait';
import type { ExecuteReply, ExecuteRequest, KernelClient, KernelExit } from './kernel/kernel-client';
import { isCleanExit, pagedIn } from './kernel/payloads';
import { outOfMemoryKills } from '../system/processes';
import { MemoryWatcher } from './memory-watcher';
import { readInputNotebook } from './input-notebook';
import { RunRecording, type RecordingFileSystems } from '../recording/run-recording';
import type { StatusReporter } from './status-reporter';

/** How long a run waits, milliseconds. */
export interface RunTimeouts extends IdleTimeouts {
  /** For the running cell after an interrupt, and for the kernel's end after a stop; then the kernel is killed. */
  readonly interrupt: number;
  /** For the end of the kernel after the last cell: threads, exit handlers, open files. Then it is killed. */
  readonly end: number;
}
export const RUN_TIMEOUTS: RunTimeouts = { interrupt: 5000, end: 10_000, idle: 4000, transfer: 60_000 };

/**
 * If the kernel takes longer than this to end, milliseconds, the outputs are saved meanwhile. A quicker end is waited
 * for, so that the notebook is written once and not twice. Nothing is lost by that: the journal has every output.
 */
const SAVE_DELAY = 100;

/** Settings and replacements for tests. */
export interface RunDependencies extends RecordingFileSystems {
  readonly timeouts: RunTimeouts;
  /** OOM kills so far. */
  readonly outOfMemoryKills?: () => number | undefined;
  /** Whether almost no memory is left. */
  readonly isMemoryShort?: () => boolean;
}

/** Runs one notebook on one kernel, from the notebook's bytes to the final status. */
export class NotebookRun {
  private readonly stopping = deferred<StopReason>();
  private stopReason: StopReason | undefined;
  private stopMessage: Partial<EndMessage> = {};
  private isOver = false;
  private readonly warnings: ExecutionWarning[] = [];
  private recording: RunRecording | undefined;
  private exit: KernelExit | undefined;
  private readonly idleWait: IdleWait;

  constructor(
    private readonly job: RunnerJob,
    private readonly kernel: KernelClient,
    private readonly reporter: StatusReporter,
    private readonly options: RunDependencies = { timeouts: RUN_TIMEOUTS },
  ) {
    kernel.onIopub = (message) => {
      this.recording?.receive(message);
    };
    void kernel.exited.then((exit) => (this.exit = exit));
    this.idleWait = new IdleWait(kernel, options.timeouts);
  }

  /** Asks the run to stop; the first reason counts. Has no effect once the run is over. */
  stop(reason: StopReason, message: Partial<EndMessage> = {}): void {
    if (this.stopReason !== undefined || this.isOver) return;
    this.stopReason = reason;
    this.stopMessage = message;
    if (reason === 'cancelled') this.reporter.enter('CANCELLING', now());
    this.stopping.resolve(reason);
  }

  /** Runs the notebook. Afterwards the kernel has ended, the outputs are saved and the final state is reported. */
  async run(): Promise<void> {
    const { job, kernel } = this;
    const pid = kernel.launched.process.pid;
    const oomKills = this.options.outOfMemoryKills ?? outOfMemoryKills;
    const killsBefore = oomKills();
    const memory =
      pid === undefined
        ? undefined
        : new MemoryWatcher(
            pid,
            job.memoryLimitBytes,
            () => {
              this.stop('outOfMemory', endMessage('memoryLimit', { bytes: job.memoryLimitBytes ?? 0 }));
            },
            this.options.isMemoryShort,
          );
    const timer =
      job.timeout === undefined
        ? undefined
        : setTimeout(() => {
            this.stop('timeout');
          }, job.timeout * 1000);
    let ending = await this.prepareAndRunCells();
    if (this.exit === undefined) await elapsed(kernel.differences.lateStreams);
    if (ending.cause === 'kernelDied' && this.exit?.signal === 'SIGKILL') {
      const kills = oomKills();
      const wasKilled = kills !== undefined && killsBefore !== undefined && kills > killsBefore;
      // Short memory counts too: the system may not count OOM kills, or count them elsewhere.
      if (wasKilled || memory?.wasShort === true) ending = { ...ending, cause: 'outOfMemory' };
    }
    ending = await this.endKernel(ending);
    clearTimeout(timer);
    memory?.stop();
    this.recording?.warnOfLosses();
    const end = now();
    const changes = (): RunStatus => ({
      endTime: end,
      ...(ending.cause && { cause: ending.cause }),
      ...(ending.message && { message: ending.message }),
      ...(ending.detail && { detail: ending.detail }),
      ...(ending.cell && { cell: ending.cell }),
      ...(memory?.peakBytes !== undefined && { peakMemoryBytes: memory.peakBytes }),
      ...(this.warnings.length > 0 && { warnings: this.warnings }),
    });
    try {
      const status = this.reporter.after(ending.state, end, changes());
      const failed = ending.state !== 'SUCCEEDED';
      this.recording?.record({ type: 'runEnded', time: end, failed, status });
      await this.recording?.save();
    } catch (error) {
      const { cell } = ending;
      ending = { ...notWritten(error), ...(cell && { cell }) };
    }
    this.isOver = true;
    this.reporter.enter(ending.state, end, changes());
    // The journal is needed until the end is in status.json.
    const isSafe = this.reporter.notWritten === undefined && ending.cause !== 'outputNotWritable';
    this.recording?.close(isSafe);
  }

  /**
   * Ends the kernel after the last cell that was run. What the notebook left behind is part of the run: threads, exit
   * handlers, and files that are written when they are closed. A run that is stopped meanwhile no longer waits for
   * them.
   */
  private async endKernel(ending: Ending): Promise<Ending> {
    const { kernel, options } = this;
    const { interrupt, end } = options.timeouts;
    const hadExited = this.exit !== undefined;
    const wasStopped = this.stopReason !== undefined;
    const ended = wasStopped ? kernel.shutDown(interrupt) : kernel.shutDown(end, this.stopping.promise);
    const endedSoon = await Promise.race([ended.then(() => true), elapsed(SAVE_DELAY).then(() => false)]);
    if (!endedSoon) await this.recording?.saveSoFar();
    const hasEnded = await ended;
    if (this.stopReason !== undefined)
      return ending.state === 'SUCCEEDED' ? this.stoppedEnding(this.stopReason) : ending;
    if (!hasEnded) this.warnings.push({ code: 'kernelNotEnded', args: [String(end / 1000)] });
    else if (!hadExited && this.exit?.signal)
      this.warnings.push({ code: 'kernelEndFailed', args: [this.exit.signal] });
    return ending;
  }

  private async prepareAndRunCells(): Promise<Ending> {
    let prepared;
    try {
      prepared = await readInputNotebook(fs.readFileSync(path.join(this.job.folder, FILES.input)), this.job);
    } catch (error) {
      return notRunnable(error);
    }
    this.warnings.push(...prepared.warnings);
    const { notebook, description } = prepared;
    const cells = cellsToRun(notebook);
    const notWritable = (error: unknown): void => {
      this.stop('outputNotWritable', { message: messageOf(error) });
    };
    let recording;
    try {
      recording = new RunRecording(this.job.folder, notebook, this.warnings, notWritable, this.options);
    } catch (error) {
      return notWritten(error);
    }
    this.recording = recording;
    const time = this.reporter.status.runStatus.startTime ?? now();
    recording.record({ type: 'runStarted', time, description });
    this.reporter.update({ progress: { totalCells: cells.length, completedCells: 0 } });

    const readyTimer = setTimeout(() => {
      this.stop('kernelNotReady', kernelNotReady(this.job, this.kernel.foreignMessages));
    }, this.job.kernelTimeout * 1000);
    const info = await Promise.race([this.kernel.ready, this.stopping.promise, this.kernel.exited]);
    clearTimeout(readyTimer);
    if (this.stopReason !== undefined) return this.stoppedEnding(this.stopReason);
    if (this.exit) return kernelDied(this.job, this.exit);
    if (typeof info === 'object' && 'language_info' in info)
      recording.record({ type: 'kernelAnswered', languageInfo: stringifyJson(info['language_info'] ?? {}) });
    this.reporter.enter('RUNNING', now());

    for (const [done, [index, cell]] of cells.entries()) {
      const progress = { totalCells: cells.length, completedCells: done };
      const ending = await this.runCell(recording, index, cell, progress);
      if (ending) return ending;
    }
    this.reporter.update({ progress: { totalCells: cells.length, completedCells: cells.length } });
    return { state: 'SUCCEEDED' };
  }

  /** Runs a cell. @returns how the run ends after it; undefined if the run continues. */
  private async runCell(
    recording: RunRecording,
    index: number,
    cell: CodeCell,
    progress: { totalCells: number; completedCells: number },
  ): Promise<Ending | undefined> {
    if (this.stopReason !== undefined) return this.stoppedEnding(this.stopReason);
    if (this.exit) return kernelDied(this.job, this.exit);
    const startTime = now();
    const unsendable = unsendableIn(cell.source);
    const error = unsendable && errorOfUnsendable(unsendable);
    const execution = error ? notSent(error) : this.kernel.execute(cell.source);
    recording.record({ type: 'cellStarted', index, requestId: execution.requestId, time: startTime });
    if (error) recording.recordOutput(execution.requestId, error);
    const firstLine = firstLineOf(cell.source);
    this.reporter.update({ progress: { ...progress, cell: { index, id: cell.id, firstLine, startTime } } });
    const timer =
      this.job.cellTimeout === undefined
        ? undefined
        : setTimeout(() => {
            this.stop('cellTimeout');
          }, this.job.cellTimeout * 1000);
    // A cell that has replied is in time, even if its outputs arrive later.
    void execution.replied.then(() => {
      clearTimeout(timer);
    });
    const finished = this.cellFinished(recording, index, execution);
    const reply = await this.replyUnlessStopped(finished);
    clearTimeout(timer);
    for (const update of recording.takeWidgetUpdates()) this.kernel.sendComm(stringifyJson(update));
    const ending = this.endingAfter(recording, index, cell, reply);
    // An interrupted cell may reply `ok`, for example if it ran a shell command that was cut off.
    const wasCut = ending !== undefined && ending.state !== 'SUCCEEDED';
    const failed = wasCut || (reply?.status !== 'ok' && !(reply && isCleanExit(reply)));
    recording.record({ type: 'cellEnded', index, time: now(), failed });
    if (reply?.status === 'error') await elapsed(this.kernel.differences.abortsAfterError);
    return ending;
  }

  /** Resolves when the cell is finished: reply and idle message. An aborted cell has no idle message. */
  private async cellFinished(
    recording: RunRecording,
    index: number,
    execution: ExecuteRequest,
  ): Promise<ExecuteReply> {
    const reply = await execution.replied;
    if (reply.date !== undefined) recording.recordStep(index, 'shell.execute_reply', reply.date);
    if (typeof reply.execution_count === 'number')
      recording.record({ type: 'cellCount', index, count: reply.execution_count });
    if (reply.status !== 'ok' && reply.status !== 'error') return reply;
    if (!(await this.idleWait.hasArrived(execution)))
      this.warnings.push({ code: 'idleMissing', args: [String(index)] });
    for (const data of pagedIn(reply))
      recording.recordOutput(execution.requestId, { output_type: 'display_data', data, metadata: {} });
    recording.cellAnswered(index);
    return reply;
  }

  /** The reply, or undefined if there will be none: the kernel is dead or was killed. */
  private async replyUnlessStopped(finished: Promise<ExecuteReply>): Promise<ExecuteReply | undefined> {
    const ended = this.kernel.exited.then(() => undefined);
    const first = await Promise.race([finished, ended, this.stopping.promise]);
    if (typeof first === 'object') return first;
    if (first !== undefined) {
      if (first === 'outOfMemory') this.kernel.kill();
      else this.kernel.interrupt();
      const reply = await Promise.race([finished, ended, elapsed(this.options.timeouts.interrupt)]);
      if (reply) return reply;
      this.kernel.kill();
      await ended;
    }
    // Messages that it sent before it died are still arriving.
    await this.kernel.drained();
    return Promise.race([finished, Promise.resolve(undefined)]);
  }

  private endingAfter(
    recording: RunRecording,
    index: number,
    cell: CodeCell,
    reply: ExecuteReply | undefined,
  ): Ending | undefined {
    const ref: CellRef = { index, id: cell.id };
    if (this.stopReason !== undefined) return { ...this.stoppedEnding(this.stopReason), cell: ref };
    if (!reply) {
      return {
        ...kernelDied(this.job, this.exit ?? { code: null, signal: null, wasLost: false }),
        cell: ref,
      };
    }
    if (isCleanExit(reply)) return { state: 'SUCCEEDED' };
    if (reply.status === 'ok') return undefined;
    const { name: errorName, value } = errorOf(reply, recording.lastErrorOf(index));
    const allowed =
      this.job.allowErrors ||
      this.job.allowErrorNames.includes(errorName) ||
      tagsOf(cell).includes('raises-exception');
    if (allowed) return undefined;
    const errorValue = withoutColours(value);
    const failure = { ...unsendableIn(cell.source), cell: { ...ref, errorName, errorValue } };
    return { state: 'FAILED', cause: 'cellError', ...failure };
  }

  private stoppedEnding(reason: StopReason): Ending {
    return { state: stateAfter(reason), cause: reason, ...this.stopMessage };
  }
}

function now(): string {
  return new Date().toISOString();
}
