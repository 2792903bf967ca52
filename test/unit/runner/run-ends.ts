import * as assert from 'node:assert/strict';
import { RUN_TIMEOUTS, type NotebookRun } from '../../../src/runner/run';
import { papermill, textOf, type RunResult, type RunSettings } from './running';

/** Called with the run or its kernel’s process as soon as the cell has started. */
export function whenCellRuns(
  index: number,
  act: (run: NotebookRun, pid: number) => void,
): NonNullable<RunSettings['onStatus']> {
  let done = false;
  return ({ runStatus }, notebookRun, kernel) => {
    if (done || runStatus.progress?.cell?.index !== index) return;
    done = true;
    act(notebookRun, kernel.launched.process.pid ?? 0);
  };
}

/** A cell that prints, and never ends. */
export const HANG = 'print("started", flush=True)\nimport time\nwhile True: time.sleep(0.01)';
/** Settings with a short wait for an interrupted kernel. */
export const QUICK = { options: { timeouts: { ...RUN_TIMEOUTS, interrupt: 300 } } };

/** Asserts that a run of three cells ended in the second cell. */
export function assertCut(result: RunResult, state: string, cause: string): void {
  assert.deepEqual([result.state, result.cause], [state, cause]);
  assert.equal(result.status.runStatus.cell?.index, 1);
  assert.deepEqual(papermill(result.notebook, 'status'), ['completed', 'failed', 'pending']);
  assert.equal((result.notebook.metadata['papermill'] as Record<string, unknown>)['exception'], true);
  assert.ok(result.status.runStatus.endTime);
  for (const described of [
    result.notebook.metadata,
    ...result.notebook.cells.slice(0, 2).map(({ metadata }) => metadata),
  ]) {
    const { end_time: end, duration } = described['papermill'] as Record<string, unknown>;
    assert.ok(typeof end === 'string' && typeof duration === 'number', JSON.stringify(described));
  }
  assert.equal(textOf(result.outputs[0]), 'before\n');
}
