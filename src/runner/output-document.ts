import { writeNotebook } from '../notebook/document';
import { parseJson, type JsonObject } from '../notebook/json';
import type { Cell, CodeCell, Notebook } from '../notebook/model';
import { storedOutput } from './recording/output';
import { OutputRecorder } from './recording/recorder';
import type { RunEvent } from './run-event';

/**
 * The output notebook while it grows. It depends on the prepared notebook and the events alone, so that a journal of
 * the same events, applied again, gives the same document.
 */
export class OutputDocument {
  readonly recorder: OutputRecorder;
  /** Counts the changes, to tell whether there is something to save. */
  revision = 0;
  /** Each cell as it is written; absent where it has changed since. */
  private readonly written: (Uint8Array | undefined)[] = [];
  private startTime: string | undefined;
  private ended = false;
  /** The cell that is being run, and since when. */
  private running: { index: number; time: string } | undefined;

  constructor(readonly notebook: Notebook) {
    this.recorder = new OutputRecorder((index) => {
      this.revision++;
      if (index !== undefined) this.written[index] = undefined;
    });
  }

  /** @returns a warning's code where something could not be recorded. */
  apply(event: RunEvent): 'tooLarge' | undefined {
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
        this.notebook.metadata['language_info'] = parseJson(event.languageInfo);
        break;
      default:
        this.applyToCell(event, this.codeCell(event.index));
    }
    return undefined;
  }

  /** Whether the run has begun. */
  get begun(): boolean {
    return this.startTime !== undefined;
  }

  /** The run was cut off at `time`: what had not ended by then has failed. */
  abort(time: string): void {
    if (this.running) this.apply({ type: 'cellEnded', index: this.running.index, time, failed: true });
    if (!this.ended) this.apply({ type: 'runEnded', time, failed: true });
  }

  /** The document in UTF-8, in pieces. Cells that have not changed since the last call are not written anew. */
  serialize(): Uint8Array[] {
    const widgets = this.recorder.widgets.toMetadata();
    const metadata = widgets ? { ...this.notebook.metadata, widgets } : this.notebook.metadata;
    // Only the list of cells is empty at this depth, and strings hold no line breaks.
    const [head = '', tail = ''] = Buffer.from(writeNotebook({ ...this.notebook, metadata, cells: [] }))
      .toString()
      .split(NO_CELLS);
    const pieces: Uint8Array[] = [Buffer.from(head + '\n "cells": [')];
    for (const [index, cell] of this.notebook.cells.entries()) {
      pieces.push(index === 0 ? FIRST : NEXT, (this.written[index] ??= this.writeCell(cell, index)));
    }
    pieces.push(Buffer.from((this.notebook.cells.length > 0 ? '\n ]' : ']') + tail));
    return pieces;
  }

  private writeCell(cell: Cell, index: number): Uint8Array {
    if (cell.cell_type !== 'code') return writeOneCell(cell);
    const outputs = this.recorder.outputsOf(index).map(storedOutput);
    return writeOneCell({ ...cell, outputs });
  }

  private codeCell(index: number): CodeCell {
    const cell = this.notebook.cells[index];
    if (cell?.cell_type !== 'code') throw new Error(`cell ${String(index)} is no code cell`);
    this.written[index] = undefined;
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
        cell.execution_count = event.count;
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

/** `metadata.papermill` of every code cell before the run. */
export function markPending(notebook: Notebook): void {
  for (const cell of notebook.cells) {
    if (cell.cell_type === 'code') papermillOf(cell);
  }
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

const NO_CELLS = '\n "cells": []';
const FIRST = Buffer.from('\n  ');
const NEXT = Buffer.from(',\n  ');

const BEFORE_CELL = '{\n "cells": [\n  ';
const AFTER_CELL = '\n ],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n';

/** A cell as it stands in a document: cut out of one that has this cell alone. */
function writeOneCell(cell: Cell): Uint8Array {
  const bytes = writeNotebook({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 });
  return bytes.subarray(BEFORE_CELL.length, bytes.length - AFTER_CELL.length);
}
