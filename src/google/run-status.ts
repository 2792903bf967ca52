import type { CellRef, RunStatus } from '../execution/execution';
import { isTerminal, type State } from '../execution/states';

/** A run as a Google service reports it. Times are RFC 3339. */
export interface ReportedRun {
  readonly state: State;
  readonly createTime?: string | undefined;
  readonly updateTime?: string | undefined;
  /** google.rpc.Status of the run, if there is one. */
  readonly error?: { readonly code?: number | undefined; readonly message?: string | undefined } | undefined;
  /** Start of the job behind the execution. */
  readonly startTime?: string | undefined;
  readonly endTime?: string | undefined;
  readonly elsewhere: boolean;
}

/** google.rpc.Code of DEADLINE_EXCEEDED. */
const DEADLINE_EXCEEDED = 4;

/** The run's status as far as the service reports it. The history may lack states that passed between two polls. */
export function runStatusOf(run: ReportedRun): RunStatus {
  const { state, createTime, updateTime } = run;
  const endTime = run.endTime ?? (isTerminal(state) ? updateTime : undefined);
  const history = [
    ...(createTime === undefined ? [] : [{ state: 'INITIALIZING', time: createTime }]),
    ...(run.startTime === undefined || state === 'RUNNING'
      ? []
      : [{ state: 'RUNNING', time: run.startTime }]),
    ...(state === 'INITIALIZING' || updateTime === undefined
      ? []
      : [{ state, time: (state === 'RUNNING' ? run.startTime : endTime) ?? updateTime }]),
  ];
  const cause = causeOf(run);
  const message = run.error?.message;
  return {
    attempt: 1,
    ...(run.startTime === undefined ? {} : { startTime: run.startTime }),
    ...(endTime === undefined ? {} : { endTime }),
    ...(history.length === 0 ? {} : { history }),
    ...(cause === undefined ? {} : { cause }),
    ...(message === undefined || message === '' ? {} : { message }),
    ...(run.elsewhere ? { elsewhere: true } : {}),
  };
}

function causeOf({ state, error }: ReportedRun): string | undefined {
  switch (state) {
    case 'EXPIRED':
      return 'timeout';
    case 'CANCELLED':
    case 'CANCELLING':
      return 'cancelled';
    case 'FAILED':
    case 'PARTIALLY_SUCCEEDED':
      return error?.code === DEADLINE_EXCEEDED ? 'timeout' : 'serviceError';
    default:
      return undefined;
  }
}

/** The status of a failed run with the failed cell, if the output shows one. */
export function withFailedCell(status: RunStatus, cell: CellRef | undefined): RunStatus {
  return cell === undefined ? status : { ...status, cause: 'cellError', cell };
}
