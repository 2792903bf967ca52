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

/**
 * Opens a copy of a document as a new Jupyter notebook, which can be edited, run and saved as any other.
 * @param kernelspec the copy's `metadata.kernelspec`; undefined: that of the document.
 */
export async function openCopy(
  document: vscode.NotebookDocument,
  kernelspec?: Readonly<Record<string, string>>,
): Promise<vscode.NotebookDocument> {
  const { originalOutput } = await import('./notebook-data');
  const copy = await vscode.workspace.openNotebookDocument(JUPYTER_NOTEBOOK, new vscode.NotebookData([]));
  const cells = document.getCells().map((cell) => copyOf(cell, cell.outputs.map(originalOutput)));
  const { metadata: own, ...format } = document.metadata as { metadata?: object };
  const metadata =
    kernelspec === undefined ? document.metadata : { ...format, metadata: { ...own, kernelspec } };
  // Put in afterwards: of what a notebook is opened with, VS Code loses the outputs.
  const edit = new vscode.WorkspaceEdit();
  edit.set(copy.uri, [
    vscode.NotebookEdit.insertCells(0, cells),
    vscode.NotebookEdit.updateNotebookMetadata(metadata),
  ]);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showNotebookDocument(copy, { preview: false });
  return copy;
}

function copyOf(
  { document, kind, metadata }: vscode.NotebookCell,
  outputs: vscode.NotebookCellOutput[],
): vscode.NotebookCellData {
  const copy = new vscode.NotebookCellData(kind, document.getText(), document.languageId);
  copy.metadata = metadata;
  copy.outputs = outputs;
  // Not the cell's own number: that is gone for a moment after somebody wanted to run it.
  const count: unknown = metadata['execution_count'];
  if (typeof count === 'number') copy.executionSummary = { executionOrder: count };
  return copy;
}
