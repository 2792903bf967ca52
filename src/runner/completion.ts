import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { prepareForRun, readNotebook } from '../notebook/document';
import { FILES } from './execution-folder';
import { readJournal } from './journal';
import { markPending, OutputNotebook } from './output-notebook';
import { readWithoutOutputs } from './saved-document';
import { replaceWithPieces } from './saver';

/**
 * Completes the output.ipynb of a runner that is gone: every event in its journal is applied to the notebook again. A
 * cell that was running, and the run itself, are marked as failed at `time`, unless the journal knows their end. Where the
 * run came to nothing, its output is the notebook with no cell run.
 *
 * @param folder The execution's folder. Nobody else may be writing there.
 * @returns false where there is nothing to complete: no notebook was saved though there is a journal, or the journal is of
 *   nothing.
 * @throws SystemError where the folder cannot be read or written, NotebookError where what is there is no notebook; the
 *   output is then as it was.
 */
export async function completeFromJournal(folder: string, time: Date = new Date()): Promise<boolean> {
  const output = path.join(folder, FILES.output);
  const journal = path.join(folder, FILES.journal);
  // Its outputs are made anew.
  const saved = await readWithoutOutputs(output).catch(nothingWhereAbsent);
  // What it begins with is not there.
  if (saved === undefined && readJournal(journal).next().done !== true) return false;
  const { notebook } = readNotebook(saved ?? (await fs.readFile(path.join(folder, FILES.input))));
  prepareForRun(notebook);
  markPending(notebook);
  const document = new OutputNotebook(notebook);
  if (saved === undefined) {
    document.apply({ type: 'runStarted', time: time.toISOString(), description: '{}' });
  }
  for (const event of readJournal(journal)) document.apply(event);
  if (!document.begun) return false;
  document.abort(time.toISOString());
  await replaceWithPieces(output, document.serialize());
  return true;
}

function nothingWhereAbsent(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
