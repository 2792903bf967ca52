import { l10n } from 'vscode';
import type { EndDetailCode } from '../execution/end-message';
import type { Cause, Execution, RunStatus } from '../execution/execution';
import { notebookNameOf } from './execution-facts';
import { notebookSentence, parametersSentence } from './input-sentences';
import { formatBytes, formatDuration, oneLine } from './text';

type Progress = NonNullable<RunStatus['progress']>;

/** The cell where an execution failed, numbered from 1; undefined if it did not fail at a cell. */
export function failedCellOf(execution: Execution): { number: number; error: string } | undefined {
  const cell = execution.runStatus?.cell;
  if (cell === undefined) return undefined;
  const error = [cell.errorName, cell.errorValue].filter((part) => part !== undefined && part !== '');
  return { number: cell.index + 1, error: oneLine(error.join(': ')) };
}

/** Longest excerpt of the kernel's last output, in characters. The end is kept: a traceback names its error there. */
const MOST_WORDS = 500;

/** Progress of a run as a sentence, for example `3 of 10 cells done`. */
export function cellsDone({ completedCells, totalCells }: Progress): string {
  return totalCells === 1
    ? l10n.t('{0} of 1 cell done', completedCells)
    : l10n.t('{0} of {1} cells done', completedCells, totalCells);
}

/** Progress of a run for a row, for example `3/10 cells`. */
export function cellsLabel({ completedCells, totalCells }: Progress): string {
  return totalCells === 1
    ? l10n.t('{0}/1 cell', completedCells)
    : l10n.t('{0}/{1} cells', completedCells, totalCells);
}

/** Why an execution ended or why it waits, in a few sentences; undefined if there is nothing to explain. */
export function explain(execution: Execution): string | undefined {
  const status = execution.runStatus;
  if (execution.state === 'QUEUED') return detailSentence(execution);
  // The state already says that the execution was cancelled.
  if (status?.cause === undefined || execution.state === 'CANCELLED') return undefined;
  const sentence = sentenceOf(status.cause, execution);
  const detail = detailSentence(execution);
  if (status.cause === 'cellError' || status.cause === 'cancelled') {
    const cell = failedCellOf(execution);
    return detail === undefined || cell === undefined
      ? sentence
      : l10n.t('Cell {0} failed: {1}', cell.number, detail);
  }
  const { message = '' } = status;
  // Text of the system, a cloud or the kernel is shown unchanged. The kernel's text follows the first line of a detail.
  if (detail === undefined) return [sentence, oneLine(message, 500)].join(' ').trimEnd();
  const words = oneLine(message.split('\n').slice(1).join('\n').slice(-MOST_WORDS), MOST_WORDS);
  return [sentence, detail, ...(words === '' ? [] : [l10n.t('Its last output: {0}', words)])].join(' ');
}

/** The detail that the runner or the service adds to the cause; undefined if there is none or its code is unknown. */
function detailSentence(execution: Execution): string | undefined {
  const { detail } = execution.runStatus ?? {};
  if (detail === undefined) return undefined;
  const { code } = detail;
  const args = Object.fromEntries(
    Object.entries(detail.args ?? {}).map(([name, value]) => [name, oneLine(value)]),
  );
  return (
    endDetailSentence(code, args) ??
    notebookSentence(code, oneLine(notebookNameOf(execution), 60), args) ??
    parametersSentence(code, args)
  );
}

function sentenceOf(cause: Cause, execution: Execution): string {
  const cell = failedCellOf(execution);
  const { runOptions, runStatus } = execution;
  switch (cause) {
    case 'cellError':
      return cell === undefined
        ? l10n.t('A cell failed.')
        : l10n.t('Cell {0} failed: {1}', cell.number, cell.error || l10n.t('no error text'));
    case 'cellTimeout': {
      const limit = runOptions?.cellTimeout;
      if (cell === undefined) return l10n.t('A cell exceeded its time limit.');
      return limit === undefined
        ? l10n.t('Cell {0} exceeded its time limit.', cell.number)
        : l10n.t('Cell {0} exceeded its time limit of {1}.', cell.number, formatDuration(limit * 1000));
    }
    case 'timeout':
      return runOptions?.timeout === undefined
        ? l10n.t('It exceeded its time limit.')
        : l10n.t('It exceeded its time limit of {0}.', formatDuration(runOptions.timeout * 1000));
    case 'kernelDied':
      return cell === undefined
        ? l10n.t('The kernel died.')
        : l10n.t('The kernel died in cell {0}.', cell.number);
    case 'outOfMemory':
      return runStatus?.peakMemoryBytes === undefined
        ? l10n.t('The kernel ran out of memory.')
        : l10n.t('The kernel ran out of memory after using {0}.', formatBytes(runStatus.peakMemoryBytes));
    case 'kernelNotFound':
      return l10n.t('The kernel was not found.');
    case 'kernelNotReady':
      return l10n.t('The kernel did not start.');
    case 'notebookInvalid':
      return l10n.t('The notebook cannot be run.');
    case 'parametersInvalid':
      return l10n.t('The parameters cannot be used.');
    case 'outputNotWritable':
      return l10n.t('The output could not be written.');
    case 'cancelled':
      return l10n.t('It was cancelled.');
    case 'hostLost':
      return l10n.t('The process or machine that ran it is no longer there.');
    case 'serviceError':
      return l10n.t('The service reported an error.');
    default:
      return oneLine(cause);
  }
}

/** A cause in one or two words, for a row. */
export function causeLabel(cause: Cause): string {
  switch (cause) {
    case 'cellError':
      return l10n.t('cell failed');
    case 'cellTimeout':
    case 'timeout':
      return l10n.t('time limit');
    case 'kernelDied':
      return l10n.t('kernel died');
    case 'outOfMemory':
      return l10n.t('out of memory');
    case 'kernelNotFound':
      return l10n.t('kernel not found');
    case 'kernelNotReady':
      return l10n.t('kernel did not start');
    case 'notebookInvalid':
      return l10n.t('invalid notebook');
    case 'parametersInvalid':
      return l10n.t('invalid parameters');
    case 'outputNotWritable':
      return l10n.t('output not writable');
    case 'cancelled':
      return l10n.t('cancelled');
    case 'hostLost':
      return l10n.t('interrupted');
    case 'serviceError':
      return l10n.t('service error');
    default:
      return oneLine(cause, 60);
  }
}

/** The sentence after the one about the cause, by detail code. `It` refers to the kernel or the process named there. */
const DETAIL_SENTENCES: Readonly<Record<EndDetailCode, (args: Readonly<Record<string, string>>) => string>> =
  {
    memoryLimit: ({ bytes }) => l10n.t('Its limit is {0}.', formatBytes(Number(bytes))),
    workingDirectoryMissing: ({ path = '' }) => l10n.t('The working directory {0} does not exist.', path),
    kernelSilent: ({ seconds }) =>
      l10n.t('It did not answer within {0}.', formatDuration(Number(seconds) * 1000)),
    kernelGarbled: ({ seconds, count = '' }) =>
      l10n.t(
        'It did not answer within {0}. Messages from it that could not be understood: {1}.',
        formatDuration(Number(seconds) * 1000),
        count,
      ),
    kernelNotStarted: ({ error = '' }) => l10n.t('The system says: {0}', error),
    kernelClosed: () => l10n.t('It closed its connection.'),
    kernelSignal: ({ signal = '' }) => l10n.t('It was ended by the signal {0}.', signal),
    kernelExit: ({ exitCode = '' }) => l10n.t('It ended with exit code {0}.', exitCode),
    sourceUnsendable: ({ line = '', column = '', character = '' }) =>
      l10n.t(
        'Line {0}, column {1} is half of a surrogate pair ({2}), which cannot be sent to a kernel.',
        line,
        column,
        character,
      ),
    kernelGone: ({ path = '', kernels = '' }) =>
      l10n.t('{0} no longer exists. Kernels found: {1}.', path, kernels),
    lastKernelGone: ({ path = '' }) =>
      l10n.t('{0} no longer exists, and no Jupyter kernel was found on this machine.', path),
    runnerTerminated: () =>
      l10n.t('The process was told to end, for example because the machine was shutting down.'),
    runnerNotStarted: ({ error = '' }) => l10n.t('The process could not be started: {0}', error),
    runnerSignal: ({ signal = '' }) => l10n.t('The process was ended by the signal {0}.', signal),
    runnerExit: ({ exitCode = '' }) => l10n.t('The process ended with exit code {0}.', exitCode),
    runnerGone: () => l10n.t('The process ended.'),
    waitsForDisk: ({ error = '' }) => l10n.t('It starts when the disk can be written again ({0}).', error),
    runnerUnwatched: () => l10n.t('It ended while the execution service was not running.'),
  };

/** A detail of an end (execution/end-message.ts) as a sentence; undefined for an unknown code. */
export function endDetailSentence(code: string, args: Readonly<Record<string, string>>): string | undefined {
  return isCode(code) ? DETAIL_SENTENCES[code](args) : undefined;
}

function isCode(code: string): code is EndDetailCode {
  return Object.hasOwn(DETAIL_SENTENCES, code);
}
