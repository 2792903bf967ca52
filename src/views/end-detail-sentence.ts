import { l10n } from 'vscode';
import type { EndDetailCode } from '../execution/end-message';
import { formatBytes, formatDuration } from './text';

/** For each, what follows the sentence about the cause; `it` is the kernel or the process which that one is about. */
const SENTENCES: Readonly<Record<EndDetailCode, (args: Readonly<Record<string, string>>) => string>> = {
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
  runnerTerminated: () => l10n.t('The process was asked to end, as when the machine is shut down.'),
  runnerNotStarted: ({ error = '' }) => l10n.t('The process could not be started: {0}', error),
  runnerSignal: ({ signal = '' }) => l10n.t('The process was ended by the signal {0}.', signal),
  runnerExit: ({ exitCode = '' }) => l10n.t('The process ended with exit code {0}.', exitCode),
  runnerGone: () => l10n.t('The process ended.'),
  waitsForDisk: ({ error = '' }) => l10n.t('It starts when the disk can be written again ({0}).', error),
  runnerUnwatched: () => l10n.t('It ended while no execution service was watching.'),
};

/** A detail of an end (execution/end-message.ts) as a sentence; undefined for a code that this version does not know. */
export function endDetailSentence(code: string, args: Readonly<Record<string, string>>): string | undefined {
  return isCode(code) ? SENTENCES[code](args) : undefined;
}

function isCode(code: string): code is EndDetailCode {
  return Object.hasOwn(SENTENCES, code);
}
