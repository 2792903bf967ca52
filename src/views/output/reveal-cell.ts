import * as vscode from 'vscode';

/** Selects a cell and scrolls to it. */
export function revealCell(
  editor: vscode.NotebookEditor,
  index: number,
  type = vscode.NotebookEditorRevealType.InCenterIfOutsideViewport,
): void {
  if (index < 0 || index >= editor.notebook.cellCount) return;
  const range = new vscode.NotebookRange(index, index + 1);
  editor.selections = [range];
  editor.revealRange(range, type);
}

/**
 * Selects a cell and scrolls to its outputs, below code of any length. VS Code can scroll only to cells and lines, and
 * does not know an output's height before it is drawn. Therefore the last line of the code is scrolled to the middle,
 * so that the outputs below it are visible.
 */
export async function revealOutputs(editor: vscode.NotebookEditor, index: number): Promise<void> {
  revealCell(editor, index, vscode.NotebookEditorRevealType.AtTop);
  const document = editor.notebook.getCells()[index]?.document;
  if (document === undefined) return;
  const end = new vscode.Position(document.lineCount - 1, 0);
  await vscode.commands.executeCommand('vscode.open', document.uri, {
    selection: new vscode.Range(end, end),
    preview: false,
    ...(editor.viewColumn === undefined ? {} : { viewColumn: editor.viewColumn }),
  });
}
