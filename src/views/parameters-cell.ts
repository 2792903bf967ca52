import type * as vscode from 'vscode';

/** Tag of the cell that declares the parameters (papermill's convention). */
export const PARAMETERS_TAG = 'parameters';

/** The tags of a cell. The built-in ipynb support keeps nbformat's metadata in `metadata.metadata`. */
export function cellTags(cell: vscode.NotebookCell): string[] {
  const inner: unknown = (cell.metadata as Record<string, unknown>)['metadata'];
  const tags: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'tags') : undefined;
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

/** Whether this cell declares the parameters. */
export function isParametersCell(cell: vscode.NotebookCell): boolean {
  return cellTags(cell).includes(PARAMETERS_TAG);
}
