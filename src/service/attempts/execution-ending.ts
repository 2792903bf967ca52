import { pathToFileURL } from 'node:url';
import type { ExecutionWarning } from '../../execution/execution';
import { isTerminal } from '../../execution/states';
import { exists } from '../../system/programs';
import { readStatus, removeJobs } from '../executions/attempt-files';
import { showEnding, type Entry } from '../executions/entry';
import { errorCode } from '../../system/files';
import type { FolderStore } from '../executions/folder-store';
import { pathOfUri } from '../create/client-files';
import { placeOutput } from '../executions/placed-output';
import { now, type Merged, type Placing } from '../executions/record';

/** Delay before a record that could not be written is written again, milliseconds. */
const RETRY_MS = 2_000;

/** Ends executions: places the output and saves the final record. */
export class ExecutionEnding {
  constructor(
    private readonly store: FolderStore,
    private readonly log: (message: string) => void,
  ) {}

  /** Ends the execution. Clients see the final state only when the output is in its place and the end is on disk. */
  async end(
    entry: Entry,
    { state, history, runStatus: { history: _history, ...runStatus } }: Merged,
  ): Promise<void> {
    const { record } = entry;
    const time = now();
    const warnings: ExecutionWarning[] = [...(runStatus.warnings ?? [])];
    const placed = await this.place(entry, warnings);
    const ending = {
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
    entry.ending = ending;
    // If the runner's status.json already holds this end, a restart would reach the same one, and it can be shown
    // before the record is written. With more than one attempt, the environment is still on disk and must go first.
    const known =
      placed === undefined &&
      (record.runOptions.maxAttempts ?? 1) === 1 &&
      isTerminal(readStatus(this.store, record, this.log)?.state);
    if (known) showEnding(entry, ending);
    await this.persist(entry);
    if (!known) showEnding(entry, ending);
  }

  private async place(entry: Entry, warnings: ExecutionWarning[]): Promise<string | undefined> {
    const { record } = entry;
    const uri = record.executionTemplate.outputNotebookFolder;
    const output = this.store.file(record.id, 'output');
    if (uri === undefined || !(await exists(output))) return undefined;
    const folder = pathOfUri(uri, 'outputNotebookFolder');
    const note = async (placing: Placing): Promise<void> => {
      record.placing = placing;
      // If the note cannot be written, place the output anyway: only a crash at this moment would place it twice.
      await this.store.save(entry).catch((error: unknown) => {
        this.log(`${record.id}: placement not saved: ${String(error)}`);
      });
    };
    try {
      return pathToFileURL(await placeOutput(output, folder, record, note)).href;
    } catch (error) {
      this.log(`${record.id}: cannot copy the output to its folder: ${String(error)}`);
      warnings.push({ code: 'outputNotPlaced', args: [folder, errorCode(error) ?? String(error)] });
      return undefined;
    }
  }

  /** Saves the end. If that fails, it is tried again in the background until it succeeds. */
  private async persist(entry: Entry): Promise<void> {
    const { record } = entry;
    try {
      const { store } = this;
      // Once a client sees the end, the user's environment must no longer be on disk.
      const errors = await removeJobs(store, record.id);
      await store.save(entry);
      if (errors.length > 0) throw errors[0];
    } catch (error) {
      if (record.deleteTime !== undefined && errorCode(error) === 'ENOENT') return;
      this.log(`${record.id}: cannot write the record, retry in ${RETRY_MS} ms: ${String(error)}`);
      setTimeout(() => void this.persist(entry), RETRY_MS).unref();
    }
  }
}
