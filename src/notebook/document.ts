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
 * .ipynb documents. Nothing here loads a parser of YAML or Python: the runner reads its notebook on the way to the
 * first cell. Pure functions, no files.
 */

/** What {@link readNotebook} gives: a valid notebook of nbformat 4.5, and what had to be changed for it. */
export interface NotebookReading {
  readonly notebook: Notebook;
  /** Codes: see {@link Findings}. */
  readonly warnings: ExecutionWarning[];
}

/**
 * Reads a notebook of nbformat 3 or any 4.x as nbformat 4.5. Numbers, unknown metadata, attachments and the order of
 * keys stay; what the schema of 4.5 forbids is moved or dropped with a warning. Cell ids that are missing are derived from
 * place and source, so that every reader of the same bytes finds the same ids.
 * @throws NotebookError where the bytes are no notebook that can be run.
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
    // A string of V8 holds about 512 MB; the decoder then fails with this code or a plain RangeError.
    if (bytes.length > 0x1fffffe8) {
      throw new NotebookError('tooLarge', 'The notebook is too large', { bytes: String(bytes.length) });
    }
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
 * Writes a notebook in UTF-8 as nbformat does: indented by one space, a line break at the end, non-ASCII text as it is,
 * sources and texts as arrays of lines. Keys keep their order instead of being sorted. NaN and infinities become strings.
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

/** nbformat splits these besides text/*. */
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

/** Cells that papermill puts into the output of a failed run carry this tag. */
const ERROR_MARKER = 'papermill-error-cell-tag';

/**
 * Makes a notebook as if it had never been run, in place: no outputs, counts, times, states or widgets of earlier runs,
 * and none of the cells with which papermill marks a failure.
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
