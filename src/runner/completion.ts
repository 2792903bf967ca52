import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { prepareForRun, readNotebook } from '../notebook/document';
import { FILES } from './execution-folder';
import { readJournal } from './journal';
import { markPending, OutputDocument } from './output-document';
import { replaceFile } from './saver';

/**
 * Completes the output.ipynb of a runner that is gone: every event in its journal is applied to the notebook again. A
 * cell that was running, and the run itself, are marked as failed at `time`, unless the journal knows their end.
 *
 * @param folder The execution's folder. Nobody else may be writing there.
 * @returns false where there is nothing to complete: no notebook was saved, or the journal is of nothing.
 * @throws SystemError where the folder cannot be read or written; the output is then as it was.
 */
export async function completeFromJournal(folder: string, time: Date = new Date()): Promise<boolean> {
  const output = path.join(folder, FILES.output);
  let bytes: Buffer;
  try {
    bytes = await fs.readFile(output);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  const { notebook } = readNotebook(bytes);
  prepareForRun(notebook);
  markPending(notebook);
  const document = new OutputDocument(notebook);
  for (const event of readJournal(path.join(folder, FILES.journal))) document.apply(event);
  if (!document.begun) return false;
  document.abort(time.toISOString());
  await replaceFile(output, document.serialize());
  return true;
}
