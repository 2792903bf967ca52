import { randomUUID } from 'node:crypto';
import { endMessage, type EndMessage } from '../execution/end-message';
import type { ErrorOutput } from '../notebook/model';
import type { ExecuteReply, ExecuteRequest } from './kernel/kernel-client';

/*
 * The errors of cells, including those of cells that cannot be sent to the kernel.
 */

/**
 * Why a source cannot be sent: half of a surrogate pair has no UTF-8 encoding, and ipykernel never answers such a
 * request.
 * @returns undefined if it can be sent.
 */
export function unsendableIn(source: string): EndMessage | undefined {
  const found = /\p{Cs}/u.exec(source);
  if (!found) return undefined;
  const lines = source.slice(0, found.index).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  const character = `\\u${found[0].charCodeAt(0).toString(16)}`;
  return endMessage('sourceUnsendable', { line: lines.length, column, character });
}

/** The error of a cell that cannot be sent, under the name that Python has for it. */
export function errorOfUnsendable({ message }: EndMessage): ErrorOutput {
  return { output_type: 'error', ename: 'UnicodeEncodeError', evalue: message, traceback: [] };
}

/** Stands for the request of a cell that is not sent; it fails with this error. */
export function notSent({ ename, evalue }: ErrorOutput): ExecuteRequest {
  const reply = { status: 'error', date: undefined, ename, evalue };
  return { requestId: randomUUID(), replied: Promise.resolve(reply), idle: Promise.resolve() };
}

/**
 * Name and text of the error that ended a cell. If an object cannot be displayed, ipykernel's reply names the error
 * `NoneType`; then the error is taken from the cell's outputs.
 * @param shown the last error that the cell sent as an output.
 */
export function errorOf(
  { status, ename, evalue }: ExecuteReply,
  shown: ErrorOutput | undefined,
): { name: string; value: string } {
  if (ename !== undefined && ename !== '' && ename !== 'NoneType')
    return { name: ename, value: evalue ?? '' };
  return { name: shown?.ename ?? status, value: shown?.evalue ?? '' };
}
