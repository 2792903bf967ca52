import { parseJson, type JsonObject } from '../../../src/notebook/json';

/** A value as the bytes of a JSON file. */
export const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
/** The text of a document. */
export const text = (document: Uint8Array): string => Buffer.from(document).toString();
/** A code cell with these fields. */
export const code = (fields: object = {}): object => ({
  cell_type: 'code',
  metadata: {},
  source: 'x',
  outputs: [],
  execution_count: null,
  ...fields,
});
/** A notebook with these cells and fields. */
export const nb = (cells: unknown[], fields: object = {}): object => ({
  cells,
  metadata: {},
  nbformat: 4,
  nbformat_minor: 4,
  ...fields,
});
/** Parameters, from their JSON. */
export const parameters = (json: string): JsonObject => parseJson(json) as JsonObject;
