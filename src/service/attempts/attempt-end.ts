import { endMessage, type EndMessage } from '../../execution/end-message';
import type { KnownCause } from '../../execution/execution';
import type { RunnerStatus } from '../../protocol/runner-job';
import type { ProcessExit } from '../../system/process-tree';
import { merge, type ExecutionRecord, type Merged } from '../executions/record';

/** Message for the end of a runner's process. `exit` is undefined if the exit status is not known. */
export function runnerEnd(exit: ProcessExit | undefined): EndMessage {
  if (exit?.error !== undefined) return endMessage('runnerNotStarted', { error: exit.error.message });
  if (exit?.signal) return endMessage('runnerSignal', { signal: exit.signal });
  if (typeof exit?.code === 'number') return endMessage('runnerExit', { exitCode: exit.code });
  return endMessage('runnerGone');
}

/** Message and detail of an end; its cause is passed separately. */
export type EndReason = Partial<EndMessage>;

/** History and status of a failed attempt: cause and message replace those that its runner reported. */
export function failure(
  record: ExecutionRecord,
  cause: KnownCause,
  reason: EndReason,
  status?: RunnerStatus,
): Omit<Merged, 'state'> {
  const merged = merge(record, status);
  const { message, detail } = reason;
  return { history: merged.history, runStatus: { ...merged.runStatus, cause, message, detail } };
}
