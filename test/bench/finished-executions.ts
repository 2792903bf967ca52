import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { ExecutionRecord } from '../../src/service/executions/record';

/** A tenth failed; the others succeeded. They belong to 100 notebooks; each has parameters, progress and a kernel. */
function finishedExecution(index: number): ExecutionRecord {
  const failed = index % 10 === 9;
  const at = (seconds: number): string =>
    new Date(Date.UTC(2026, 0, 1) + (index * 60 + seconds) * 1000).toISOString();
  const id = `many-${String(index)}`;
  const notebook = `notebook-${String(index % 100)}`;
  const state = failed ? 'FAILED' : 'SUCCEEDED';
  const history = ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', state];
  return {
    version: 1,
    id,
    content: createHash('sha256').update(id).digest('hex'),
    createTime: at(0),
    updateTime: at(20),
    stem: notebook,
    executionTemplate: {
      parameters: `epochs: ${String(index)}\nname: run ${String(index)}\n`,
      kernelSpec: 'python3',
    },
    runOptions: { source: `file:///work/notebooks/${notebook}.ipynb`, templateName: 'This machine' },
    state,
    history: history.map((each, second) => ({ state: each, time: at(second) })),
    attempt: 1,
    outputNotebookFile: `file:///work/outputs/${id}.ipynb`,
    runStatus: {
      attempt: 1,
      startTime: at(2),
      endTime: at(20),
      progress: { totalCells: 20, completedCells: failed ? 12 : 20 },
      kernel: { name: 'python3', displayName: 'Python 3 (ipykernel)', language: 'python' },
      peakMemoryBytes: 100_000_000 + index,
      ...(failed
        ? {
            cause: 'cellError',
            cell: { index: 12, id: 'abc', errorName: 'ValueError', errorValue: 'not a number' },
          }
        : {}),
    },
  };
}

/** Fills a data directory of the embedded service with finished executions. */
export function writeFinishedExecutions(dataDirectory: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const record = finishedExecution(index);
    const folder = path.join(dataDirectory, 'executions', record.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, 'execution.json'), JSON.stringify(record));
  }
}
