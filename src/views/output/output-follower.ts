import * as vscode from 'vscode';

/** Limits for scrolling the newest output back into view: number of times, and milliseconds since the last change. */
const TIMES = 2;
const SETTLE = 3000;

interface Followed {
  /** The cell to keep in view. */
  readonly target: number;
  /** The first visible cell when this was last checked. */
  start: number;
  readonly time: number;
  left: number;
}

/**
 * Keeps the newest output of a growing document in view, unless the user has scrolled away. Outputs are drawn after the
 * document has changed and can push the newest output out of view. It is then scrolled into view again.
 */
export class OutputFollower implements vscode.Disposable {
  private readonly followed = new WeakMap<vscode.NotebookEditor, Followed>();
  /** The cell that is visible when the user is looking at the newest output. */
  private readonly targets = new WeakMap<vscode.NotebookDocument, number>();
  private readonly subscription = vscode.window.onDidChangeNotebookEditorVisibleRanges(
    ({ notebookEditor }) => {
      this.settle(notebookEditor);
    },
  );

  /** Call this with the index of the running cell when a document first has one. */
  begin(notebook: vscode.NotebookDocument, running: number): void {
    if (!this.targets.has(notebook)) this.targets.set(notebook, targetOf(notebook, running));
  }

  /**
   * Call this after a document has changed and before the editor has drawn it.
   * @param running index of the running cell.
   */
  follow(editor: vscode.NotebookEditor, running: number): void {
    const { notebook } = editor;
    const before = this.targets.get(notebook);
    const target = targetOf(notebook, running);
    this.targets.set(notebook, target);
    const following = (before !== undefined && isVisible(editor, before)) || this.followed.has(editor);
    if (!following) return;
    const start = editor.visibleRanges[0]?.start ?? 0;
    this.followed.set(editor, { target, start, time: Date.now(), left: TIMES });
    reveal(editor, target);
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private settle(editor: vscode.NotebookEditor): void {
    const followed = this.followed.get(editor);
    if (followed === undefined) return;
    const start = editor.visibleRanges[0]?.start ?? 0;
    // Growing outputs push the end out of view but do not move the start. A user who scrolls up moves both.
    const scrolledUp = start < followed.start;
    followed.start = start;
    if (isVisible(editor, followed.target)) return;
    if (scrolledUp || followed.left === 0 || Date.now() - followed.time > SETTLE) {
      this.followed.delete(editor);
      return;
    }
    followed.left--;
    reveal(editor, followed.target);
  }
}

/** The cell after the running one: it is visible if the end of the running cell's outputs is. */
function targetOf({ cellCount }: vscode.NotebookDocument, running: number): number {
  return Math.min(running + 1, cellCount - 1);
}

function isVisible(editor: vscode.NotebookEditor, cell: number): boolean {
  return editor.visibleRanges.some(({ start, end }) => start <= cell && cell < end);
}

function reveal(editor: vscode.NotebookEditor, cell: number): void {
  editor.revealRange(new vscode.NotebookRange(cell, cell + 1));
}
