import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ExecutionWarning } from '../execution/execution';
import { stringifyJson, type JsonObject } from '../notebook/json';
import type { DisplayData, ErrorOutput, Notebook } from '../notebook/model';
import { FILES } from '../protocol/execution-folder';
import { JournalWriter, type JournalFileSystem } from './journal';
import { executionState, type KernelMessage } from './kernel-message';
import { OutputNotebook } from './output-notebook';
import { changesOutputs, type Loss } from './recorder';
import type { RunEvent } from './run-event';
import { OutputSaver, type SaverFileSystem } from './saver';

/** Replaced in tests. */
export interface RecordingFileSystems {
  readonly journalFileSystem?: JournalFileSystem;
  readonly saverFileSystem?: SaverFileSystem;
}

/** Records one run: each event goes to the journal and into the document, which is saved from time to time. */
export class RunRecording {
  private readonly document: OutputNotebook;
  private readonly saver: OutputSaver;
  private journal: JournalWriter | undefined;
  /** Cells that are known to have lost messages. */
  private readonly withLosses = new Set<number>();
  /** Cells whose source the kernel has sent back, as most kernels do. */
  private readonly withInput = new Set<number>();
  private readonly answered = new Set<number>();

  /**
   * @param folder The execution's folder.
   * @param onFailure Called when something cannot be written; later events are still saved if possible.
   * @throws SystemError if the journal cannot be created.
   */
  constructor(
    private readonly folder: string,
    notebook: Notebook,
    private readonly warnings: ExecutionWarning[],
    private readonly onFailure: (error: unknown) => void,
    fileSystems: RecordingFileSystems,
  ) {
    this.document = new OutputNotebook(notebook);
    const notJournalled = (error: unknown): void => {
      this.journal = undefined;
      onFailure(error);
    };
    this.journal = new JournalWriter(
      path.join(folder, FILES.journal),
      notJournalled,
      fileSystems.journalFileSystem,
    );
    const output = path.join(folder, FILES.output);
    const flush = (): Promise<void> => this.journal?.flush() ?? Promise.resolve();
    this.saver = new OutputSaver(output, this.document, onFailure, fileSystems.saverFileSystem, flush);
    // The journal is useless without the document it begins with. But if the kernel is waiting, send its first cell
    // first.
    setImmediate(() => {
      this.saver.save().catch(onFailure);
    });
  }

  record(event: RunEvent): Loss | undefined {
    try {
      this.journal?.append(event);
    } catch (error) {
      this.journal = undefined;
      this.onFailure(error);
    }
    const problem = this.document.apply(event);
    this.saver.changed();
    // Serialize now, while the kernel is busy with the next cell.
    if (event.type === 'cellEnded') {
      setImmediate(() => {
        this.document.serializeOutputsOf(event.index);
      });
    }
    return problem;
  }

  /** Records the time of a step of a cell, as the kernel reported it. */
  recordStep(index: number, step: string, date: string): void {
    this.record({ type: 'cellStep', index, step, time: microseconds(date) });
  }

  /** Records a message of the iopub channel, if it belongs to a cell of this run. */
  receive(message: KernelMessage): void {
    const index = this.document.recorder.cellOf(message.parentId);
    if (index === undefined) return;
    if (changesOutputs(message.type)) {
      const loss = this.record({ type: 'message', message });
      if (loss === 'tooLarge') this.warnings.push({ code: 'outputTooLarge', args: [String(index)] });
      else if (loss === 'lost') this.withLosses.add(index);
      return;
    }
    if (message.date === undefined) return;
    if (message.type === 'status') {
      const state = executionState(message);
      if (state === 'busy' || state === 'idle') this.recordStep(index, `iopub.status.${state}`, message.date);
    } else if (message.type === 'execute_input') {
      this.withInput.add(index);
      this.recordStep(index, 'iopub.execute_input', message.date);
      const count = /"execution_count":\s*(\d+)/.exec(message.content.toString())?.[1];
      if (count !== undefined) this.record({ type: 'cellCount', index, count: Number(count) });
    }
  }

  /** Records an output that did not come in a message of the kernel. @param requestId Request of the cell. */
  recordOutput(requestId: string, { output_type: type, ...output }: DisplayData | ErrorOutput): void {
    const content = Buffer.from(stringifyJson(output));
    this.receive({ type, date: undefined, parentId: requestId, content, buffers: [] });
  }

  /** The last error that a cell sent. */
  lastErrorOf(index: number): ErrorOutput | undefined {
    return this.document.recorder.lastErrorOf(index);
  }

  /** Call this when the cell's reply has arrived, and everything that is known to come before it. */
  cellAnswered(index: number): void {
    this.answered.add(index);
  }

  /** Warns about cells that lost messages, as far as that can be noticed. */
  warnOfLosses(): void {
    // A kernel that never sends sources back has lost none of them.
    const withoutInput =
      this.withInput.size > 0 ? [...this.answered].filter((each) => !this.withInput.has(each)) : [];
    for (const index of new Set([...this.withLosses, ...withoutInput]))
      this.warnings.push({ code: 'messagesLost', args: [String(index)] });
  }

  /** Updates of widgets for the kernel, as contents of `comm_msg`. */
  takeWidgetUpdates(): readonly JsonObject[] {
    return this.document.recorder.widgets.takeUpdates();
  }

  /** Saves the outputs so far, like the timer. A failure is reported to `onFailure`. */
  async saveSoFar(): Promise<void> {
    await this.saver.saveSoFar();
  }

  /** Saves everything, and stops the timer. @throws SystemError */
  async save(): Promise<void> {
    this.saver.stop();
    await this.saver.save();
  }

  /** Ends the recording. @param isSaved Everything is in the output, so the journal can be removed. */
  close(isSaved: boolean): void {
    this.journal?.close();
    if (isSaved) fs.rmSync(path.join(this.folder, FILES.journal), { force: true });
  }
}

/** A kernel's date as nbclient writes it: UTC, microseconds, `Z`. */
function microseconds(date: string): string {
  if (/\.\d{6}Z$/.test(date)) return date;
  const time = new Date(date);
  return Number.isNaN(time.getTime()) ? date : time.toISOString().replace('Z', '000Z');
}
