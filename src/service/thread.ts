import { Worker } from 'node:worker_threads';
import type { ExecutionWarning } from '../execution/execution';
import { ServiceError, type StatusName } from '../execution/errors';
import type { Completion } from '../recording/recovery';
import type { KernelLaunch } from '../protocol/runner-job';
import { Semaphore } from './semaphore';

/*
 * Work on client data and on whole notebooks runs on a thread of its own, unless it is small: it may take long, and its
 * memory is freed with the thread. The thread runs this same bundle, see main.ts, and does the task in worker.ts.
 */

/** The tasks of a thread. */
export type Task =
  /** The body of a create request. */
  | { readonly type: 'body'; readonly bytes: Uint8Array }
  | { readonly type: 'inspect'; readonly notebook: Uint8Array }
  | { readonly type: 'parameters'; readonly texts: ParameterTexts }
  | { readonly type: 'complete'; readonly folder: string };

/** Parameters as given, and the kernel that they are for. */
export interface ParameterTexts {
  /** The field that errors name when both together are wrong. */
  readonly field: string;
  readonly parameters: string | undefined;
  /** Content of `paramsYamlFile`. */
  readonly file: Uint8Array | undefined;
  readonly kernel: Pick<KernelLaunch, 'name' | 'language'>;
  /** Patterns of the names whose values are not shown. */
  readonly secretParameters: readonly string[];
}

/** Parameters of an execution. */
export interface ReadParameters {
  /** JSON; undefined if there are none. */
  readonly text: string | undefined;
  /** See `yamlWordWarnings`. */
  readonly warnings: readonly ExecutionWarning[];
}

/** A thread's answer: a result, or the ServiceError of the task. */
export type TaskAnswer =
  | { result: unknown }
  | { refused: { status: StatusName; reason: string; message: string; args: Record<string, string> } };

/** Most seconds for a task on client data. */
export const MAX_SECONDS = 30;
/** Heap of a thread that reads up to 8 MB, in MB: the most wasteful JSON and YAML of that size take less. */
const MAX_MEGABYTES = 1024;

/** A task on client data exceeded its time or memory, and its thread was ended. */
export class ThreadLimitError extends Error {
  override readonly name = 'ThreadLimitError';
}

/** Most threads with client data at the same time: more would take memory, and processor time from executions. */
const threads = new Semaphore(2);

/**
 * Does a task on client data, with a limit on time ({@link MAX_SECONDS}) and memory.
 * @param signal aborts it, when the client disconnects.
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

/** {@link completeFromJournal} on another thread, without a time limit. */
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
        reject(new Error('the worker thread exited without a result'));
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
