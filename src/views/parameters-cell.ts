import type * as vscode from 'vscode';

/** Tag of the cell that parameters are read from (papermill's convention). */
export const PARAMETERS_TAG = 'parameters';

/** The tags of a cell, where the built-in ipynb support keeps nbformat's metadata. */
export function cellTags(cell: vscode.NotebookCell): string[] {
  const inner: unknown = (cell.metadata as Record<string, unknown>)['metadata'];
  const tags: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'tags') : undefined;
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

/** Whether parameters are read from this cell. */
export function isParametersCell(cell: vscode.NotebookCell): boolean {
  return cellTags(cell).includes(PARAMETERS_TAG);
}
