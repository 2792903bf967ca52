import { parentPort, Worker, workerData } from 'node:worker_threads';
import * as z from 'zod/mini';
import { completeFromJournal } from '../runner/completion';
import { factsOf, InspectionSchema, type Inspection } from './notebook-facts';

/*
 * Work on whole notebooks goes to a thread of its own: it may take long, and its memory goes with the thread. The thread
 * runs this same bundle, see main.ts.
 */

const TaskSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('inspect'),
    notebook: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
  z.object({ type: z.literal('complete'), folder: z.string() }),
]);
type Task = z.infer<typeof TaskSchema>;

/** {@link factsOf} on another thread. */
export async function inspectOnThread(notebook: Uint8Array): Promise<Inspection> {
  return InspectionSchema.parse(await onThread({ type: 'inspect', notebook }));
}

/** {@link completeFromJournal} on another thread. */
export async function completeOnThread(folder: string): Promise<boolean> {
  return z.boolean().parse(await onThread({ type: 'complete', folder }));
}

async function onThread(task: Task): Promise<unknown> {
  const worker = new Worker(__filename, { workerData: task });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => {
      reject(new Error('the thread ended without an answer'));
    });
  });
}

/** Does the task of this thread, which is not the main one. */
export function serveAsWorker(): void {
  const task = TaskSchema.parse(workerData);
  // A rejection ends the thread, and the main thread gets its error.
  void (
    task.type === 'inspect' ? Promise.resolve(factsOf(task.notebook)) : completeFromJournal(task.folder)
  ).then((result) => {
    parentPort?.postMessage(result);
  });
}
