import { pathToFileURL } from 'node:url';
import type { ExecutionWarning } from '../execution/execution';
import { isTerminal } from '../execution/states';
import { exists } from '../system/programs';
import { readStatus, removeJobs } from './attempt-files';
import type { Entry } from './entry';
import { errorCode } from './files';
import type { FolderStore } from './folder-store';
import { pathOfUri } from './input';
import { placeOutput } from './output';
import { now, type ExecutionRecord, type Merged } from './record';

/** Wait before a record that could not be written is written again, milliseconds. */
const RETRY_MS = 2_000;

/** Brings executions to their end. */
export class ExecutionEnding {
  constructor(
    private readonly store: FolderStore,
    private readonly log: (message: string) => void,
  ) {}

  /** Ends the execution: the output is in its place and the record on disk before anybody is shown the final state. */
  async end(
    entry: Entry,
    { state, history, runStatus: { history: _history, ...runStatus } }: Merged,
  ): Promise<void> {
    const { record } = entry;
    const { store } = this;
    const time = now();
    const warnings: ExecutionWarning[] = [...(runStatus.warnings ?? [])];
    const placed = await this.#place(record, warnings);
    const final: Partial<ExecutionRecord> = {
      state,
      updateTime: time,
      outputNotebookFile: placed ?? record.outputNotebookFile,
      history: history.at(-1)?.state === state ? history : [...history, { state, time }],
      runStatus: {
        startTime: record.history.findLast((each) => each.state === 'PREPARING')?.time,
        endTime: time,
        ...runStatus,
        attempt: record.attempt,
        host: record.host,
        ...(warnings.length === 0 ? {} : { warnings }),
      },
    };
    const { runtime: _runtime, ...rest } = record;
    const show = (): void => {
      Object.assign(record, final);
      delete record.runtime;
      entry.status = undefined;
    };
    // What the runner left on disk already says the same, and a restart would come to this same end. Where there may be
    // more than one attempt, the environment is still on disk, and goes before the end is shown.
    const known =
      placed === undefined &&
      (record.runOptions.maxAttempts ?? 1) === 1 &&
      isTerminal(readStatus(store, record, this.log)?.state);
    if (known) show();
    await this.#persist({ ...rest, ...final });
    if (!known) show();
    // What was asked for meanwhile was perhaps written over the end.
    const asked = ({ cancelTime, deleteTime, pinned }: ExecutionRecord): unknown[] => [
      cancelTime,
      deleteTime,
      pinned,
    ];
    if (asked(record).some((value, index) => value !== asked(rest)[index])) await this.#persist(record);
  }

  async #place(record: ExecutionRecord, warnings: ExecutionWarning[]): Promise<string | undefined> {
    const uri = record.executionTemplate.outputNotebookFolder;
    const output = this.store.file(record.id, 'output');
    if (uri === undefined || !(await exists(output))) return undefined;
    const folder = pathOfUri(uri, 'outputNotebookFolder');
    try {
      return pathToFileURL(await placeOutput(output, folder, record)).href;
    } catch (error) {
      this.log(`${record.id}: output not placed: ${String(error)}`);
      warnings.push({ code: 'outputNotPlaced', args: [folder, errorCode(error) ?? String(error)] });
      return undefined;
    }
  }

  /** Saves a final record, now or as soon as the disk takes it: what memory says is true already. */
  async #persist(record: ExecutionRecord): Promise<void> {
    try {
      const { store } = this;
      // Whoever sees the end must not find the person's environment.
      const leftOver = await removeJobs(store, record.id);
      await store.save(record);
      if (leftOver.length > 0) throw leftOver[0];
    } catch (error) {
      if (record.deleteTime !== undefined && errorCode(error) === 'ENOENT') return;
      this.log(`${record.id}: record not written, again in ${RETRY_MS} ms: ${String(error)}`);
      setTimeout(() => void this.#persist(record), RETRY_MS).unref();
    }
  }
}
