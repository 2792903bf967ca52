import * as vscode from 'vscode';
import { readAll } from '../../execution/read-all';
import type { TrackedExecution } from '../../tracking/execution-store';
import { revealCell } from './reveal-cell';

/**
 * Opens the notebook that an execution was submitted from, for editing, at the failed cell if there is one.
 * @returns undefined if the notebook no longer exists.
 */
export async function openSource(tracked: TrackedExecution): Promise<vscode.NotebookEditor | undefined> {
  const { source } = tracked.execution.runOptions ?? {};
  const document = source === undefined ? undefined : await documentOf(vscode.Uri.parse(source));
  if (document === undefined) return undefined;
  const viewColumn = columnOf(document.uri);
  const editor = await vscode.window.showNotebookDocument(document, {
    preview: false,
    ...(viewColumn === undefined ? {} : { viewColumn }),
  });
  const failed = await failedCell(tracked, document.getCells());
  if (failed !== undefined) revealCell(editor, failed);
  return editor;
}

async function documentOf(uri: vscode.Uri): Promise<vscode.NotebookDocument | undefined> {
  const open = vscode.workspace.notebookDocuments.find((each) => each.uri.toString() === uri.toString());
  // An untitled notebook exists only while it is open.
  if (open !== undefined || uri.scheme === 'untitled') return open;
  try {
    await vscode.workspace.fs.stat(uri);
  } catch {
    return undefined;
  }
  return vscode.workspace.openNotebookDocument(uri);
}

/** The editor column in which the notebook is already open. */
function columnOf(uri: vscode.Uri): vscode.ViewColumn | undefined {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .find(({ input }) => input instanceof vscode.TabInputNotebook && input.uri.toString() === uri.toString())
    ?.group.viewColumn;
}

/**
 * The current index of the failed cell in the notebook: found by the cell's id; in formats without ids by its submitted
 * text, else by its position. Undefined if no cell failed.
 */
async function failedCell(
  { service, execution }: TrackedExecution,
  cells: readonly vscode.NotebookCell[],
): Promise<number | undefined> {
  const failed = execution.runStatus?.cell;
  if (failed === undefined) return undefined;
  const byId = cells.findIndex((cell) => failed.id !== undefined && cellIdOf(cell) === failed.id);
  if (byId >= 0) return byId;
  const input = await service.readInput(execution);
  const { readNotebook } = await import('../../notebook/document');
  const submitted = input === undefined ? [] : readNotebook(await readAll(input)).notebook.cells;
  // Parameters insert a cell into the output, so positions there differ.
  const place = submitted.findIndex(({ id }) => id === failed.id);
  const text = submitted[place]?.source;
  const isSame = (cell: vscode.NotebookCell | undefined) =>
    cell?.document.getText().replaceAll('\r\n', '\n') === text;
  const index = place < 0 ? failed.index : isSame(cells[place]) ? place : cells.findIndex(isSame);
  return Math.min(index < 0 ? place : index, cells.length - 1);
}

/** The cell id of nbformat 4.5, where VS Code's notebook serializer keeps it. */
function cellIdOf(cell: vscode.NotebookCell): unknown {
  return (cell.metadata as Record<string, unknown>)['id'];
}
