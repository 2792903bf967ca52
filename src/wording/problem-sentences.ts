import { commands, l10n } from 'vscode';
import { ServiceError } from '../execution/errors';
import { NotebookError } from '../notebook/errors';
import { ParametersError } from '../notebook/parameters/errors';
import { isHanging } from '../tracking/machine-monitor';
import { notebookSentence, parametersSentence } from './input-sentences';
import { googleRemedies, googleSentence } from './google-sentences';
import { runCommand } from './own-commands';
import { Problem, type Remedy } from './problem';

/** Any error as a sentence for the user. Details (stack, system errors) are in the log, behind the popup's button. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ServiceError) {
    const remedies = [...machineRemedies(error), ...googleRemedies(error)];
    return new Problem(sentenceOf(error), remedies, { cause: error });
  }
  return new Problem(
    l10n.t('Unexpected error: {0}', error instanceof Error ? error.message : String(error)),
    [],
    { cause: error },
  );
}

/** Buttons that resolve an error of this machine's service. */
export function machineRemedies(error: ServiceError): Remedy[] {
  if (isHanging(error)) {
    const run = () => runCommand('notebookExecutions.restartService');
    return [{ label: l10n.t('Restart Service'), run }];
  }
  if (error.reason === 'dataDirectoryForeign') {
    const run = () =>
      commands.executeCommand('workbench.action.openSettings', 'notebookExecutions.dataDirectory');
    return [{ label: l10n.t('Open Settings'), run }];
  }
  return [];
}

/** Reasons whose sentence says what happened but not why. The log has the cause. */
const UNEXPLAINED: ReadonlySet<string> = new Set([
  'serviceNotStarted',
  'serviceNotResponding',
  'answerInvalid',
  'answerMalformed',
  'storageNotWritable',
  'cancelNotSaved',
  'stagingNotWritable',
]);

/** Whether the log explains a problem better than its sentence. */
export function isExplainedInLog({ cause }: Problem): boolean {
  if (cause instanceof Problem) return isExplainedInLog(cause);
  if (cause instanceof ServiceError) return UNEXPLAINED.has(cause.reason) || ownSentence(cause) === undefined;
  return cause !== undefined && !(cause instanceof NotebookError) && !(cause instanceof ParametersError);
}

/** The sentence for a ServiceError: by its reason if that is known, else by its status. */
export function sentenceOf(error: ServiceError): string {
  return ownSentence(error) ?? byStatus(error);
}

/** The sentence for a reason; undefined if the reason is unknown. */
function ownSentence(error: ServiceError): string | undefined {
  const { args } = error;
  switch (error.reason) {
    case 'kernelNotFound':
      return args['kernels'] === undefined || args['kernels'] === ''
        ? l10n.t(
            'There is no kernel “{0}”, and no other Jupyter kernel was found on this machine.',
            args['kernel'] ?? '',
          )
        : l10n.t('There is no kernel “{0}”. Kernels found: {1}.', args['kernel'] ?? '', args['kernels']);
    case 'ipykernelMissing':
      return l10n.t(
        '{0} cannot run notebooks: the package ipykernel is not installed there.',
        args['interpreter'] ?? 'Python',
      );
    case 'interpreterNotFound':
      return l10n.t('There is no Python at {0}.', args['interpreter'] ?? args['path'] ?? '');
    case 'notebookInvalid':
      return (
        notebookSentence(args['code'] ?? '', l10n.t('The notebook'), args) ??
        l10n.t('The notebook cannot be run: {0}', error.message)
      );
    case 'parametersInvalid':
      return l10n.t(
        'The parameters cannot be used: {0}',
        parametersSentence(args['code'] ?? '', args) ?? error.message,
      );
    case 'inputNotFound':
      return l10n.t('The notebook {0} no longer exists.', args['path'] ?? '');
    case 'outputNotWritable':
      return l10n.t(
        'The output cannot be written to {0}. Choose another output folder in the template.',
        args['path'] ?? args['folder'] ?? '',
      );
    case 'workingDirectoryInvalid':
      return l10n.t('The working directory {0} does not exist.', args['path'] ?? '');
    case 'serviceNotStarted':
      return args['error'] === undefined
        ? l10n.t('The execution service could not be started.')
        : l10n.t('The execution service could not be started: {0}', args['error']);
    case 'dataDirectoryForeign':
      return l10n.t(
        'The data directory {0} holds other files ({1}). Nothing was changed there. Choose an empty or a new folder in the settings.',
        args['path'] ?? '',
        args['names'] ?? '',
      );
    case 'serviceNotResponding':
      return l10n.t('The execution service does not answer.');
    case 'fileNotReadable':
      return l10n.t('{0} could not be read.', args['path'] ?? '');
    case 'outputNotFound':
      return l10n.t('There is no output yet.');
    case 'fieldInvalid':
      return l10n.t(
        'The execution service does not accept {0}: {1}',
        args['field'] ?? '',
        args['problem'] ?? error.message,
      );
    case 'storageNotWritable':
    case 'stagingNotWritable':
      return args['code'] === 'ENOSPC' || args['code'] === 'EDQUOT'
        ? l10n.t('The disk is full: the execution could not be saved.')
        : l10n.t('The data directory of the executions cannot be written to: {0}', args['code'] ?? '');
    case 'cancelNotSaved':
      return l10n.t(
        'The execution is being cancelled, but the data directory cannot be written to: {0}. Free disk space, and cancel it again if it is still running.',
        args['code'] ?? '',
      );
    case 'answerInvalid':
    case 'answerMalformed':
      return l10n.t('The service sent an unexpected answer: {0}', error.message);
    case 'deleteTakesLong':
      return l10n.t('The execution is still being ended; it will be deleted afterwards.');
    case 'operationNotFound':
      return l10n.t('The service does not know this operation any more.');
    case 'otherHost':
      return l10n.t('The execution runs on {0} and can only be changed there.', args['host'] ?? '');
    case 'tokenFileExposed':
      return l10n.t(
        'Other users can read {0}. Make the file private (chmod 600) and try again.',
        args['path'] ?? '',
      );
    default:
      return googleSentence(error);
  }
}

function byStatus(error: ServiceError): string {
  switch (error.status) {
    case 'NOT_FOUND':
      return l10n.t('This execution no longer exists.');
    case 'ALREADY_EXISTS':
      return l10n.t('An execution of this name exists already.');
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return l10n.t('The execution service does not answer: {0}', error.message);
    case 'UNAUTHENTICATED':
      return l10n.t('The execution service does not accept the credentials: {0}', error.message);
    case 'PERMISSION_DENIED':
      return l10n.t('Permission denied: {0}', error.message);
    case 'RESOURCE_EXHAUSTED':
      return l10n.t('A limit of the execution service is reached: {0}', error.message);
    case 'UNIMPLEMENTED':
      return l10n.t('The execution service cannot do this: {0}', error.message);
    case 'INVALID_ARGUMENT':
    case 'FAILED_PRECONDITION':
    case 'ABORTED':
    case 'CANCELLED':
    case 'INTERNAL':
      return l10n.t('The execution service reports an error: {0}', error.message);
  }
}
