import {
  isJsonObject,
  type JsonObject,
  jsonKeys,
  JsonNumber,
  type JsonValue,
  parseJson,
  setOwn,
  stringifyJson,
} from '../../../src/notebook/json';
import { type Cell, type Notebook, tagsOf } from '../../../src/notebook/model';

/** Values that differ between runs of any tool, and their replacements. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/0x[0-9a-f]{6,}/g, '0x…'],
  [/ipykernel_\d+\/\d+\.py/g, 'ipykernel_…/….py'],
  [/\b[0-9a-f]{32}\b/g, '…hex…'],
  [/\/tmp\/[\w./-]*?\/?cwd-\w+/g, '…cwd…'],
  [/<dc:date>[^<]*<\/dc:date>/g, '<dc:date>…</dc:date>'],
  [/ *\d+(?:\.\d+)?(?:it\/s|s\/it)/g, '…it/s'],
  [/ *\?it\/s/g, '…it/s'],
  [/\b\d{1,2}:\d\d(?::\d\d)?\b/g, '…:…'],
  // Reported only when it took long.
  [/^(?:Compiler|Parser) *: .*\n/gm, ''],
  [/\b(?:\d+(?:d|h|min) )*\d+(?:\.\d+)?(?:e[+-]?\d+)? ?(?:min|h|ns|[µμ]s|us|ms|s)\b/g, '… s'],
];

export function scrub(text: string): string {
  return VOLATILE.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

function scrubValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map(scrubValue);
  if (!isJsonObject(value) || value instanceof JsonNumber) return value;
  const object: JsonObject = {};
  for (const key of jsonKeys(value).sort()) setOwn(object, key, scrubValue(value[key] ?? null));
  return object;
}

/** A notebook as places with comparable texts: `verdict`, `cells`, `cell 3 outputs` … */
export function placesOf(verdict: string, notebook: Notebook): Map<string, string> {
  const text = (value: unknown): string => stringifyJson(scrubValue(value as JsonValue), { indent: 1 });
  // papermill marks failures with its own cells.
  const cells = notebook.cells.filter((cell) => !tagsOf(cell).includes('papermill-error-cell-tag'));
  const places = new Map([['verdict', verdict]]);
  places.set('cells', cells.map((cell) => cell.cell_type).join(' '));
  const { papermill: _papermill, widgets, corpus: _corpus, ...metadata } = notebook.metadata;
  places.set('metadata', text(metadata));
  places.set('widgets', text(widgetsOf(widgets)));
  for (const [index, cell] of cells.entries()) {
    const place = (name: string, value: unknown): unknown => places.set(`cell ${index} ${name}`, text(value));
    const { execution, papermill, ...own } = cell.metadata;
    // papermill gives every cell an empty list of tags.
    if (tagsOf(cell).length === 0) delete own['tags'];
    place('source', cell.source);
    place('metadata', own);
    place('attachments', cell.cell_type === 'code' ? null : (cell.attachments ?? null));
    if (cell.cell_type !== 'code') continue;
    place('count', cell.execution_count);
    place('outputs', outputsOf(cell));
    place('times', isJsonObject(execution) ? jsonKeys(execution).sort() : []);
    place('status', isJsonObject(papermill) ? (papermill['status'] ?? null) : null);
  }
  return places;
}

function outputsOf(cell: Cell & { cell_type: 'code' }): unknown[] {
  return cell.outputs.map((output) => ({ ...output }));
}

/**
 * The states of all widgets, sorted. Their ids are new in each run, and in some tools their order is, too. References
 * to other widgets are replaced by their states.
 */
function widgetsOf(widgets: JsonValue | undefined): JsonValue[] {
  const models = new Map<string, JsonValue>();
  for (const bundle of isJsonObject(widgets) ? Object.values(widgets) : []) {
    const state = isJsonObject(bundle) ? bundle['state'] : undefined;
    for (const [id, model] of isJsonObject(state) ? Object.entries(state) : []) models.set(id, model);
  }
  // An Output widget may have shown itself.
  const whole = (value: JsonValue, within: readonly string[]): JsonValue => {
    if (typeof value === 'string') {
      const id = value.replace(/^IPY_MODEL_/, '');
      const model = models.get(id);
      if (model === undefined) return value;
      return within.includes(id) ? 'itself' : whole(model, [...within, id]);
    }
    if (Array.isArray(value)) return value.map((item) => whole(item, within));
    if (!isJsonObject(value) || value instanceof JsonNumber) return value;
    const object: JsonObject = {};
    for (const key of jsonKeys(value)) setOwn(object, key, whole(value[key] ?? null, within));
    return object;
  };
  const texts = [...models].map(([id, model]) => stringifyJson(scrubValue(whole(model, [id]))));
  return texts.sort().map((text) => parseJson(text));
}
