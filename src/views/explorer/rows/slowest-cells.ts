import * as z from 'zod/mini';
import type { TrackedExecution } from '../../../tracking/execution-store';
import { parseTime } from '../../../wording/execution-facts';
import { readAll } from '../../../execution/read-all';

/** A cell and its duration. `index` counts all cells of the output notebook from 0. */
export interface CellTiming {
  readonly index: number;
  readonly firstLine: string;
  readonly milliseconds: number;
}

/** How many cells are shown. */
const SHOWN = 5;
/** Timings of outputs larger than this are not read, in bytes. */
const LARGEST = 50 * 1024 * 1024;

/** The times in a cell's metadata, in nbclient's convention. */
const NotebookSchema = z.object({
  cells: z.array(
    z.object({
      source: z.union([z.string(), z.array(z.string())]),
      metadata: z.object({ execution: z.optional(z.record(z.string(), z.unknown())) }),
    }),
  ),
});

/** The slowest cells, slowest first; undefined if the output is missing, too large or has no times. */
export async function slowestCells({
  service,
  execution,
}: TrackedExecution): Promise<CellTiming[] | undefined> {
  const document = await service.readOutput(execution);
  if (document === undefined || (document.size ?? 0) > LARGEST) return undefined;
  const notebook = NotebookSchema.safeParse(JSON.parse(new TextDecoder().decode(await readAll(document))));
  if (!notebook.success) return undefined;
  const timings = notebook.data.cells.flatMap(({ source, metadata }, index) => {
    const times = metadata.execution ?? {};
    const start = timeOf(times['iopub.execute_input'] ?? times['iopub.status.busy']);
    const end = timeOf(times['shell.execute_reply'] ?? times['iopub.status.idle']);
    if (start === undefined || end === undefined) return [];
    const text = typeof source === 'string' ? source : source.join('');
    const firstLine = text.split('\n').find((line) => line.trim() !== '') ?? '';
    return [{ index, firstLine, milliseconds: end - start }];
  });
  if (timings.length === 0) return undefined;
  return timings.sort((one, other) => other.milliseconds - one.milliseconds).slice(0, SHOWN);
}

function timeOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseTime(value) : undefined;
}
