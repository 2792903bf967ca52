import type { CellRef, ExecutionWarning } from '../execution/execution';
import { stringifyJson } from '../notebook/json-writer';
import { tagsOf, type CodeCell } from '../notebook/model';
import type { RunnerJob } from '../protocol/runner-job';
import type { RunRecording } from '../recording/run-recording';
import { elapsed } from '../system/deferred';
import { errorOf, errorOfUnsendable, notSent, unsendableIn } from './cell-reply';
import { firstLineOf } from './cells';
import { kernelDied, withoutColours, type Ending } from './ending';
import { IdleWait, type IdleTimeouts } from './idle-wait';
import type { ExecuteReply, ExecuteRequest, KernelClient } from './kernel/kernel-client';
import { isCleanExit, pagedIn } from './kernel/payloads';
import type { RunStop } from './run-stop';
import type { StatusReporter } from './status-reporter';

/** How long the end of a cell may take, milliseconds. */
export interface CellTimeouts extends IdleTimeouts {
  /** For the running cell after an interrupt, and for the kernel's end after a stop; then the kernel is killed. */
  readonly interrupt: number;
}

/** The parts of a run that its cells need. */
interface CellContext {
  readonly job: RunnerJob;
  readonly kernel: KernelClient;
  readonly reporter: StatusReporter;
  readonly recording: RunRecording;
  readonly stop: RunStop;
  /** Receives warnings about cells. */
  readonly warnings: ExecutionWarning[];
  readonly timeouts: CellTimeouts;
}

/** Runs the cells of a notebook one at a time: sends each to the kernel, waits for its end, and derives the result. */
export class CellRunner {
  private readonly idleWait: IdleWait;

  constructor(private readonly context: CellContext) {
    this.idleWait = new IdleWait(context.kernel, context.timeouts);
  }

  /** Runs a cell. @returns how the run ends after it; undefined if the run continues. */
  async run(
    index: number,
    cell: CodeCell,
    progress: { totalCells: number; completedCells: number },
  ): Promise<Ending | undefined> {
    const { job, kernel, reporter, recording, stop } = this.context;
    if (stop.reason !== undefined) return stop.ending();
    if (kernel.exit) return kernelDied(job, kernel.exit);
    const startTime = new Date().toISOString();
    const unsendable = unsendableIn(cell.source);
    const error = unsendable && errorOfUnsendable(unsendable);
    const execution = error ? notSent(error) : kernel.execute(cell.source);
    recording.record({ type: 'cellStarted', index, requestId: execution.requestId, time: startTime });
    if (error) recording.recordOutput(execution.requestId, error);
    const firstLine = firstLineOf(cell.source);
    reporter.update({ progress: { ...progress, cell: { index, id: cell.id, firstLine, startTime } } });
    const timer =
      job.cellTimeout === undefined
        ? undefined
        : setTimeout(() => {
            stop.request('cellTimeout');
          }, job.cellTimeout * 1000);
    // A cell that has replied is in time, even if its outputs arrive later.
    void execution.replied.then(() => {
      clearTimeout(timer);
    });
    const finished = this.finish(index, execution);
    const reply = await this.replyUnlessStopped(finished);
    clearTimeout(timer);
    for (const update of recording.takeWidgetUpdates()) kernel.sendComm(stringifyJson(update));
    const ending = this.endingAfter(index, cell, reply);
    // An interrupted cell may reply `ok`, for example if it ran a shell command that was cut off.
    const wasCut = ending !== undefined && ending.state !== 'SUCCEEDED';
    const failed = wasCut || (reply?.status !== 'ok' && !(reply && isCleanExit(reply)));
    recording.record({ type: 'cellEnded', index, time: new Date().toISOString(), failed });
    if (reply?.status === 'error') await elapsed(kernel.differences.abortsAfterError);
    return ending;
  }

  /** Resolves when the cell is finished: reply and idle message. An aborted cell has no idle message. */
  private async finish(index: number, execution: ExecuteRequest): Promise<ExecuteReply> {
    const { recording, warnings } = this.context;
    const reply = await execution.replied;
    if (reply.date !== undefined) recording.recordStep(index, 'shell.execute_reply', reply.date);
    if (typeof reply.execution_count === 'number')
      recording.record({ type: 'cellCount', index, count: reply.execution_count });
    if (reply.status !== 'ok' && reply.status !== 'error') return reply;
    if (!(await this.idleWait.hasArrived(execution)))
      warnings.push({ code: 'idleMissing', args: [String(index)] });
    for (const data of pagedIn(reply))
      recording.recordOutput(execution.requestId, { output_type: 'display_data', data, metadata: {} });
    recording.cellAnswered(index);
    return reply;
  }

  /** The reply, or undefined if there will be none: the kernel is dead or was killed. */
  private async replyUnlessStopped(finished: Promise<ExecuteReply>): Promise<ExecuteReply | undefined> {
    const { kernel, stop, timeouts } = this.context;
    const ended = kernel.exited.then(() => undefined);
    const first = await Promise.race([finished, ended, stop.requested]);
    if (typeof first === 'object') return first;
    if (first !== undefined) {
      if (first === 'outOfMemory') kernel.kill();
      else kernel.interrupt();
      const reply = await Promise.race([finished, ended, elapsed(timeouts.interrupt)]);
      if (reply) return reply;
      kernel.kill();
      await ended;
    }
    // Messages that it sent before it died are still arriving.
    await kernel.drained();
    return Promise.race([finished, Promise.resolve(undefined)]);
  }

  /** How the run ends after a cell; undefined if the run continues. */
  private endingAfter(index: number, cell: CodeCell, reply: ExecuteReply | undefined): Ending | undefined {
    const { job, kernel, recording, stop } = this.context;
    const ref: CellRef = { index, id: cell.id };
    const stopped = stop.ending();
    if (stopped !== undefined) return { ...stopped, cell: ref };
    if (!reply) {
      return {
        ...kernelDied(job, kernel.exit ?? { code: null, signal: null, wasLost: false }),
        cell: ref,
      };
    }
    if (isCleanExit(reply)) return { state: 'SUCCEEDED' };
    if (reply.status === 'ok') return undefined;
    const { name: errorName, value } = errorOf(reply, recording.lastErrorOf(index));
    const allowed =
      job.allowErrors || job.allowErrorNames.includes(errorName) || tagsOf(cell).includes('raises-exception');
    if (allowed) return undefined;
    const errorValue = withoutColours(value);
    const failure = { ...unsendableIn(cell.source), cell: { ...ref, errorName, errorValue } };
    return { state: 'FAILED', cause: 'cellError', ...failure };
  }
}
