import * as vscode from 'vscode';
import { cellTags, isParametersCell, PARAMETERS_TAG } from '../views/parameters-cell';
import type { CommandMap } from './command-map';
import { Problem } from '../wording/problem';
import { propertyOf } from './targets';

type Handled = 'notebookExecutions.markCellAsParameters' | 'notebookExecutions.unmarkParametersCell';

/** Marks a notebook's parameters cell, and removes the mark. */
export function parametersCellCommands(): Pick<CommandMap, Handled> {
  return {
    'notebookExecutions.markCellAsParameters': async (cell) => {
      if (cell === undefined) throw new Problem(vscode.l10n.t('Choose a cell of a notebook first.'));
      if (cell.kind !== vscode.NotebookCellKind.Code)
        throw new Problem(vscode.l10n.t('Parameters are set in a code cell. Choose one first.'));
      await mark(cell.notebook, cell);
    },
    'notebookExecutions.unmarkParametersCell': async (cell) => {
      const notebook = cell?.notebook ?? vscode.window.activeNotebookEditor?.notebook;
      if (notebook === undefined) throw new Problem(vscode.l10n.t('Open a notebook first.'));
      await mark(notebook, undefined);
    },
  };
}

/** Adds the tag to one cell, or to none, and removes it from all others. */
async function mark(
  notebook: vscode.NotebookDocument,
  marked: vscode.NotebookCell | undefined,
): Promise<void> {
  const edits = notebook
    .getCells()
    .filter((cell) => isParametersCell(cell) !== (cell === marked))
    .map((cell) => {
      const others = cellTags(cell).filter((tag) => tag !== PARAMETERS_TAG);
      const tags = cell === marked ? [PARAMETERS_TAG, ...others] : others;
      return vscode.NotebookEdit.updateCellMetadata(cell.index, withTags(cell, tags));
    });
  // VS Code rejects an edit without changes.
  if (edits.length === 0) return;
  const edit = new vscode.WorkspaceEdit();
  edit.set(notebook.uri, edits);
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new Problem(vscode.l10n.t('The notebook cannot be changed.'));
}

function withTags(cell: vscode.NotebookCell, tags: readonly string[]): Record<string, unknown> {
  const inner = propertyOf(cell.metadata, 'metadata');
  const { tags: _, ...others } = typeof inner === 'object' && inner !== null ? { ...inner, tags } : { tags };
  return { ...cell.metadata, metadata: tags.length === 0 ? others : { ...others, tags } };
}
