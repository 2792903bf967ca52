import { ServiceError } from '../../execution/errors';

/** Whether notebooks in Python can be executed on this machine. */
export type PythonState = 'found' | 'pythonMissing' | 'ipykernelMissing';

/** What is wrong, by which the manifest chooses what an empty view says; empty where nothing is. */
export type WelcomeReason =
  '' | 'filtered' | 'serviceNotStarted' | 'credentials' | 'serviceFails' | Exclude<PythonState, 'found'>;

/**
 * Why no execution is shown.
 * @param known whether there are executions.
 * @param shown how many of them the filter lets through.
 * @param errors of services that did not answer.
 */
export function welcomeReason(
  known: boolean,
  shown: number,
  errors: readonly Error[],
  python: PythonState,
): WelcomeReason {
  if (known) return shown === 0 ? 'filtered' : '';
  const [first] = errors;
  if (first === undefined) return python === 'found' ? '' : python;
  if (errors.some((error) => error instanceof ServiceError && error.reason === 'serviceNotStarted'))
    return 'serviceNotStarted';
  return first instanceof ServiceError && first.status === 'UNAUTHENTICATED' ? 'credentials' : 'serviceFails';
}
