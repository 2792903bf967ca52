import type * as vscode from 'vscode';

/*
 * How the run of a cell ended, from the cell's metadata. `papermill` (papermill's convention, which our runner writes
 * too) has the times and whether the cell failed. `execution` (nbclient's convention) has only the times.
 */

/** A code cell with nbformat's own names. */
export interface RunCell {
  readonly metadata: unknown;
  readonly outputs: readonly { readonly output_type: string }[];
}

/** The run of a cell. Times in milliseconds since the epoch. */
export interface CellRun {
  /** papermill's status: `pending`, `running`, `completed`, `failed`; undefined if the metadata has none. */
  readonly status: string | undefined;
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
}

/** Reads a cell's metadata about its run. */
export function cellRun(metadata: unknown): CellRun {
  // Without zod, so that zod is not loaded when a window starts: this file is loaded to show outputs.
  const papermill = fieldsOf(fieldsOf(metadata)['papermill']);
  const execution = fieldsOf(fieldsOf(metadata)['execution']);
  return {
    status: typeof papermill['status'] === 'string' ? papermill['status'] : undefined,
    startTime: timeOf(
      papermill['start_time'] ?? execution['iopub.execute_input'] ?? execution['iopub.status.busy'],
    ),
    endTime: timeOf(
      papermill['end_time'] ?? execution['shell.execute_reply'] ?? execution['iopub.status.idle'],
    ),
  };
}

/** Whether a cell succeeded and when it ran, for the editor's tick or cross; empty if it has not finished. */
export function cellOutcome({
  metadata,
  outputs,
}: RunCell): Pick<vscode.NotebookCellExecutionSummary, 'success' | 'timing'> {
  const { status, startTime, endTime } = cellRun(metadata);
  if (startTime === undefined || endTime === undefined) return {};
  const failed = status === 'failed' || outputs.some(({ output_type }) => output_type === 'error');
  return { success: !failed, timing: { startTime, endTime } };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** papermill writes times in UTC without a time zone. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  return Number.isNaN(time) ? undefined : time;
}
