import { randomUUID } from 'node:crypto';
import type { ErrorOutput } from '../notebook/model';
import type { ExecuteReply, ExecuteRequest } from './kernel/kernel-client';

/*
 * What the reply to a cell says beside its outputs, and the cells that get no reply because they cannot be sent.
 */

/** An error as kernels report it. */
type ReportedError = Pick<ErrorOutput, 'ename' | 'evalue'>;

/**
 * Why a source cannot be sent: half of a surrogate pair has no UTF-8, and ipykernel answers such a request never.
 * @returns The error with which the cell fails; undefined where it can be sent.
 */
export function unsendableIn(source: string): ReportedError | undefined {
  const found = /\p{Cs}/u.exec(source);
  if (!found) return undefined;
  const lines = source.slice(0, found.index).split('\n');
  const line = String(lines.length);
  const column = String((lines.at(-1) ?? '').length + 1);
  const character = `\\u${found[0].charCodeAt(0).toString(16)}`;
  return {
    ename: 'UnicodeEncodeError',
    evalue: `Line ${line}, column ${column} is half of a surrogate pair (${character}), which cannot be sent to a kernel`,
  };
}

/** Stands for the request of a cell that is not sent. */
export function notSent(error: ReportedError): ExecuteRequest {
  const reply = { status: 'error', date: undefined, ...error };
  return { requestId: randomUUID(), replied: Promise.resolve(reply), idle: Promise.resolve() };
}

/**
 * Name and text of the error that ended a cell. Where an object cannot be displayed, ipykernel's reply names the error `NoneType`,
 * that of a cell which was run without one.
 */
export function errorOf(
  { status, ename, evalue }: ExecuteReply,
  shown: ErrorOutput | undefined,
): { name: string; value: string } {
  if (ename !== undefined && ename !== '' && ename !== 'NoneType')
    return { name: ename, value: evalue ?? '' };
  return { name: shown?.ename ?? status, value: shown?.evalue ?? '' };
}
