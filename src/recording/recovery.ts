import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { prepareForRun, readNotebook } from '../notebook/document';
import { FILES } from '../protocol/execution-folder';
import type { RunnerStatus } from '../protocol/runner-job';
import { readJournal } from './journal';
import { markPending, OutputNotebook } from './output-notebook';
import { readWithoutOutputs } from './saved-document';
import { replaceWithPieces } from './saver';

/** Result of completing the output of a dead runner. */
export interface Completion {
  /** False if the output was left as it is: there is a journal but no saved notebook, or a saved one but no events. */
  readonly isCompleted: boolean;
  /** A part of the journal could not be read; the events before and after it are in the output. */
  readonly isDamaged: boolean;
  /** How the run ended according to its journal; absent if it had not ended. */
  readonly end?: RunnerStatus;
}

const NOTHING: Completion = { isCompleted: false, isDamaged: false };

/**
 * Completes the output.ipynb of a dead runner: applies every event of its journal to the notebook again. A cell that
 * was running, and the run itself, are marked as failed at `time`, unless the journal contains their end. If
 * nothing was saved and the journal is empty, the output is the notebook with no cell run.
 *
 * @param folder The execution's folder. No other process may be writing there.
 * @throws SystemError if the folder cannot be read or written, NotebookError if the notebook in it is not valid; the
 *   output is unchanged then.
 */
export async function completeFromJournal(folder: string, time: Date = new Date()): Promise<Completion> {
  const output = path.join(folder, FILES.output);
  const journal = path.join(folder, FILES.journal);
  // The outputs are restored from the journal.
  const saved = await readWithoutOutputs(output).catch(nothingWhereAbsent);
  // The document that the journal's events apply to is missing.
  if (saved === undefined && readJournal(journal).next().done !== true) return NOTHING;
  const { notebook } = readNotebook(saved ?? (await fs.readFile(path.join(folder, FILES.input))));
  prepareForRun(notebook);
  markPending(notebook);
  const document = new OutputNotebook(notebook);
  const start = { type: 'runStarted', time: time.toISOString(), description: '{}' } as const;
  if (saved === undefined) document.apply(start);
  let isDamaged = false;
  let end: RunnerStatus | undefined;
  const onDamage = (): void => {
    isDamaged = true;
  };
  for (const event of readJournal(journal, onDamage)) {
    if (!document.hasStarted && event.type !== 'runStarted') document.apply(start);
    try {
      document.apply(event);
    } catch {
      // The disk may have damaged the content of a record, too.
      isDamaged = true;
    }
    if (event.type === 'runEnded') end = event.status;
  }
  if (!document.hasStarted) return NOTHING;
  document.abort(time.toISOString());
  await replaceWithPieces(output, document.serialize());
  return { isCompleted: true, isDamaged, ...(end && { end }) };
}

function nothingWhereAbsent(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
