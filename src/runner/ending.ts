import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import * as path from 'node:path';
import { endMessage, singleLine, type EndMessage } from '../execution/end-message';
import type { CellRef, KnownCause } from '../execution/execution';
import { NotebookError } from '../notebook/errors';
import { ParametersError } from '../notebook/parameters/errors';
import { FILES } from '../protocol/execution-folder';
import type { RunnerJob } from '../protocol/runner-job';
import type { KernelExit } from './kernel/kernel-client';

/** How a run ended. */
export interface Ending extends Partial<EndMessage> {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'EXPIRED';
  readonly cause?: KnownCause;
  readonly cell?: CellRef;
}

/** Why a run is stopped before its end. */
export type StopReason = Extract<
  KnownCause,
  | 'cancelled'
  | 'timeout'
  | 'cellTimeout'
  | 'outOfMemory'
  | 'outputNotWritable'
  | 'hostLost'
  | 'kernelNotReady'
>;

/** The final state of a run that was stopped for this reason. */
export function stateAfter(reason: StopReason): Ending['state'] {
  if (reason === 'cancelled') return 'CANCELLED';
  return reason === 'timeout' ? 'EXPIRED' : 'FAILED';
}

/** How a run ends if its notebook or its parameters cannot be used. */
export function notRunnable(error: unknown): Ending {
  const cause = error instanceof ParametersError ? 'parametersInvalid' : 'notebookInvalid';
  const message = messageOf(error);
  if (!(error instanceof ParametersError || error instanceof NotebookError))
    return { state: 'FAILED', cause, message };
  const { code, args } = error;
  return { state: 'FAILED', cause, message: singleLine(message), detail: { code, args: { ...args } } };
}

/** How a run ends if its output cannot be written. */
export function notWritten(error: unknown): Ending {
  return { state: 'FAILED', cause: 'outputNotWritable', message: messageOf(error) };
}

/** The message of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How a run ends if its kernel ended by itself, or could not be started. */
export function kernelDied({ workingDirectory, folder }: RunnerJob, exit: KernelExit): Ending {
  const { error } = exit;
  if (error !== undefined && !existsSync(workingDirectory)) {
    const message = endMessage('workingDirectoryMissing', { path: workingDirectory });
    return { state: 'FAILED', cause: 'kernelNotReady', ...message };
  }
  const isMissing = error !== undefined && 'code' in error && error.code === 'ENOENT';
  return {
    state: 'FAILED',
    cause: error === undefined ? 'kernelDied' : isMissing ? 'kernelNotFound' : 'kernelNotReady',
    ...describeExit(exit, path.join(folder, FILES.kernelLog)),
  };
}

/** Message about a kernel that did not answer in time. @param count messages that were not of its session. */
export function kernelNotReady({ kernelTimeout: seconds }: RunnerJob, count: number): EndMessage {
  return count > 0
    ? endMessage('kernelGarbled', { seconds, count })
    : endMessage('kernelSilent', { seconds });
}

const TAIL_BYTES = 2000;

/** Message about a kernel that ended by itself: how it ended, and the end of its log. */
function describeExit({ code, signal, error, wasLost }: KernelExit, logFile: string): EndMessage {
  const log = endOfLog(logFile);
  if (error) return endMessage('kernelNotStarted', { error: error.message }, log);
  if (wasLost) return endMessage('kernelClosed', {}, log);
  if (signal) return endMessage('kernelSignal', { signal }, log);
  return endMessage('kernelExit', { exitCode: String(code) }, log);
}

function endOfLog(logFile: string): string {
  try {
    const file = openSync(logFile, 'r');
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return withoutColours(bytes.toString()).trim();
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** A text without the escape sequences that colour it in a terminal. */
export function withoutColours(text: string): string {
  return text.replaceAll(/\x1b\[[\d;:]*m/g, ''); // eslint-disable-line no-control-regex -- it matches escape sequences
}
