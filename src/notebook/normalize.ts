import { isCellId, newCellId } from './cell-ids';
import { notNotebook } from './errors';
import type { Findings } from './findings';
import { isJsonObject, type JsonObject, jsonKeys, type JsonValue, setOwn } from './json';
import type { Notebook } from './model';
import { normalizeCellMetadata, normalizeNotebookMetadata } from './normalize-metadata';
import { countOrNull, joinBundle, joinText, normalizeOutput } from './normalize-outputs';

/*
 * Makes any document of nbformat 4 valid under the schema of 4.5, in place. A document that cannot be read as a
 * notebook is rejected; all other faults are corrected, with a warning if the meaning changes.
 */

const NOTEBOOK_FIELDS = ['metadata', 'nbformat', 'nbformat_minor', 'cells'];
const CODE_FIELDS = ['id', 'cell_type', 'metadata', 'source', 'outputs', 'execution_count'];
const TEXT_FIELDS = ['id', 'cell_type', 'metadata', 'source', 'attachments'];

/** @throws NotebookError (`notNotebook`) if there are no cells, or a cell has no readable source. */
export function normalizeNotebook(document: JsonObject, findings: Findings): Notebook {
  const { cells } = document;
  if (!Array.isArray(cells)) throw notNotebook('cells');
  const metadata = ownObject(document, 'metadata', findings);
  moveUnknown(document, NOTEBOOK_FIELDS, metadata, findings);
  normalizeNotebookMetadata(metadata, findings);
  const ids = collectIds(cells);
  document['nbformat'] = 4;
  document['nbformat_minor'] = 5;
  for (const [index, cell] of cells.entries()) normalizeCell(cell, index, ids, findings);
  return document as unknown as Notebook;
}

/** Ids in use, so that no new id repeats one: `existing` are those of the document, `used` those assigned so far. */
interface Ids {
  readonly existing: ReadonlySet<string>;
  readonly used: Set<string>;
}

function collectIds(cells: readonly JsonValue[]): Ids {
  const ids = cells.map((cell) => (isJsonObject(cell) ? cell['id'] : undefined));
  return { existing: new Set(ids.filter((id) => typeof id === 'string')), used: new Set() };
}

function normalizeCell(cell: JsonValue, index: number, ids: Ids, findings: Findings): void {
  const path = `cells[${index}]`;
  if (!isJsonObject(cell)) throw notNotebook(path);
  const type = cell['cell_type'];
  if (typeof type !== 'string') throw notNotebook(`${path}.cell_type`);
  if (!['code', 'markdown', 'raw'].includes(type)) {
    findings.add('cellTypeChanged', type);
    cell['cell_type'] = 'raw';
  }
  const source = joinText(cell['source'] ?? '');
  if (source === undefined) throw notNotebook(`${path}.source`);
  cell['source'] = source;
  setId(cell, `${index} ${source}`, ids, findings);
  const metadata = ownObject(cell, 'metadata', findings);
  const isCode = type === 'code';
  if (isCode) {
    normalizeCode(cell, findings);
  } else {
    // Empty remains of a code cell that was changed to text: removed without a warning.
    for (const field of ['outputs', 'execution_count']) {
      const value = cell[field];
      if (value === null || (Array.isArray(value) && value.length === 0)) Reflect.deleteProperty(cell, field);
    }
  }
  normalizeAttachments(cell, findings);
  moveUnknown(cell, isCode ? CODE_FIELDS : TEXT_FIELDS, metadata, findings);
  normalizeCellMetadata(metadata, cell['cell_type'] === 'raw', findings);
}

function setId(cell: JsonObject, seed: string, ids: Ids, findings: Findings): void {
  const { id } = cell;
  const valid = isCellId(id) && !ids.used.has(id);
  if (id !== undefined && !valid) findings.add('cellIdChanged', typeof id === 'string' ? id : '');
  const given = valid ? id : newCellId(seed, (other) => ids.existing.has(other) || ids.used.has(other));
  ids.used.add(given);
  cell['id'] = given;
}

function normalizeCode(cell: JsonObject, findings: Findings): void {
  cell['execution_count'] = countOrNull(cell['execution_count']);
  const outputs = Array.isArray(cell['outputs']) ? cell['outputs'] : [];
  cell['outputs'] = outputs.filter((output) => {
    if (isJsonObject(output) && normalizeOutput(output, findings)) return true;
    const type = isJsonObject(output) ? output['output_type'] : undefined;
    findings.add('outputDropped', typeof type === 'string' ? type : '');
    return false;
  });
}

function normalizeAttachments(cell: JsonObject, findings: Findings): void {
  const { attachments } = cell;
  if (attachments === undefined) return;
  if (isJsonObject(attachments)) {
    for (const name of jsonKeys(attachments)) {
      const bundle = attachments[name];
      if (isJsonObject(bundle)) {
        joinBundle(bundle, findings);
      } else {
        findings.add('fieldDropped', 'attachments');
        Reflect.deleteProperty(attachments, name);
      }
    }
  } else {
    if (attachments !== null) findings.add('fieldDropped', 'attachments');
    delete cell['attachments'];
  }
}

/** Moves fields that 4.5 does not know into the metadata; drops them if the name exists there. */
function moveUnknown(
  object: JsonObject,
  known: readonly string[],
  metadata: JsonObject,
  findings: Findings,
): void {
  for (const field of Object.keys(object)) {
    if (known.includes(field)) continue;
    const moved = !Object.hasOwn(metadata, field);
    if (moved) setOwn(metadata, field, object[field] ?? null);
    findings.add(moved ? 'fieldMoved' : 'fieldDropped', field);
    Reflect.deleteProperty(object, field);
  }
}

/** The object in a field, created if missing. */
function ownObject(parent: JsonObject, field: string, findings: Findings): JsonObject {
  const value = parent[field];
  if (isJsonObject(value)) return value;
  if (value !== undefined && value !== null) findings.add('fieldDropped', field);
  const object: JsonObject = {};
  parent[field] = object;
  return object;
}
