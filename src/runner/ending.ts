import { openSync, readSync, fstatSync, closeSync } from 'node:fs';
import type { CellRef, KnownCause } from '../execution/execution';
import type { KernelExit } from './kernel/kernel-client';

/** How a run ended. */
export interface Ending {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'EXPIRED';
  readonly cause?: KnownCause;
  /** Technical English. */
  readonly message?: string;
  readonly cell?: CellRef;
}

/** Why a run is to stop before its end. */
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

/** The state in which a run ends that was stopped for this reason. */
export function stateAfter(reason: StopReason): Ending['state'] {
  if (reason === 'cancelled') return 'CANCELLED';
  return reason === 'timeout' ? 'EXPIRED' : 'FAILED';
}

const TAIL_BYTES = 2000;

/** What to say of a kernel that ended by itself: how, and its last words. */
export function describeExit(exit: KernelExit, logFile: string): string {
  const how = exit.error
    ? `The kernel could not be started: ${exit.error.message}`
    : exit.wasLost
      ? 'The kernel closed its connection'
      : exit.signal
        ? `The kernel was ended by ${exit.signal}`
        : `The kernel ended with exit code ${String(exit.code)}`;
  const words = tail(logFile);
  return words === '' ? how : `${how}\n${words}`;
}

function tail(path: string): string {
  try {
    const file = openSync(path, 'r');
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

/** Text without the sequences that colour it in a terminal. */
export function withoutColours(text: string): string {
  return text.replaceAll(/\x1b\[[\d;:]*m/g, ''); // eslint-disable-line no-control-regex -- that is what it is about
}
