import * as vscode from 'vscode';
import type { CommandMap } from './command-map';
import { Problem } from './problems/problem';
import { propertyOf } from './targets';

const TAG = 'parameters';

/** Mark Cell as Parameters: tags one cell of a notebook, and takes the tag from any other. */
export function parametersCellCommand(): Pick<CommandMap, 'notebookExecutions.markCellAsParameters'> {
  return {
    'notebookExecutions.markCellAsParameters': async (...args) => {
      const cell = cellOf(args[0]);
      if (cell === undefined) {
        throw new Problem(vscode.l10n.t('Choose a cell of a notebook first.'));
      }
      if (cell.kind !== vscode.NotebookCellKind.Code) {
        throw new Problem(vscode.l10n.t('Parameters are set in a code cell. Choose one first.'));
      }
      const edits = cell.notebook.getCells().flatMap((each) => {
        const tags = tagsOf(each);
        const others = tags.filter((tag) => tag !== TAG);
        const wanted = each === cell ? [TAG, ...others] : others;
        return tags.length === wanted.length && tags.includes(TAG) === (each === cell)
          ? []
          : [vscode.NotebookEdit.updateCellMetadata(each.index, withTags(each, wanted))];
      });
      const edit = new vscode.WorkspaceEdit();
      edit.set(cell.notebook.uri, edits);
      if (!(await vscode.workspace.applyEdit(edit))) {
        throw new Problem(vscode.l10n.t('The notebook cannot be changed.'));
      }
    },
  };
}

/** The cell whose menu was used, else the one that is selected. */
function cellOf(argument: unknown): vscode.NotebookCell | undefined {
  const index = propertyOf(argument, 'index');
  const notebook = propertyOf(propertyOf(argument, 'notebook'), 'uri');
  if (typeof index === 'number' && notebook instanceof vscode.Uri) {
    return vscode.workspace.notebookDocuments
      .find(({ uri }) => uri.toString() === notebook.toString())
      ?.cellAt(index);
  }
  const editor = vscode.window.activeNotebookEditor;
  return editor === undefined || editor.notebook.cellCount === 0
    ? undefined
    : editor.notebook.cellAt(editor.selection.start);
}

/** Where the built-in ipynb support keeps a cell's nbformat metadata. */
function tagsOf(cell: vscode.NotebookCell): string[] {
  const tags = propertyOf(propertyOf(cell.metadata, 'metadata'), 'tags');
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

function withTags(cell: vscode.NotebookCell, tags: readonly string[]): Record<string, unknown> {
  const inner = propertyOf(cell.metadata, 'metadata');
  const { tags: _, ...others } = typeof inner === 'object' && inner !== null ? { ...inner, tags } : { tags };
  return { ...cell.metadata, metadata: tags.length === 0 ? others : { ...others, tags } };
}
