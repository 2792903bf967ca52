import type { Execution } from '../execution/execution';
import type { ExecutionPage } from '../execution/execution-service';
import { isTerminal } from '../execution/states';

/** When the oldest of a page was created, in milliseconds since the epoch; `before` where it has none. */
export function oldestOf(page: ExecutionPage, before = Infinity): number {
  return page.executions.reduce((oldest, each) => Math.min(oldest, createdAt(each)), before);
}

/** When an execution was created, in milliseconds since the epoch; NaN where its service does not tell. */
export function createdAt(execution: Execution): number {
  return Date.parse(execution.createTime ?? '');
}

/** Whether an answer may follow what is known: a terminal state is final for its attempt. Another createTime is another execution of the same id. */
export function mayFollow(known: Execution, answered: Execution): boolean {
  if (known.createTime !== answered.createTime) return true;
  const knownAttempt = known.runStatus?.attempt ?? 1;
  const answeredAttempt = answered.runStatus?.attempt ?? 1;
  if (answeredAttempt !== knownAttempt) return answeredAttempt > knownAttempt;
  return !isTerminal(known.state) || known.state === answered.state;
}
