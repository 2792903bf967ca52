import * as vscode from 'vscode';
import { readNotebook, type NotebookReading } from '../../notebook/document';
import { NotebookError } from '../../notebook/errors';
import { notebookSentence } from '../../wording/input-sentences';
import { oneLine } from '../../wording/text';
import { Problem, type Remedy } from '../../wording/problem';

/**
 * Parses a notebook before it is submitted.
 * @param file its file, which the error's button opens.
 * @throws Problem if the notebook is invalid.
 */
export function checkNotebook(bytes: Uint8Array, name: string, file?: vscode.Uri): NotebookReading {
  try {
    return readNotebook(bytes);
  } catch (error) {
    if (error instanceof NotebookError) {
      const sentence = notebookSentence(error.code, oneLine(name), error.args);
      const remedies = file === undefined || error.code === 'tooLarge' ? [] : [openFile(file, error)];
      throw new Problem(sentence, remedies, { cause: error });
    }
    throw error;
  }
}

/** Opens the notebook as text at the position of the error. */
function openFile(file: vscode.Uri, { args }: NotebookError): Remedy {
  return {
    label: vscode.l10n.t('Open File'),
    run: async () => {
      const document = await vscode.workspace.openTextDocument(file);
      const place = new vscode.Position(
        Math.max(0, Number(args['line'] ?? 1) - 1),
        Math.max(0, Number(args['column'] ?? 1) - 1),
      );
      await vscode.window.showTextDocument(document, { selection: new vscode.Range(place, place) });
    },
  };
}
