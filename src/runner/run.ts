import * as fs from 'node:fs';
import * as path from 'node:path';
import { endMessage, type EndMessage } from '../execution/end-message';
import type { ExecutionWarning, RunStatus } from '../execution/execution';
import { stringifyJson } from '../notebook/json-writer';
import { elapsed } from '../system/deferred';
import { cellsToRun } from './cells';
import {
  kernelDied,
  kernelNotReady,
  messageOf,
  notRunnable,
  notWritten,
  type Ending,
  type StopReason,
} from './ending';
import { CellRunner, type CellTimeouts } from './cell-runner';
import type { RunnerJob } from '../protocol/runner-job';
import { FILES } from '../protocol/execution-folder';
import type { KernelClient } from './kernel/kernel-client';
import { outOfMemoryKills } from '../system/processes';
import { MemoryWatcher } from './memory-watcher';
import { readInputNotebook } from './input-notebook';
import { RunRecording, type RecordingFileSystems } from '../recording/run-recording';
import { RunStop } from './run-stop';
import type { StatusReporter } from './status-reporter';

/** How long a run waits, milliseconds. */
export interface RunTimeouts extends CellTimeouts {
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
  private readonly stopping = new RunStop();
  private isOver = false;
  private readonly warnings: ExecutionWarning[] = [];
  private recording: RunRecording | undefined;

  constructor(
    private readonly job: RunnerJob,
    private readonly kernel: KernelClient,
    private readonly reporter: StatusReporter,
    private readonly options: RunDependencies = { timeouts: RUN_TIMEOUTS },
  ) {
    kernel.onIopub = (message) => {
      this.recording?.receive(message);
    };
  }

  /** Asks the run to stop; the first reason counts. Has no effect once the run is over. */
  stop(reason: StopReason, message: Partial<EndMessage> = {}): void {
    if (this.isOver || !this.stopping.request(reason, message)) return;
    if (reason === 'cancelled') this.reporter.enter('CANCELLING', now());
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
    let ending = await this.readAndRunCells();
    if (this.kernel.exit === undefined) await elapsed(kernel.differences.lateStreams);
    if (ending.cause === 'kernelDied' && this.kernel.exit?.signal === 'SIGKILL') {
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
    const hadExited = this.kernel.exit !== undefined;
    const wasStopped = this.stopping.reason !== undefined;
    const ended = wasStopped ? kernel.shutDown(interrupt) : kernel.shutDown(end, this.stopping.requested);
    const endedSoon = await Promise.race([ended.then(() => true), elapsed(SAVE_DELAY).then(() => false)]);
    if (!endedSoon) await this.recording?.saveSoFar();
    const hasEnded = await ended;
    const stopped = this.stopping.ending();
    if (stopped !== undefined) return ending.state === 'SUCCEEDED' ? stopped : ending;

    if (!hasEnded) this.warnings.push({ code: 'kernelNotEnded', args: [String(end / 1000)] });
    else if (!hadExited && this.kernel.exit?.signal)
      this.warnings.push({ code: 'kernelEndFailed', args: [this.kernel.exit.signal] });
    return ending;
  }

  private async readAndRunCells(): Promise<Ending> {
    let input;
    try {
      input = await readInputNotebook(fs.readFileSync(path.join(this.job.folder, FILES.input)), this.job);
    } catch (error) {
      return notRunnable(error);
    }
    this.warnings.push(...input.warnings);
    const { notebook, description } = input;
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
    const info = await Promise.race([this.kernel.ready, this.stopping.requested, this.kernel.exited]);
    clearTimeout(readyTimer);
    const stopped = this.stopping.ending();
    if (stopped !== undefined) return stopped;
    if (this.kernel.exit) return kernelDied(this.job, this.kernel.exit);
    if (typeof info === 'object' && 'language_info' in info)
      recording.record({ type: 'kernelAnswered', languageInfo: stringifyJson(info['language_info'] ?? {}) });
    this.reporter.enter('RUNNING', now());

    const runner = new CellRunner({
      job: this.job,
      kernel: this.kernel,
      reporter: this.reporter,
      recording,
      stop: this.stopping,
      warnings: this.warnings,
      timeouts: this.options.timeouts,
    });
    for (const [done, [index, cell]] of cells.entries()) {
      const progress = { totalCells: cells.length, completedCells: done };
      const ending = await runner.run(index, cell, progress);
      if (ending) return ending;
    }
    this.reporter.update({ progress: { totalCells: cells.length, completedCells: cells.length } });
    return { state: 'SUCCEEDED' };
  }
}

function now(): string {
  return new Date().toISOString();
}
