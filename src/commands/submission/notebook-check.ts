import * as path from 'node:path';
import * as vscode from 'vscode';
import { readNotebook, type NotebookReading } from '../../notebook/document';
import { NotebookError } from '../../notebook/errors';
import { notebookSentence } from '../../wording/input-sentences';
import { oneLine } from '../../wording/text';
import { Problem, type Remedy } from '../../wording/problem';
import { captureNotebook } from './notebook-capture';

/** The content of a notebook at one time, including unsaved edits. Parsed at most once, when it is first checked. */
export class CapturedNotebook {
  private outcome: NotebookReading | Problem | undefined;

  /**
   * @param source URI of the notebook.
   * @param bytes UTF-8 JSON of the .ipynb.
   */
  constructor(
    readonly source: vscode.Uri,
    readonly bytes: Uint8Array,
  ) {}

  /** @throws ServiceError `inputNotFound` if the notebook is not open and its file cannot be read. */
  static async capture(source: vscode.Uri): Promise<CapturedNotebook> {
    return new CapturedNotebook(source, await captureNotebook(source));
  }

  /** The notebook's content now: this object if it has not changed. Errors as for {@link capture}. */
  async captureAgain(): Promise<CapturedNotebook> {
    const now = await CapturedNotebook.capture(this.source);
    return Buffer.compare(now.bytes, this.bytes) === 0 ? this : now;
  }

  /**
   * The parsed notebook, which callers must not change.
   * @throws Problem if the notebook is invalid; its button opens the file.
   */
  check(): NotebookReading {
    this.outcome ??= parse(this.source, this.bytes);
    if (this.outcome instanceof Problem) throw this.outcome;
    return this.outcome;
  }
}

function parse(source: vscode.Uri, bytes: Uint8Array): NotebookReading | Problem {
  try {
    return readNotebook(bytes);
  } catch (error) {
    if (!(error instanceof NotebookError)) throw error;
    const name = path.posix.basename(source.path);
    const remedies = error.code === 'tooLarge' ? [] : [openFile(source, error)];
    return new Problem(notebookSentence(error.code, oneLine(name), error.args), remedies, { cause: error });
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
