import { ServiceError } from '../../execution/errors';
import type { PythonState } from '../../python/found-python';

/** What is wrong, by which the manifest chooses what an empty view says; empty where nothing is. */
export type WelcomeReason =
  | ''
  | 'filtered'
  | 'serviceNotStarted'
  | 'dataDirectoryForeign'
  | 'credentials'
  | 'cloudFails'
  | 'serviceFails'
  | Exclude<PythonState, 'found'>;

/** Why a service could not be asked. */
export interface Failure {
  readonly serviceId: string;
  readonly error: Error;
}

/**
 * Why no execution is shown.
 * @param known whether there are executions.
 * @param shown how many of them the filter lets through.
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
