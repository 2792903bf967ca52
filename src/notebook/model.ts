import type { JsonObject } from './json';

/*
 * A notebook in memory: nbformat 4.5 (its JSON schema is the reference) with multi-line texts joined, as nbformat's own
 * readers do. Names are those of the format.
 */

/** A whole document. `metadata` keeps all its content. */
export interface Notebook {
  metadata: JsonObject;
  nbformat: 4;
  nbformat_minor: 5;
  cells: Cell[];
}

export type Cell = CodeCell | TextCell;

/** A cell that can be run. */
export interface CodeCell {
  cell_type: 'code';
  /** Unique in its notebook; 1 to 64 of `[a-zA-Z0-9-_]`. */
  id: string;
  metadata: JsonObject;
  source: string;
  outputs: Output[];
  execution_count: number | null;
}

/** A cell that is not run. */
export interface TextCell {
  cell_type: 'markdown' | 'raw';
  id: string;
  metadata: JsonObject;
  source: string;
  /** Mime bundles by file name. */
  attachments?: JsonObject;
}

export type Output = StreamOutput | DisplayData | ExecuteResult | ErrorOutput;

export interface StreamOutput {
  output_type: 'stream';
  name: string;
  text: string;
}
/** `data` is a mime bundle: strings, and any JSON under JSON mime types (see {@link isJsonMime}). */
export interface DisplayData {
  output_type: 'display_data';
  data: JsonObject;
  metadata: JsonObject;
}
export interface ExecuteResult {
  output_type: 'execute_result';
  data: JsonObject;
  metadata: JsonObject;
  execution_count: number | null;
}
export interface ErrorOutput {
  output_type: 'error';
  ename: string;
  evalue: string;
  traceback: string[];
}

/** True for a mime type whose content is JSON instead of text (pattern of the 4.5 schema). */
export function isJsonMime(mime: string): boolean {
  return /^application\/(?:.*\+)?json$/.test(mime);
}

/** The tags of a cell; empty if it has none. */
export function tagsOf(cell: Cell): readonly string[] {
  const tags = cell.metadata['tags'];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}
