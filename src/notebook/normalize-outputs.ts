import type { Findings } from './findings';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue, stringifyJson } from './json';
import { isJsonMime } from './model';

/** A text in either form of the format, a string or an array of strings, as one string; undefined for anything else. */
export function joinText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((line) => typeof line === 'string') ? value.join('') : undefined;
}

/** Joins the texts of a mime bundle in place. Other values under a text mime type are replaced by their JSON. */
export function joinBundle(bundle: JsonObject, findings: Findings): void {
  for (const mime of Object.keys(bundle)) {
    if (isJsonMime(mime)) continue;
    const value = bundle[mime] ?? null;
    const text = joinText(value);
    if (text === undefined) findings.add('metadataChanged', mime);
    bundle[mime] = text ?? stringifyJson(value);
  }
}

const OUTPUT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  stream: ['output_type', 'name', 'text'],
  display_data: ['output_type', 'data', 'metadata'],
  execute_result: ['output_type', 'data', 'metadata', 'execution_count'],
  error: ['output_type', 'ename', 'evalue', 'traceback'],
};

/** Makes an output valid under 4.5 in place; false if it is none of the four output types. */
export function normalizeOutput(output: JsonObject, findings: Findings): boolean {
  const type = output['output_type'];
  const fields = typeof type === 'string' ? OUTPUT_FIELDS[type] : undefined;
  if (fields === undefined) return false;
  switch (type) {
    case 'stream':
      output['name'] = joinText(output['name']) ?? 'stdout';
      output['text'] = joinText(output['text']) ?? '';
      break;
    case 'error': {
      const { traceback } = output;
      output['ename'] = joinText(output['ename']) ?? '';
      output['evalue'] = joinText(output['evalue']) ?? '';
      output['traceback'] = (Array.isArray(traceback) ? traceback : [traceback ?? '']).map((line) =>
        typeof line === 'string' ? line : stringifyJson(line),
      );
      break;
    }
    default:
      if (!isJsonObject(output['data'])) return false;
      joinBundle(output['data'], findings);
      if (!isJsonObject(output['metadata'])) output['metadata'] = {};
      if (type === 'execute_result') output['execution_count'] = countOrNull(output['execution_count']);
  }
  for (const field of Object.keys(output)) {
    if (fields.includes(field)) continue;
    findings.add('fieldDropped', field);
    Reflect.deleteProperty(output, field);
  }
  return true;
}

/** The value if 4.5 allows it as an execution count, else null. */
export function countOrNull(value: JsonValue | undefined): number | null {
  if (typeof value !== 'number' && !(value instanceof JsonNumber)) return null;
  const count = Number(value);
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
}
