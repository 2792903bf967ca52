import { writeNotebook } from '../notebook/document';
import type { JsonObject } from '../notebook/json';
import type { Cell, Notebook, Output } from '../notebook/model';
import { storedOutput, type RecordedOutput } from './output';

/*
 * Documents are saved repeatedly while they grow. Unchanged parts are not serialized again: each cell without its
 * outputs, and each output, is kept as it was written. The notebook writer serializes one of them at a time. The text
 * around it is known, and strings contain no line breaks, so a line's indentation shows what it belongs to.
 */

/** Writes one growing notebook, in pieces. */
export class DocumentWriter {
  private readonly frames: (Frame | undefined)[] = [];
  private readonly outputs = new WeakMap<RecordedOutput, readonly Uint8Array[]>();

  constructor(private readonly notebook: Notebook) {}

  /** Call this when a part of the cell other than its outputs has changed. */
  cellChanged(index: number): void {
    this.frames[index] = undefined;
  }

  outputChanged(output: RecordedOutput): void {
    this.outputs.delete(output);
  }

  /** The document in UTF-8 with this metadata and the outputs of each code cell. */
  write(metadata: JsonObject, outputsOf: (index: number) => readonly RecordedOutput[]): Uint8Array[] {
    const { cells } = this.notebook;
    const document = frameOf(writeNotebook({ ...this.notebook, metadata, cells: [] }), '\n "cells": [', ']');
    const pieces: Uint8Array[] = [document.head];
    for (const [index, cell] of cells.entries()) {
      const frame = (this.frames[index] ??= writeCell(cell));
      pieces.push(index === 0 ? FIRST_CELL : NEXT_CELL, frame.head);
      const outputs = cell.cell_type === 'code' ? outputsOf(index) : [];
      for (const [position, output] of outputs.entries())
        pieces.push(position === 0 ? FIRST_OUTPUT : NEXT_OUTPUT, ...this.writeOutput(output));
      if (outputs.length > 0) pieces.push(AFTER_OUTPUTS);
      pieces.push(frame.tail);
    }
    if (cells.length > 0) pieces.push(AFTER_CELLS);
    pieces.push(document.tail);
    return pieces;
  }

  /** Serializes these outputs in advance. */
  serializeOutputs(outputs: readonly RecordedOutput[]): void {
    for (const output of outputs) this.writeOutput(output);
  }

  private writeOutput(output: RecordedOutput): readonly Uint8Array[] {
    let pieces = this.outputs.get(output);
    if (!pieces) {
      pieces =
        output.type === 'stream'
          ? writeStream(output.name, output.text.jsonLines())
          : writeData(storedOutput(output));
      this.outputs.set(output, pieces);
    }
    return pieces;
  }
}

const FIRST_CELL = Buffer.from('\n  ');
const NEXT_CELL = Buffer.from(',\n  ');
const AFTER_CELLS = Buffer.from('\n ');
const FIRST_OUTPUT = Buffer.from('\n    ');
const NEXT_OUTPUT = Buffer.from(',\n    ');
const AFTER_OUTPUTS = Buffer.from('\n   ');

/** The text before and after something. */
interface Frame {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** Cuts a text in two after `before`, which occurs in it once, followed by `after`. */
function frameOf(bytes: Uint8Array, before: string, after: string): Frame {
  const cut =
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(before + after) + before.length;
  return { head: bytes.subarray(0, cut), tail: bytes.subarray(cut) };
}

const BEFORE_CELL = '{\n "cells": [\n  ';
const AFTER_CELL = '\n ],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n';

/** A cell as it appears in a document, cut where its outputs go. */
function writeCell(cell: Cell): Frame {
  const written = writeNotebook({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 });
  const bytes = written.subarray(BEFORE_CELL.length, written.length - AFTER_CELL.length);
  return cell.cell_type === 'code'
    ? frameOf(bytes, '\n   "outputs": [', ']')
    : { head: bytes, tail: new Uint8Array() };
}

/** An output as it appears in a cell. */
function writeData(output: Output): Uint8Array[] {
  const cell = { cell_type: 'code' as const, id: 'x', metadata: {}, source: '', execution_count: null };
  const { head, tail } = writeCell({ ...cell, outputs: [] });
  const around = BEFORE_CELL.length + head.length + FIRST_OUTPUT.length;
  const written = writeNotebook({
    cells: [{ ...cell, outputs: [output] }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  });
  return [written.subarray(around, written.length - AFTER_CELL.length - tail.length - AFTER_OUTPUTS.length)];
}

/** A stream as it appears in a cell. */
function writeStream(name: string, lines: readonly Uint8Array[]): Uint8Array[] {
  const head = `{\n     "output_type": "stream",\n     "name": ${JSON.stringify(name)},\n     "text": [`;
  return [Buffer.from(head), ...lines, Buffer.from(lines.length > 0 ? '\n     ]\n    }' : ']\n    }')];
}
