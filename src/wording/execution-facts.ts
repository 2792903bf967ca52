import type { Execution } from '../execution/execution';
import { executionIdOf, fileNameOf } from '../execution/execution-name';
import { isActive, isTerminal, type State } from '../execution/states';
import type { TrackedExecution } from '../tracking/execution-store';

/*
 * Facts about an execution that the views show. Contains no sentences and does not depend on the editor.
 */

/** The notebook's file name without `.ipynb`, else the display name, else the id. */
export function notebookNameOf(execution: Execution): string {
  const source = execution.runOptions?.source;
  const file = source === undefined ? '' : fileNameOf(source).replace(/\.ipynb$/i, '');
  if (file !== '') return file;
  return execution.displayName ?? executionIdOf(execution.name);
}

/** Whether the execution ended without success and the user did not end it: it failed or exceeded a time limit. */
export function hasFailed(state: State): boolean {
  return state === 'FAILED' || state === 'EXPIRED';
}

/** Whether the execution has not started to run. */
export function isWaiting(state: State): boolean {
  return state === 'QUEUED' || state === 'INITIALIZING';
}

/** When the run began, in milliseconds since the epoch; the creation time if it has not started. */
export function startOf(execution: Execution): number | undefined {
  return parseTime(execution.runStatus?.startTime) ?? parseTime(execution.createTime);
}

/** When the run ended, in milliseconds since the epoch. Without an end time, the time of the last update is used. */
export function endOf(execution: Execution): number | undefined {
  if (!isTerminal(execution.state)) return undefined;
  return parseTime(execution.runStatus?.endTime) ?? parseTime(execution.updateTime);
}

/** How long the run took, or has taken until now, in milliseconds. */
export function durationOf(execution: Execution, now: number): number | undefined {
  const start = startOf(execution);
  const end = endOf(execution) ?? (isActive(execution.state) ? now : undefined);
  return start === undefined || end === undefined ? undefined : Math.max(0, end - start);
}

/** Parses an RFC 3339 time into milliseconds since the epoch; undefined if it is not a time. */
export function parseTime(time: string | undefined): number | undefined {
  const parsed = Date.parse(time ?? '');
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Whether an output can be requested. Whether it exists is known only when the service reads it. */
export function mayHaveOutput({ service, execution }: TrackedExecution): boolean {
  const { state, outputNotebookFile, runStatus } = execution;
  if (isTerminal(state)) {
    return (
      outputNotebookFile !== undefined ||
      runStatus?.startTime !== undefined ||
      // Lists without details do not contain the output's name either.
      service.capabilities.detailsOnGet === true
    );
  }
  return service.capabilities.liveOutput && (state === 'RUNNING' || state === 'CANCELLING');
}

/**
 * The words of a row's `contextValue`. Menus match them with `viewItem =~ /\bword\b/`:
 * - `execution`: always;
 * - `ended`, `cancellable`, `deletable`, `hasOutput`, `hasInput`, `hasLog`, `failedCell`;
 * - `pinnable` or `pinned`;
 * - `comparable`: the input and the output can be compared;
 * - `hasSource`: the notebook it was submitted from is known;
 * - `hasConsole`: the service has a web page about it;
 * - `hasOutputUri`: the output is in Cloud Storage.
 */
export function capabilitiesOf(tracked: TrackedExecution): string[] {
  const { service, execution } = tracked;
  const active = isActive(execution.state);
  const words = ['execution', 'deletable', 'hasInput'];
  if (isTerminal(execution.state)) words.push('ended');
  if (active && execution.state !== 'CANCELLING' && service.capabilities.cancel) words.push('cancellable');
  if (mayHaveOutput(tracked)) words.push('hasOutput', 'comparable');
  if (mayHaveOutput(tracked) && service.outputUri !== undefined) words.push('hasOutputUri');
  if (service.consoleUrl !== undefined) words.push('hasConsole');
  // Services in the cloud do not always report the start.
  const { log, lateLog } = service.capabilities;
  if (log && (lateLog === true || execution.runStatus?.startTime !== undefined)) words.push('hasLog');
  if (service.pin !== undefined) words.push(execution.runStatus?.pinned === true ? 'pinned' : 'pinnable');
  if (hasFailed(execution.state) && execution.runStatus?.cell !== undefined) words.push('failedCell');
  if (execution.runOptions?.source !== undefined) words.push('hasSource');
  return words;
}
