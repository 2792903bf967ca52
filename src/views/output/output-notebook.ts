import * as vscode from 'vscode';
import { OUTPUT_NOTEBOOK } from './output-uri';

/** Id of this extension. */
const EXTENSION_ID = 'notebook-executions.notebook-executions';

/** VS Code's notebook type of .ipynb files. */
const JUPYTER_NOTEBOOK = 'jupyter-notebook';

/**
 * What VS Code ignores when it compares two documents: times, execution counts and versions, which differ in every run
 * and would hide the relevant changes.
 */
const NOT_COMPARED: vscode.NotebookDocumentContentOptions = {
  transientCellMetadata: { id: true, metadata: true, execution_count: true },
  transientDocumentMetadata: { metadata: true, nbformat: true, nbformat_minor: true },
};

/** Id of the kernel, unique in the extension. */
const KERNEL = 'readOnly';

/** What the read-only kernel of inputs and outputs does when the user uses the editor's buttons. */
export interface OutputNotebookOptions {
  /** Called when the user tries to run cells of a document. */
  readonly refuse: (uri: vscode.Uri) => unknown;
  /** Called when the user tries to stop what a document shows as running. */
  readonly stop: (uri: vscode.Uri) => unknown;
}

/**
 * The notebook type of inputs and outputs. VS Code shows Run All and Select Kernel for every notebook type, and without
 * a kernel it suggests extensions that provide one. A kernel that runs nothing prevents this.
 */
export class OutputNotebook implements vscode.Disposable {
  private kernel: vscode.NotebookController | undefined;
  private readonly registration: vscode.Disposable;

  constructor(private readonly options: OutputNotebookOptions) {
    // Reads .ipynb and writes nothing. The kernel is created on the first read, because most windows need none.
    const serializer: vscode.NotebookSerializer = {
      deserializeNotebook: async (content) => {
        this.kernel ??= this.readOnlyKernel();
        return (await import('./notebook-data')).notebookData(content);
      },
      serializeNotebook: () => {
        throw new Error(vscode.l10n.t('This notebook is read-only. Use Save Output As or Open a Copy.'));
      },
    };
    this.registration = vscode.workspace.registerNotebookSerializer(
      OUTPUT_NOTEBOOK,
      serializer,
      NOT_COMPARED,
    );
  }

  /** Selects the read-only kernel for an editor's notebook without asking, and returns it. */
  async kernelFor(notebookEditor: vscode.NotebookEditor): Promise<vscode.NotebookController | undefined> {
    if (this.kernel === undefined) return undefined;
    await vscode.commands.executeCommand('notebook.selectKernel', {
      notebookEditor,
      id: KERNEL,
      extension: EXTENSION_ID,
    });
    return this.kernel;
  }

  dispose(): void {
    this.kernel?.dispose();
    this.registration.dispose();
  }

  private readOnlyKernel(): vscode.NotebookController {
    const { refuse, stop } = this.options;
    const kernel = vscode.notebooks.createNotebookController(
      KERNEL,
      OUTPUT_NOTEBOOK,
      vscode.l10n.t('Read-Only'),
      (_cells, { uri }) => {
        void refuse(uri);
      },
    );
    // Without this, VS Code hides the execution counts of the cells.
    kernel.supportsExecutionOrder = true;
    kernel.interruptHandler = ({ uri }) => {
      void stop(uri);
    };
    return kernel;
  }
}

/**
 * Opens a copy of a document as a new Jupyter notebook, which can be edited, run and saved.
 * @param kernelspec the copy's `metadata.kernelspec`; by default that of the document.
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
  // Inserted with an edit, because VS Code drops the outputs of the data that a notebook is opened with.
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
  // Not the cell's own count: VS Code removes it for a moment when the user tries to run the cell.
  const count: unknown = metadata['execution_count'];
  if (typeof count === 'number') copy.executionSummary = { executionOrder: count };
  return copy;
}
