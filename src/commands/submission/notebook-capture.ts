import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';

/**
 * The current content of a notebook, including unsaved edits. Does not save anything.
 * @throws ServiceError `inputNotFound` if it is not open and its file cannot be read.
 */
export async function captureNotebook(uri: vscode.Uri): Promise<Uint8Array> {
  const key = uri.toString();
  const notebook = vscode.workspace.notebookDocuments.find((each) => each.uri.toString() === key);
  if (notebook !== undefined && (notebook.isDirty || notebook.isUntitled)) return serialize(notebook);
  // The file may be open in a text editor.
  const text = vscode.workspace.textDocuments.find((each) => each.uri.toString() === key);
  if (text?.isDirty === true) return new TextEncoder().encode(text.getText());
  try {
    return await vscode.workspace.fs.readFile(uri);
  } catch (error) {
    const path = uri.scheme === 'file' ? uri.fsPath : uri.toString(true);
    throw new ServiceError('NOT_FOUND', 'inputNotFound', `Cannot read ${path}`, { path }, { cause: error });
  }
}

/**
 * Converts an open document to nbformat. Outputs are omitted, because the run starts without them. The built-in ipynb
 * support keeps the parts of nbformat without a place in the editor as follows: the notebook's `metadata` is the
 * document without its cells; a cell's `metadata` has the cell's `id`, `metadata` and `attachments`.
 */
function serialize(notebook: vscode.NotebookDocument): Uint8Array {
  const { metadata, ...format } = recordOf(notebook.metadata);
  const cells = notebook.getCells().map((cell) => {
    const own = recordOf(cell.metadata);
    const id = typeof own['id'] === 'string' ? { id: own['id'] } : {};
    const attachments = own['attachments'] === undefined ? {} : { attachments: own['attachments'] };
    const common = { ...id, metadata: recordOf(own['metadata']), source: textOf(cell.document) };
    if (cell.kind === vscode.NotebookCellKind.Markup)
      return { cell_type: 'markdown', ...common, ...attachments };
    return cell.document.languageId === 'raw'
      ? { cell_type: 'raw', ...common, ...attachments }
      : { cell_type: 'code', ...common, outputs: [], execution_count: null };
  });
  const document = {
    metadata: withLanguage(recordOf(metadata), notebook),
    nbformat: format['nbformat'] ?? 4,
    nbformat_minor: format['nbformat_minor'] ?? 5,
    cells,
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

/** Sets the notebook's language to that of its code cells if no kernel was ever selected for it. */
function withLanguage(
  metadata: Record<string, unknown>,
  notebook: vscode.NotebookDocument,
): Record<string, unknown> {
  if (metadata['kernelspec'] !== undefined || metadata['language_info'] !== undefined) return metadata;
  const code = notebook.getCells().find((cell) => cell.kind === vscode.NotebookCellKind.Code);
  return code === undefined ? metadata : { ...metadata, language_info: { name: code.document.languageId } };
}

function textOf(document: vscode.TextDocument): string {
  return document.getText().replaceAll('\r\n', '\n');
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
