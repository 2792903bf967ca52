import * as vscode from 'vscode';
import { cellRun, type CellRun } from './cell-outcome';
import { OutputFollower } from './output-follower';

/** The running cell of a document, and the editor's running indicator for it. */
interface Running {
  readonly cell: vscode.NotebookCell;
  readonly sign: vscode.NotebookCellExecution;
}

export interface LiveCellsOptions {
  /** Whether the execution of a document is running, so that the document grows. */
  readonly isLive: (uri: vscode.Uri) => boolean;
  /** Selects the read-only kernel for the editor's notebook and returns it; undefined if that fails. */
  readonly kernelFor: (editor: vscode.NotebookEditor) => Promise<vscode.NotebookController | undefined>;
}

/**
 * Shows which cell is running in visible outputs, like VS Code does for cells that it runs itself. Keeps the newest
 * output in view while the user is looking at it. Runs nothing and changes no document.
 */
export class LiveCells implements vscode.Disposable {
  private readonly running = new Map<vscode.NotebookDocument, Running>();
  /** Documents whose running cell is about to be shown. */
  private readonly starting = new Set<vscode.NotebookDocument>();
  private readonly follower = new OutputFollower();
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly options: LiveCellsOptions) {
    this.subscriptions = [
      this.follower,
      vscode.workspace.onDidCloseNotebookDocument((document) => {
        this.end(document);
      }),
    ];
  }

  /** Call this after a document was read again and before it is drawn. */
  async changed(editor: vscode.NotebookEditor): Promise<void> {
    const cell = this.runningCell(editor.notebook);
    if (cell !== undefined) this.follower.follow(editor, cell.index);
    await this.update(editor);
  }

  /** Call this when a document becomes visible or its execution has changed. */
  async update(editor: vscode.NotebookEditor): Promise<void> {
    const { notebook } = editor;
    const cell = this.runningCell(notebook);
    const before = this.running.get(notebook);
    if (before !== undefined && before.cell !== cell) this.end(notebook);
    if (cell === undefined || before?.cell === cell || this.starting.has(notebook)) return;
    this.follower.begin(notebook, cell.index);
    this.starting.add(notebook);
    try {
      await this.start(editor);
    } finally {
      this.starting.delete(notebook);
    }
  }

  dispose(): void {
    for (const document of this.running.keys()) this.end(document);
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async start(editor: vscode.NotebookEditor): Promise<void> {
    const { notebook } = editor;
    const kernel = await this.options.kernelFor(editor);
    // The document may have been read again or closed meanwhile.
    const cell = this.runningCell(notebook);
    if (kernel === undefined || cell === undefined) return;
    const sign = kernel.createNotebookCellExecution(cell);
    sign.executionOrder = countOf(cell);
    sign.start(runOf(cell).startTime);
    this.running.set(notebook, { cell, sign });
  }

  private end(document: vscode.NotebookDocument): void {
    const running = this.running.get(document);
    if (running === undefined) return;
    this.running.delete(document);
    const { cell, sign } = running;
    const { status, endTime } = runOf(cell);
    sign.executionOrder = countOf(cell);
    sign.end(endTime === undefined ? undefined : status !== 'failed', endTime);
  }

  private runningCell(document: vscode.NotebookDocument): vscode.NotebookCell | undefined {
    if (document.isClosed || !this.options.isLive(document.uri)) return undefined;
    return document.getCells().find((cell) => runOf(cell).status === 'running');
  }
}

function runOf(cell: vscode.NotebookCell): CellRun {
  return cellRun((cell.metadata as Record<string, unknown>)['metadata']);
}

function countOf(cell: vscode.NotebookCell): number | undefined {
  const count = (cell.metadata as Record<string, unknown>)['execution_count'];
  return typeof count === 'number' ? count : undefined;
}
