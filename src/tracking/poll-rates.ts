import { ServiceError } from '../execution/errors';

/** How often a service is polled. Times are milliseconds between the end of one tick and the start of the next. */
export interface PollRates {
  /** While an execution is active: right after a change, and the maximum when nothing has changed for a while. */
  readonly active: readonly [number, number];
  /** While no execution is active and the list is visible. */
  readonly watched: number;
  /** Longest wait after repeated errors. */
  readonly longest: number;
  /** Random share of each wait (0 to 1), so that many windows do not send requests at the same time. */
  readonly jitter: number;
  /** A request that takes longer fails. */
  readonly timeout: number;
}

/** For a service on this machine. */
export const LOCAL_RATES: PollRates = {
  active: [500, 1000],
  watched: 3000,
  longest: 15_000,
  jitter: 0,
  timeout: 15_000,
};

/** For Google's services. */
export const REMOTE_RATES: PollRates = {
  active: [5000, 30_000],
  watched: 60_000,
  longest: 300_000,
  jitter: 0.3,
  timeout: 60_000,
};

/** Milliseconds that the service asks the client to wait: `args.retryAfter` of its error, which is in seconds. */
export function retryAfter(error: unknown): number {
  const seconds = error instanceof ServiceError ? Number(error.args['retryAfter']) : NaN;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
