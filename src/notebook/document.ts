import type { ExecutionWarning } from '../execution/execution';
import { NotebookError, notNotebook } from './errors';
import { Findings } from './findings';
import {
  isJsonObject,
  jsonKeys,
  setKeyOrder,
  type WritableObject,
  jsonBytes,
  JsonError,
  type JsonObject,
  type JsonValue,
  MultilineText,
  parseJson,
  type Writable,
} from './json';
import { type Cell, isJsonMime, type Notebook, type Output, tagsOf } from './model';
import { normalizeNotebook } from './normalize';
import { upgradeFrom3 } from './upgrade-from-3';

/*
 * .ipynb documents: pure functions, no files. This module must not load a YAML or Python parser: the runner needs it
 * before the first cell, and loading a parser takes time.
 */

/** Result of {@link readNotebook}: a valid notebook of nbformat 4.5, and what had to be changed to make it valid. */
export interface NotebookReading {
  readonly notebook: Notebook;
  /** Codes: see {@link Findings}. */
  readonly warnings: ExecutionWarning[];
}

/**
 * Reads a notebook of nbformat 3 or any 4.x as nbformat 4.5. Numbers, unknown metadata, attachments and the order of
 * keys are preserved; fields that the schema of 4.5 forbids are moved or dropped with a warning. Missing cell ids are
 * derived from position and source, so that every reader of the same bytes gets the same ids.
 * @throws NotebookError if the bytes are not a notebook that can be run.
 */
export function readNotebook(bytes: Uint8Array): NotebookReading {
  const document = parse(bytes);
  if (!isJsonObject(document)) throw notNotebook('');
  const { nbformat: major, nbformat_minor: minor = 0 } = document;
  if (typeof major !== 'number' || !Number.isInteger(major)) throw notNotebook('nbformat');
  if (typeof minor !== 'number' || !Number.isInteger(minor)) throw notNotebook('nbformat_minor');
  const version = `${major}.${minor}`;
  if (major !== 3 && major !== 4) {
    throw new NotebookError('unsupportedFormat', `Notebooks of nbformat ${version} are not supported`, {
      version,
    });
  }
  const findings = new Findings();
  if (major === 3) {
    findings.add('formatUpgraded', version);
    upgradeFrom3(document, findings);
  }
  return { notebook: normalizeNotebook(document, findings), warnings: findings.warnings() };
}

function parse(bytes: Uint8Array): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    // A V8 string holds about 512 MB; for more, the decoder fails with this code or a plain RangeError.
    if (bytes.length > 0x1fffffe8)
      throw new NotebookError('tooLarge', 'The notebook is too large', { bytes: String(bytes.length) });
    throw new NotebookError('notJson', 'The notebook is not UTF-8', {}, { cause: error });
  }
  if (text.trim() === '') throw new NotebookError('emptyFile', 'The notebook is empty');
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const { line, column, position } = error;
    const args = { line: String(line), column: String(column), position: String(position) };
    throw new NotebookError('notJson', error.message, args, { cause: error });
  }
}

/**
 * Writes a notebook in UTF-8 as nbformat does: indented by one space, a final line break, non-ASCII text unescaped,
 * sources and texts as arrays of lines. Unlike nbformat, keeps the order of keys. NaN and infinities become strings.
 */
export function writeNotebook(notebook: Notebook): Uint8Array {
  return jsonBytes({ ...notebook, cells: notebook.cells.map(cellToDisk) }, { indent: 1 });
}

function cellToDisk(cell: Cell): Writable {
  const source = new MultilineText(cell.source);
  if (cell.cell_type === 'code') return { ...cell, source, outputs: cell.outputs.map(outputToDisk) };
  if (cell.attachments === undefined) return { ...cell, source };
  return { ...cell, source, attachments: mapValues(cell.attachments, (value) => bundleToDisk(value)) };
}

function outputToDisk(output: Output): Writable {
  switch (output.output_type) {
    case 'stream':
      return { ...output, text: new MultilineText(output.text) };
    case 'error':
      return { ...output };
    case 'display_data':
    case 'execute_result':
      return { ...output, data: bundleToDisk(output.data) };
  }
}

/** Mime types that nbformat splits into lines, besides text/*. */
const SPLIT_MIMES = new Set(['application/javascript', 'image/svg+xml']);

function bundleToDisk(bundle: JsonValue): Writable {
  if (!isJsonObject(bundle)) return bundle;
  return mapValues(bundle, (value, mime) =>
    typeof value === 'string' && !isJsonMime(mime) && (mime.startsWith('text/') || SPLIT_MIMES.has(mime))
      ? new MultilineText(value)
      : value,
  );
}

function mapValues(object: JsonObject, change: (value: JsonValue, key: string) => Writable): WritableObject {
  const keys = jsonKeys(object);
  const result = Object.fromEntries(keys.map((key) => [key, change(object[key] ?? null, key)]));
  setKeyOrder(result, keys);
  return result;
}

/** Tag of the marker cells that papermill adds to the output of a failed run. */
const ERROR_MARKER = 'papermill-error-cell-tag';

/**
 * Removes all traces of earlier runs, in place: outputs, counts, times, states, widgets, and the marker cells of
 * papermill.
 */
export function prepareForRun(notebook: Notebook): void {
  notebook.cells = notebook.cells.filter((cell) => !tagsOf(cell).includes(ERROR_MARKER));
  delete notebook.metadata['papermill'];
  delete notebook.metadata['widgets'];
  for (const cell of notebook.cells) {
    delete cell.metadata['papermill'];
    delete cell.metadata['execution'];
    if (cell.cell_type !== 'code') continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
}
