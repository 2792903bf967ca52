import { ServiceError } from '../../execution/errors';
import type { PythonState } from '../../python/found-python';

/** Why the view is empty. The manifest selects the welcome text by it; empty if nothing is wrong. */
export type WelcomeReason =
  | ''
  | 'filtered'
  | 'serviceNotStarted'
  | 'dataDirectoryForeign'
  | 'credentials'
  | 'cloudFails'
  | 'serviceFails'
  | Exclude<PythonState, 'found'>;

/** A service that could not be reached, and its error. */
export interface Failure {
  readonly serviceId: string;
  readonly error: Error;
}

/**
 * Why no execution is shown.
 * @param known whether there are executions.
 * @param shown how many of them match the filter.
 * @param failures of services that did not answer.
 */
export function welcomeReason(
  known: boolean,
  shown: number,
  failures: readonly Failure[],
  python: PythonState,
): WelcomeReason {
  if (known) return shown === 0 ? 'filtered' : '';
  const [first] = failures;
  if (first === undefined) return python === 'found' ? '' : python;
  const { serviceId, error } = first;
  for (const reason of ['serviceNotStarted', 'dataDirectoryForeign'] as const) {
    if (failures.some(({ error: each }) => each instanceof ServiceError && each.reason === reason))
      return reason;
  }
  if (error instanceof ServiceError && error.status === 'UNAUTHENTICATED') return 'credentials';
  return serviceId === 'embedded' ? 'serviceFails' : 'cloudFails';
}
