import * as vscode from 'vscode';
import { readAll } from '../../execution/read-all';
import type { TrackedExecution } from '../../tracking/execution-store';
import { revealCell } from './reveal-cell';

/**
 * Opens the notebook that an execution was submitted from, which can be edited; at the cell that failed where one did.
 * @returns undefined where it is not there any more.
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
  // A notebook that was never saved is there as long as it is open.
  if (open !== undefined || uri.scheme === 'untitled') return open;
  try {
    await vscode.workspace.fs.stat(uri);
  } catch {
    return undefined;
  }
  return vscode.workspace.openNotebookDocument(uri);
}

/** The column in which it is open already. */
function columnOf(uri: vscode.Uri): vscode.ViewColumn | undefined {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .find(({ input }) => input instanceof vscode.TabInputNotebook && input.uri.toString() === uri.toString())
    ?.group.viewColumn;
}

/**
 * Which cell of the notebook it is that failed, as it stands there now: by its id, in formats without ids by its text as
 * it was submitted, else by its place. Undefined where no cell failed.
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
  // Parameters insert a cell into the output, so that places differ there.
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
