import { readNotebook, type NotebookReading } from '../../notebook/document';
import { NotebookError } from '../../notebook/errors';
import { notebookSentence } from '../../views/input-sentences';
import { oneLine } from '../../views/text';
import { Problem } from '../problems/problem';

/**
 * Reads a notebook before anything is started with it.
 * @throws Problem that says what is wrong with it.
 */
export function checkNotebook(bytes: Uint8Array, name: string): NotebookReading {
  try {
    return readNotebook(bytes);
  } catch (error) {
    if (error instanceof NotebookError) {
      const sentence = notebookSentence(error.code, oneLine(name), error.args);
      throw new Problem(sentence, [], { cause: error });
    }
    throw error;
  }
}
