import type { Findings } from './findings';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from './json';

/*
 * The few metadata fields that the schema of 4.5 has rules for. Invalid values are corrected if their meaning is clear,
 * else dropped; all other metadata stays unchanged.
 */

const isString = (value: JsonValue) => typeof value === 'string';

/** @param metadata of the notebook; changed in place. */
export function normalizeNotebookMetadata(metadata: JsonObject, findings: Findings): void {
  // Temporary fields of converters; nbformat never writes them to a file.
  for (const field of ['orig_nbformat', 'orig_nbformat_minor', 'signature'])
    Reflect.deleteProperty(metadata, field);
  normalizeKernelspec(metadata, findings);
  const language = metadata['language_info'];
  if (isJsonObject(language) && isString(language['name'] ?? null)) {
    for (const field of ['file_extension', 'mimetype', 'pygments_lexer'])
      dropUnless(language, field, isString, findings);
    const isMode = (value: JsonValue) => isString(value) || isJsonObject(value);
    dropUnless(language, 'codemirror_mode', isMode, findings);
  } else if (language !== undefined) {
    delete metadata['language_info'];
    const empty = isJsonObject(language) && Object.keys(language).length === 0;
    if (language !== null && !empty) findings.add('fieldDropped', 'language_info');
  }
  dropUnless(metadata, 'title', isString, findings);
  dropUnless(metadata, 'authors', Array.isArray, findings);
}

/** A kernelspec must have a name and a display name. Many notebooks written by programs have only the first. */
function normalizeKernelspec(metadata: JsonObject, findings: Findings): void {
  const { kernelspec } = metadata;
  if (kernelspec === undefined) return;
  const name = isJsonObject(kernelspec) ? kernelspec['name'] : undefined;
  if (isJsonObject(kernelspec) && typeof name === 'string') {
    if (!isString(kernelspec['display_name'] ?? null)) kernelspec['display_name'] = name;
    return;
  }
  delete metadata['kernelspec'];
  const empty = isJsonObject(kernelspec) && Object.keys(kernelspec).length === 0;
  if (kernelspec !== null && !empty) findings.add('fieldDropped', 'kernelspec');
}

/**
 * @param metadata of a cell; changed in place.
 * @param isRaw whether the cell is raw: the schema restricts `format` only there.
 */
export function normalizeCellMetadata(metadata: JsonObject, isRaw: boolean, findings: Findings): void {
  delete metadata['trusted'];
  normalizeTags(metadata, findings);
  dropUnless(metadata, 'name', (value) => typeof value === 'string' && /^.+$/.test(value), findings);
  dropUnless(metadata, 'jupyter', isJsonObject, findings);
  dropUnless(metadata, 'collapsed', (value) => typeof value === 'boolean', findings);
  dropUnless(metadata, 'scrolled', (value) => typeof value === 'boolean' || value === 'auto', findings);
  const isTimes = (value: JsonValue) => isJsonObject(value) && Object.values(value).every(isString);
  dropUnless(metadata, 'execution', isTimes, findings);
  if (isRaw) dropUnless(metadata, 'format', isString, findings);
}

/** Tags are unique and contain no commas: a comma separates tags, as in tag editors. */
function normalizeTags(metadata: JsonObject, findings: Findings): void {
  const { tags } = metadata;
  if (tags === undefined) return;
  const list = Array.isArray(tags) ? tags : [tags];
  const names = list.flatMap((tag) => {
    if (typeof tag === 'string') return tag.includes(',') ? tag.split(',').map((part) => part.trim()) : [tag];
    return typeof tag === 'number' || tag instanceof JsonNumber ? [String(tag)] : [];
  });
  const unique = [...new Set(names.filter((name) => name !== ''))];
  if (Array.isArray(tags) && unique.length === tags.length && unique.every((tag, i) => tag === tags[i]))
    return;
  findings.add('metadataChanged', 'tags');
  metadata['tags'] = unique;
}

function dropUnless(
  metadata: JsonObject,
  field: string,
  allowed: (value: JsonValue) => boolean,
  findings: Findings,
): void {
  const value = metadata[field];
  if (value === undefined || allowed(value)) return;
  findings.add('fieldDropped', field);
  Reflect.deleteProperty(metadata, field);
}
