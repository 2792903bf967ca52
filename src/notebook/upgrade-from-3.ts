import type { Findings } from './findings';
import { isJsonObject, type JsonObject, jsonKeys, type JsonValue, parseJson, setOwn } from './json';
import { notNotebook } from './errors';

/** Mime types of the output fields of nbformat 3. */
const MIME_OF_FIELD = new Map([
  ['text', 'text/plain'],
  ['html', 'text/html'],
  ['svg', 'image/svg+xml'],
  ['png', 'image/png'],
  ['jpeg', 'image/jpeg'],
  ['latex', 'text/latex'],
  ['json', 'application/json'],
  ['javascript', 'application/javascript'],
]);

/**
 * Converts a document of nbformat 3 to 4.0, in place, with nbformat's own rules: worksheets are joined, headings become
 * Markdown, output fields become mime types.
 * @throws NotebookError if there are no worksheets with cells.
 */
export function upgradeFrom3(document: JsonObject, findings: Findings): void {
  const { worksheets } = document;
  if (!Array.isArray(worksheets)) throw notNotebook('worksheets');
  const cells: JsonValue[] = [];
  for (const [index, worksheet] of worksheets.entries()) {
    const sheetCells = isJsonObject(worksheet) ? worksheet['cells'] : undefined;
    if (!isJsonObject(worksheet) || !Array.isArray(sheetCells))
      throw notNotebook(`worksheets[${index}].cells`);
    const { metadata } = worksheet;
    if (isJsonObject(metadata) && jsonKeys(metadata).length > 0)
      findings.add('fieldDropped', 'worksheets.metadata');
    cells.push(...sheetCells);
  }
  for (const cell of cells) if (isJsonObject(cell)) upgradeCell(cell, findings);
  delete document['worksheets'];
  document['cells'] = cells;
  document['nbformat'] = 4;
  document['nbformat_minor'] = 0;
  if (isJsonObject(document['metadata'])) delete document['metadata']['name'];
}

function upgradeCell(cell: JsonObject, findings: Findings): void {
  switch (cell['cell_type']) {
    case 'code':
      delete cell['language'];
      rename(cell, 'input', 'source');
      joinLines(cell, 'source');
      rename(cell, 'prompt_number', 'execution_count');
      if (Array.isArray(cell['outputs']))
        for (const output of cell['outputs']) if (isJsonObject(output)) upgradeOutput(output, findings);
      break;
    case 'heading': {
      joinLines(cell, 'source');
      const { level, source } = cell;
      delete cell['level'];
      cell['cell_type'] = 'markdown';
      const text = typeof source === 'string' ? source.split(/\r\n|[\n\r]/).join(' ') : '';
      cell['source'] = `${'#'.repeat(headingLevel(level))} ${text.trimEnd()}`;
      break;
    }
    case 'html':
      cell['cell_type'] = 'markdown';
      joinLines(cell, 'source');
      break;
    default:
      joinLines(cell, 'source');
  }
  delete cell['rendered'];
}

/** A level from 1 to 6; invalid values are corrected. */
function headingLevel(level: JsonValue | undefined): number {
  return typeof level === 'number' ? Math.min(Math.max(Math.trunc(level), 1), 6) : 1;
}

function upgradeOutput(output: JsonObject, findings: Findings): void {
  switch (output['output_type']) {
    case 'pyout':
    case 'display_data': {
      if (output['output_type'] === 'pyout') {
        output['output_type'] = 'execute_result';
        rename(output, 'prompt_number', 'execution_count');
        output['execution_count'] ??= null;
      }
      const data: JsonObject = {};
      for (const field of jsonKeys(output)) {
        if (['output_type', 'execution_count', 'metadata'].includes(field)) continue;
        joinLines(output, field);
        setOwn(data, MIME_OF_FIELD.get(field) ?? field, output[field] ?? null);
        Reflect.deleteProperty(output, field);
      }
      // nbformat 3 stores JSON as text.
      const json = data['application/json'];
      if (typeof json === 'string') {
        try {
          data['application/json'] = parseJson(json);
        } catch {
          findings.add('fieldDropped', 'application/json');
          delete data['application/json'];
        }
      }
      output['data'] = data;
      const { metadata } = output;
      if (isJsonObject(metadata)) {
        for (const field of jsonKeys(metadata)) {
          const mime = MIME_OF_FIELD.get(field);
          if (mime !== undefined) rename(metadata, field, mime);
        }
      }
      break;
    }
    case 'pyerr':
      output['output_type'] = 'error';
      break;
    case 'stream':
      rename(output, 'stream', 'name');
      joinLines(output, 'text');
      break;
    default:
  }
}

function rename(object: JsonObject, from: string, to: string): void {
  const value = object[from];
  if (value === undefined) return;
  Reflect.deleteProperty(object, from);
  setOwn(object, to, value);
}

/** Some writers of nbformat 3 kept line breaks in the lines, others left them out; the first line shows which. */
function joinLines(object: JsonObject, field: string): void {
  const lines = object[field];
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === 'string')) return;
  object[field] = lines.join(/[\n\r]$/.test(lines[0] ?? '') ? '' : '\n');
}
