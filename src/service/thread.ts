import { Worker } from 'node:worker_threads';
import type { ExecutionWarning } from '../execution/execution';
import { ServiceError, type StatusName } from '../execution/errors';
import type { Completion } from '../recording/recovery';
import type { KernelLaunch } from '../protocol/runner-job';
import { Gate } from './gate';

/*
 * Work on what clients send, and on whole notebooks, goes to a thread of its own unless it is small: it may take long, and
 * its memory goes with the thread. The thread runs this same bundle, see main.ts, and does the task in worker.ts.
 */

/** What a thread can be asked to do. */
export type Task =
  /** The body of a create request. */
  | { readonly type: 'body'; readonly bytes: Uint8Array }
  | { readonly type: 'inspect'; readonly notebook: Uint8Array }
  | { readonly type: 'parameters'; readonly texts: ParameterTexts }
  | { readonly type: 'complete'; readonly folder: string };

/** Parameters as they were given, and the kernel that is to have them. */
export interface ParameterTexts {
  /** The field that is named where both together are wrong. */
  readonly field: string;
  readonly parameters: string | undefined;
  /** Content of `paramsYamlFile`. */
  readonly file: Uint8Array | undefined;
  readonly kernel: Pick<KernelLaunch, 'name' | 'language'>;
  /** Patterns of names whose values are not shown. */
  readonly secretParameters: readonly string[];
}

/** Parameters of an execution. */
export interface ReadParameters {
  /** JSON; undefined when there are none. */
  readonly text: string | undefined;
  /** See `yamlWordWarnings`. */
  readonly warnings: readonly ExecutionWarning[];
}

/** What a thread answers: a result, or the ServiceError that it ended with. */
export type TaskAnswer =
  | { result: unknown }
  | { refused: { status: StatusName; reason: string; message: string; args: Record<string, string> } };

/** Seconds that a thread has for what a client sent. */
export const MAX_SECONDS = 30;
/** Heap of a thread that reads up to 8 MB, in MB: more than the most wasteful JSON and YAML of that size take. */
const MAX_MEGABYTES = 1024;

/** Work on what a client sent took more time or memory than it may; the thread was ended. */
export class ThreadLimitError extends Error {
  override readonly name = 'ThreadLimitError';
}

/** Threads with such work at the same time. More would take memory, and the processor from what runs. */
const threads = new Gate(2);

/**
 * Does a task on what a client sent: it ends with its time, its memory, and the client's patience.
 * @param signal ends it.
 * @param megabytes of heap.
 * @throws ThreadLimitError; the task's ServiceError; the signal's reason.
 */
export async function onLimitedThread(
  task: Task,
  signal: AbortSignal | undefined,
  megabytes = MAX_MEGABYTES,
): Promise<unknown> {
  return threads.run(async () => {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(MAX_SECONDS * 1000);
    const ends = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    return onThread(task, ends, { maxOldGenerationSizeMb: megabytes }).catch((error: unknown) => {
      if (error === timeout.reason) throw new ThreadLimitError(`it took more than ${MAX_SECONDS} s`);
      if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
      throw new ThreadLimitError(`it took more than ${megabytes} MB`);
    });
  });
}

/** {@link completeFromJournal} on another thread, for as long as it takes. */
export async function completeOnThread(folder: string): Promise<Completion> {
  return (await onThread({ type: 'complete', folder })) as Completion;
}

async function onThread(task: Task, signal?: AbortSignal, resourceLimits = {}): Promise<unknown> {
  const worker = new Worker(__filename, { workerData: task, resourceLimits });
  let abort = (): void => undefined;
  try {
    const answer = await new Promise<TaskAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => {
        reject(new Error('the thread ended without an answer'));
      });
      abort = () => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is what it is
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort);
    });
    if ('result' in answer) return answer.result;
    const { status, reason, message, args } = answer.refused;
    throw new ServiceError(status, reason, message, args);
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}
