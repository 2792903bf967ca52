import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { ServiceError } from '../execution/errors';
import { completeFromJournal } from '../recording/recovery';
import { factsOf } from './notebook-facts';
import { mergeParameters } from './create/parameters';
import { readCreateBody } from './create/request';
import type { Task, TaskAnswer } from './thread';

/** Niceness of a worker thread: the requests of other clients come first, but it is not starved by running kernels. */
const NICENESS = 5;

/** Does the task of this worker thread, and posts the answer. */
export function serveAsWorker(): void {
  // Only on Linux, where it applies to this thread alone and not to the whole process.
  if (process.platform === 'linux') setPriority(NICENESS);
  // Any other error ends the thread, and the main thread receives it.
  void perform(workerData as Task)
    .then(
      (result): TaskAnswer => ({ result }),
      (error: unknown): TaskAnswer => {
        if (!(error instanceof ServiceError)) throw error;
        const { status, reason, message, args } = error;
        return { refused: { status, reason, message, args: { ...args } } };
      },
    )
    .then((answer) => {
      parentPort?.postMessage(answer);
    });
}

async function perform(task: Task): Promise<unknown> {
  switch (task.type) {
    case 'body':
      return readCreateBody(task.bytes);
    case 'inspect':
      return factsOf(task.notebook);
    case 'parameters':
      return mergeParameters(task.texts);
    case 'complete':
      return completeFromJournal(task.folder);
  }
}
