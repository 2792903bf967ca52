import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { prepareForRun, readNotebook } from '../notebook/document';
import { FILES } from '../protocol/execution-folder';
import type { RunnerStatus } from '../protocol/runner-job';
import { readJournal } from './journal';
import { markPending, OutputNotebook } from './output-notebook';
import { readWithoutOutputs } from './saved-document';
import { replaceWithPieces } from './saver';

/** What became of the output of a runner that is gone. */
export interface Completion {
  /** False where there is nothing to complete: no notebook was saved though there is a journal, or the journal is of nothing. */
  readonly isCompleted: boolean;
  /** A part of the journal could not be read; what was recorded before and after it is in the output. */
  readonly isDamaged: boolean;
  /** How the run ended by its journal; absent where it had not ended. */
  readonly end?: RunnerStatus;
}

const NOTHING: Completion = { isCompleted: false, isDamaged: false };

/**
 * Completes the output.ipynb of a runner that is gone: every event in its journal is applied to the notebook again. A
 * cell that was running, and the run itself, are marked as failed at `time`, unless the journal knows their end. Where the
 * run came to nothing, its output is the notebook with no cell run.
 *
 * @param folder The execution's folder. Nobody else may be writing there.
 * @throws SystemError where the folder cannot be read or written, NotebookError where what is there is no notebook; the
 *   output is then as it was.
 */
export async function completeFromJournal(folder: string, time: Date = new Date()): Promise<Completion> {
  const output = path.join(folder, FILES.output);
  const journal = path.join(folder, FILES.journal);
  // Its outputs are made anew.
  const saved = await readWithoutOutputs(output).catch(nothingWhereAbsent);
  // What it begins with is not there.
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
    if (!document.begun && event.type !== 'runStarted') document.apply(start);
    try {
      document.apply(event);
    } catch {
      // A disk may damage what a record holds, too.
      isDamaged = true;
    }
    if (event.type === 'runEnded') end = event.status;
  }
  if (!document.begun) return NOTHING;
  document.abort(time.toISOString());
  await replaceWithPieces(output, document.serialize());
  return { isCompleted: true, isDamaged, ...(end && { end }) };
}

function nothingWhereAbsent(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
