import * as vscode from 'vscode';
import { OUTPUT_NOTEBOOK } from './output-uri';

/** VS Code's own type of .ipynb files. */
const JUPYTER_NOTEBOOK = 'jupyter-notebook';

/**
 * Makes the notebook type of inputs and outputs known to the editor. VS Code offers Run All and Select Kernel for every
 * type, and where there is no kernel it asks for extensions that have one: here a kernel that runs nothing is in its place.
 * @param refused called where a person wanted cells of a document to run
 */
export function registerOutputNotebook(refused: (uri: vscode.Uri) => unknown): vscode.Disposable {
  let kernel: vscode.NotebookController | undefined;
  // Reads .ipynb, and writes nothing. Where nothing is read there is no kernel: most windows start without.
  const serializer: vscode.NotebookSerializer = {
    deserializeNotebook: async (content) => {
      kernel ??= readOnlyKernel(refused);
      return (await import('./notebook-data')).notebookData(content);
    },
    serializeNotebook: () => {
      throw new Error(vscode.l10n.t('This notebook is read-only. Use Save Output As or Open a Copy.'));
    },
  };
  return vscode.Disposable.from(
    { dispose: () => kernel?.dispose() },
    vscode.workspace.registerNotebookSerializer(OUTPUT_NOTEBOOK, serializer),
  );
}

function readOnlyKernel(refused: (uri: vscode.Uri) => unknown): vscode.NotebookController {
  const kernel = vscode.notebooks.createNotebookController(
    'readOnly',
    OUTPUT_NOTEBOOK,
    vscode.l10n.t('Read-Only'),
    (_cells, { uri }) => {
      void refused(uri);
    },
  );
  // Otherwise VS Code hides the numbers that the execution gave to the cells.
  kernel.supportsExecutionOrder = true;
  return kernel;
}

/** Opens a copy of a document as a new Jupyter notebook, which can be edited, run and saved as any other. */
export async function openCopy(document: vscode.NotebookDocument): Promise<void> {
  const copy = await vscode.workspace.openNotebookDocument(JUPYTER_NOTEBOOK, new vscode.NotebookData([]));
  // Put in afterwards: of what a notebook is opened with, VS Code loses the outputs.
  const edit = new vscode.WorkspaceEdit();
  edit.set(copy.uri, [
    vscode.NotebookEdit.insertCells(0, document.getCells().map(copyOf)),
    vscode.NotebookEdit.updateNotebookMetadata(document.metadata),
  ]);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showNotebookDocument(copy, { preview: false });
}

function copyOf(cell: vscode.NotebookCell): vscode.NotebookCellData {
  const { document, kind, metadata, outputs } = cell;
  const copy = new vscode.NotebookCellData(kind, document.getText(), document.languageId);
  copy.metadata = metadata;
  copy.outputs = [...outputs];
  // Not the cell's own number: that is gone for a moment after somebody wanted to run it.
  const count: unknown = metadata['execution_count'];
  if (typeof count === 'number') copy.executionSummary = { executionOrder: count };
  return copy;
}
