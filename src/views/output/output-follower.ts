import * as vscode from 'vscode';

/** How often, and for how long after a document has grown, its newest output is brought back into view, in milliseconds. */
const TIMES = 2;
const SETTLE = 3000;

interface Followed {
  /** The cell that must stay in view. */
  readonly target: number;
  /** The first cell in view since the document last grew. */
  start: number;
  readonly time: number;
  left: number;
}

/**
 * Keeps the newest output of growing documents in view for a user who looks at it; one who has scrolled away is left alone.
 * Outputs are drawn after the document has changed, and what grows pushes the newest out of view: then it is shown again.
 */
export class OutputFollower implements vscode.Disposable {
  private readonly followed = new WeakMap<vscode.NotebookEditor, Followed>();
  /** The cell whose sight means that the user looks at the newest output. */
  private readonly targets = new WeakMap<vscode.NotebookDocument, number>();
  private readonly subscription = vscode.window.onDidChangeNotebookEditorVisibleRanges(
    ({ notebookEditor }) => {
      this.settle(notebookEditor);
    },
  );

  /** To be called when the running cell of a document is first seen, with its index. */
  begin(notebook: vscode.NotebookDocument, running: number): void {
    if (!this.targets.has(notebook)) this.targets.set(notebook, targetOf(notebook, running));
  }

  /**
   * To be called when a document has changed, before the editor has drawn it.
   * @param running index of the cell that runs now.
   */
  follow(editor: vscode.NotebookEditor, running: number): void {
    const { notebook } = editor;
    const before = this.targets.get(notebook);
    const target = targetOf(notebook, running);
    this.targets.set(notebook, target);
    const looking = (before !== undefined && isVisible(editor, before)) || this.followed.has(editor);
    if (!looking) return;
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
    // What grows pushes the end out of view and leaves the beginning; a user who scrolls up moves both.
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

/** The cell behind the running one is in sight where the end of its outputs is. */
function targetOf({ cellCount }: vscode.NotebookDocument, running: number): number {
  return Math.min(running + 1, cellCount - 1);
}

function isVisible(editor: vscode.NotebookEditor, cell: number): boolean {
  return editor.visibleRanges.some(({ start, end }) => start <= cell && cell < end);
}

function reveal(editor: vscode.NotebookEditor, cell: number): void {
  editor.revealRange(new vscode.NotebookRange(cell, cell + 1));
}
