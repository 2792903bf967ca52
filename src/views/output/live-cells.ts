import * as vscode from 'vscode';
import { cellRun, type CellRun } from './cell-outcome';
import { OutputFollower } from './output-follower';

/** The running cell of a document, and the editor's sign that it runs. */
interface Running {
  readonly cell: vscode.NotebookCell;
  readonly sign: vscode.NotebookCellExecution;
}

export interface LiveCellsOptions {
  /** Whether a document grows, because its execution runs. */
  readonly isLive: (uri: vscode.Uri) => boolean;
  /** Makes the read-only kernel the one of the editor's notebook and answers it; undefined where that is not possible. */
  readonly kernelFor: (editor: vscode.NotebookEditor) => Promise<vscode.NotebookController | undefined>;
}

/**
 * Shows in the outputs on the screen which cell runs now, as VS Code shows it for cells that it runs itself, and keeps the
 * newest output in view for a user who looks at it. Nothing is run, and no document changes by it.
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

  /** To be called when a document was read again and is about to be drawn. */
  async changed(editor: vscode.NotebookEditor): Promise<void> {
    const cell = this.runningCell(editor.notebook);
    if (cell !== undefined) this.follower.follow(editor, cell.index);
    await this.update(editor);
  }

  /** To be called when a document came into sight, or its execution has changed. */
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
    // It may have been read again meanwhile, or closed.
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
