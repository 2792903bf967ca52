import type { EndDetail } from './execution';

/**
 * Details of an end, beside its cause, from the runner and the service: technical English; names in braces are
 * arguments. The editor has its own translated sentence for each.
 */
export const END_DETAILS = {
  memoryLimit: 'More than {bytes} bytes of memory were in use',
  workingDirectoryMissing: 'The working directory {path} does not exist',
  kernelSilent: 'The kernel did not answer within {seconds} s',
  kernelGarbled:
    'The kernel did not answer within {seconds} s; {count} messages on its connection were not understood',
  kernelNotStarted: 'The kernel could not be started: {error}',
  kernelClosed: 'The kernel closed its connection',
  kernelSignal: 'The kernel was ended by {signal}',
  kernelExit: 'The kernel ended with exit code {exitCode}',
  sourceUnsendable:
    'Line {line}, column {column} is half of a surrogate pair ({character}), which cannot be sent to a kernel',
  kernelGone: '{path} no longer exists. Kernels found: {kernels}',
  lastKernelGone: '{path} no longer exists. Kernels found: none',
  runnerTerminated: 'The runner was ended',
  runnerNotStarted: 'The runner could not be started: {error}',
  runnerSignal: 'The runner ended: {signal}',
  runnerExit: 'The runner ended: exit code {exitCode}',
  runnerGone: 'The runner ended',
  waitsForDisk: 'Waiting until the disk can be written: {error}',
  runnerUnwatched: 'The runner ended while no execution service was watching',
} as const;
export type EndDetailCode = keyof typeof END_DETAILS;

/** Details of an end: in English for logs and programs, and as code and arguments for the editor. */
export interface EndMessage {
  readonly message: string;
  readonly detail: EndDetail;
}

/**
 * Builds the message of an end.
 * @param words text from other sources, such as the kernel's last output: follows on separate lines.
 */
export function endMessage(
  code: EndDetailCode,
  args: Readonly<Record<string, string | number>> = {},
  words = '',
): EndMessage {
  const texts = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, String(value)]));
  const english = END_DETAILS[code].replaceAll(/\{(\w+)\}/g, (_, name: string) => texts[name] ?? '');
  const line = singleLine(english);
  return { message: words === '' ? line : `${line}\n${words}`, detail: { code, args: texts } };
}

/** Text without line breaks: in a `message` with a `detail`, only text from other sources may follow the first line. */
export function singleLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
