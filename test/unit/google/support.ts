import type { Execution } from '../../../src/execution/execution';
import type { ExecutionService, OutputDocument } from '../../../src/execution/execution-service';
import { isTerminal } from '../../../src/execution/states';

/** A Python notebook with these code cells; `{ parameters: true }` tags the preceding one. */
export function notebookOf(...sources: (string | { parameters: true })[]): Uint8Array {
  const cells: {
    cell_type: 'code';
    id: string;
    metadata: { tags?: string[] };
    source: string;
    outputs: unknown[];
    execution_count: null;
  }[] = [];
  for (const source of sources) {
    const last = cells.at(-1);
    if (typeof source === 'string') {
      cells.push({
        cell_type: 'code',
        id: `cell-${String(cells.length)}`,
        metadata: {},
        source,
        outputs: [],
        execution_count: null,
      });
    } else if (last !== undefined) {
      last.metadata.tags = ['parameters'];
    }
  }
  const metadata = { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } };
  return Buffer.from(JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
}

/** Polls until the execution has ended. */
export async function untilEnded(service: ExecutionService, name: string): Promise<Execution> {
  for (;;) {
    const execution = await service.get(name);
    if (isTerminal(execution.state)) return execution;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The complete text of a document. */
export async function readText(document: OutputDocument | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of document?.read() ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The parts of a notebook that the tests use. */
export interface ReadNotebook {
  readonly cells: { source: string | string[]; outputs: unknown[]; execution_count: number | null }[];
}

export function parseNotebook(text: string | Uint8Array): ReadNotebook {
  return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8')) as ReadNotebook;
}

/** The source of a cell, joined. */
export function sourceOf(notebook: ReadNotebook, cell: number): string {
  const source = notebook.cells[cell]?.source ?? '';
  return typeof source === 'string' ? source : source.join('');
}

/** One cell, which must exist. */
export function cellOf(notebook: ReadNotebook, cell: number): ReadNotebook['cells'][number] {
  const found = notebook.cells[cell];
  if (found === undefined) throw new Error(`The notebook has no cell ${String(cell)}.`);
  return found;
}
