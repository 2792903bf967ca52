import type { Execution } from '../execution/execution';
import type { ExecutionPage } from '../execution/execution-service';
import { isTerminal } from '../execution/states';

/** Creation time of the oldest execution of a page, in milliseconds since the epoch; `before` if the page is empty. */
export function oldestOf(page: ExecutionPage, before = Infinity): number {
  return page.executions.reduce((oldest, each) => Math.min(oldest, createdAt(each)), before);
}

/** Creation time of an execution, in milliseconds since the epoch; NaN if its service does not report one. */
export function createdAt(execution: Execution): number {
  return Date.parse(execution.createTime ?? '');
}

/**
 * Whether an answer may replace the known execution: a terminal state is final for its attempt. A different createTime
 * means a new execution with the same id.
 */
export function mayFollow(known: Execution, answered: Execution): boolean {
  if (known.createTime !== answered.createTime) return true;
  const knownAttempt = known.runStatus?.attempt ?? 1;
  const answeredAttempt = answered.runStatus?.attempt ?? 1;
  if (answeredAttempt !== knownAttempt) return answeredAttempt > knownAttempt;
  return !isTerminal(known.state) || known.state === answered.state;
}

/** A position in a service's list. */
export interface Place {
  readonly pageToken: string;
  /** The executions that follow were created before this time, in milliseconds since the epoch. */
  readonly before: number;
}

/** The position after a page; undefined if it is the last one. `before` is used if the page is empty. */
export function placeAfter(page: ExecutionPage, before?: number): Place | undefined {
  const { nextPageToken } = page;
  return nextPageToken === undefined
    ? undefined
    : { pageToken: nextPageToken, before: oldestOf(page, before) };
}
