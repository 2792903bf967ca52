import { Findings } from '../notebook/findings';
import { jsonKeys, parseJson, setKeyOrder, type JsonObject, type JsonValue } from '../notebook/json';
import type { CodeCell, Notebook } from '../notebook/model';
import { normalizeNotebookMetadata } from '../notebook/normalize-metadata';
import { countOrNull } from '../notebook/normalize-outputs';
import { DocumentWriter } from './document-writer';
import { OutputRecorder, type Loss } from './recorder';
import type { RunEvent } from './run-event';

/**
 * The output notebook while it grows. It depends only on the prepared notebook and the events, so a journal of the same
 * events, applied again, gives the same document.
 */
export class OutputNotebook {
  readonly recorder: OutputRecorder;
  /** Number of changes, to tell whether there is something to save. */
  revision = 0;
  private readonly writer: DocumentWriter;
  private startTime: string | undefined;
  private ended = false;
  /** The running cell and its start time. */
  private running: { index: number; time: string } | undefined;

  constructor(readonly notebook: Notebook) {
    this.writer = new DocumentWriter(notebook);
    this.recorder = new OutputRecorder((_, output) => {
      this.revision++;
      if (output) this.writer.outputChanged(output);
    });
  }

  /** Applies an event to the document. @returns what could not be recorded. */
  apply(event: RunEvent): Loss | undefined {
    if (event.type === 'message') return this.recorder.record(event.message);
    this.revision++;
    switch (event.type) {
      case 'runStarted':
        this.startTime = event.time;
        this.notebook.metadata['papermill'] = parseJson(event.description);
        this.describeRun({ start_time: event.time, end_time: null, duration: null, exception: null });
        break;
      case 'runEnded':
        this.ended = true;
        this.describeRun({
          end_time: event.time,
          duration: secondsBetween(this.startTime ?? event.time, event.time),
          exception: event.failed,
        });
        break;
      case 'kernelAnswered':
        this.describeLanguage(parseJson(event.languageInfo));
        break;
      default:
        this.applyToCell(event, this.codeCell(event.index));
    }
    return undefined;
  }

  /** Sets `language_info` and moves `papermill` behind it, since a notebook that is being completed may have both. */
  private describeLanguage(languageInfo: JsonValue): void {
    const { metadata } = this.notebook;
    const run = metadata['papermill'];
    delete metadata['papermill'];
    metadata['language_info'] = languageInfo;
    // A kernel's language info may not be valid in nbformat.
    normalizeNotebookMetadata(metadata, new Findings());
    if (run !== undefined) metadata['papermill'] = run;
  }

  /** Whether the run has started. */
  get hasStarted(): boolean {
    return this.startTime !== undefined;
  }

  /** The run was cut off at `time`: whatever had not ended by then has failed. */
  abort(time: string): void {
    if (this.running) this.apply({ type: 'cellEnded', index: this.running.index, time, failed: true });
    if (!this.ended) this.apply({ type: 'runEnded', time, failed: true });
  }

  /** The document in UTF-8, in pieces. Parts that have not changed since the last call are not serialized again. */
  serialize(): Uint8Array[] {
    const { metadata } = this.notebook;
    const widgets = this.recorder.widgets.toMetadata();
    let saved = metadata;
    if (widgets) {
      saved = { ...metadata, widgets };
      setKeyOrder(saved, [...jsonKeys(metadata), 'widgets']);
    }
    return this.writer.write(saved, (index) => this.recorder.outputsOf(index));
  }

  /** Does the work of {@link serialize} for the outputs of a cell in advance. */
  serializeOutputsOf(index: number): void {
    this.writer.serializeOutputs(this.recorder.outputsOf(index));
  }

  private codeCell(index: number): CodeCell {
    const cell = this.notebook.cells[index];
    if (cell?.cell_type !== 'code') throw new Error(`cell ${String(index)} is not a code cell`);
    this.writer.cellChanged(index);
    return cell;
  }

  private applyToCell(event: Extract<RunEvent, { index: number }>, cell: CodeCell): void {
    switch (event.type) {
      case 'cellStarted':
        this.recorder.startCell(event.index, event.requestId);
        this.running = { index: event.index, time: event.time };
        cell.metadata['execution'] = {};
        Object.assign(papermillOf(cell), { start_time: event.time, status: 'running' });
        break;
      case 'cellStep':
        cell.metadata['execution'] = {
          ...(cell.metadata['execution'] as JsonObject),
          [event.step]: event.time,
        };
        break;
      case 'cellCount':
        cell.execution_count = countOrNull(event.count);
        break;
      case 'cellEnded':
        Object.assign(papermillOf(cell), {
          end_time: event.time,
          duration: secondsBetween(this.running?.time ?? event.time, event.time),
          exception: event.failed,
          status: event.failed ? 'failed' : 'completed',
        });
        this.running = undefined;
        break;
    }
  }

  private describeRun(changes: JsonObject): void {
    const { metadata } = this.notebook;
    metadata['papermill'] = { ...(metadata['papermill'] as JsonObject | undefined), ...changes };
  }
}

/** Sets `metadata.papermill` of every code cell to its value before the run. */
export function markPending(notebook: Notebook): void {
  for (const cell of notebook.cells) if (cell.cell_type === 'code') papermillOf(cell);
}

function papermillOf(cell: CodeCell): JsonObject {
  return (cell.metadata['papermill'] ??= {
    duration: null,
    end_time: null,
    exception: null,
    start_time: null,
    status: 'pending',
  }) as JsonObject;
}

function secondsBetween(start: string, end: string): number {
  return (Date.parse(end) - Date.parse(start)) / 1000;
}
