import * as vscode from 'vscode';
import type { Execution } from '../execution/execution';
import type { Clock } from '../tracking/clock';
import { parseTime } from '../wording/execution-facts';
import { OUTPUT_SCHEME } from './output/output-uri';

/**
 * Whether the user may be typing into the active editor. An editor that replaces it takes the keyboard focus, and
 * the user's input is lost.
 */
export class EditorInUse implements vscode.Disposable {
  /** When the cells of a notebook were last edited, in milliseconds since the epoch, by its URI. */
  private readonly edits = new Map<string, number>();
  private readonly subscription: vscode.Disposable;

  constructor(clock: Clock) {
    this.subscription = vscode.Disposable.from(
      vscode.workspace.onDidChangeNotebookDocument(({ notebook, cellChanges, contentChanges }) => {
        // Running the notebook in the editor changes outputs and execution counts. Those changes are not typing.
        if (contentChanges.length > 0 || cellChanges.some(({ document }) => document !== undefined))
          this.edits.set(notebook.uri.toString(), clock.now());
      }),
      vscode.workspace.onDidCloseNotebookDocument(({ uri }) => this.edits.delete(uri.toString())),
    );
  }

  /**
   * True if the output of an execution may replace the active editor: there is no editor, it is read-only, or it shows
   * the notebook of this execution and was not edited since it was submitted.
   */
  givesWayTo({ runOptions, createTime }: Execution): boolean {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    if (tab === undefined) return true;
    if (!(tab.input instanceof vscode.TabInputNotebook)) return false;
    const { uri } = tab.input;
    if (uri.scheme === OUTPUT_SCHEME) return true;
    const edited = this.edits.get(uri.toString()) ?? -Infinity;
    return uri.toString() === runOptions?.source && edited < (parseTime(createTime) ?? -Infinity);
  }

  dispose(): void {
    this.subscription.dispose();
  }
}
