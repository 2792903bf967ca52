import { tagsOf, type CodeCell, type Notebook } from '../notebook/model';

/** Most characters of a cell's first line in the progress. */
const MAX_FIRST_LINE = 200;

/** The code cells that are run, with their index in the notebook: not blank, and not tagged `skip-execution`. */
export function cellsToRun(notebook: Notebook): [index: number, cell: CodeCell][] {
  return [...notebook.cells.entries()].filter((entry): entry is [number, CodeCell] => isToRun(entry[1]));
}

function isToRun(cell: { cell_type: string; source: string; metadata: CodeCell['metadata'] }): boolean {
  return (
    cell.cell_type === 'code' &&
    cell.source.trim() !== '' &&
    !tagsOf(cell as CodeCell).includes('skip-execution')
  );
}

/** The first line of a source, shortened so that no character is cut in two. */
export function firstLineOf(source: string): string {
  const [line = ''] = source.trimStart().slice(0, MAX_FIRST_LINE).split('\n', 1);
  return line.replace(/[\ud800-\udbff]$/, '');
}
