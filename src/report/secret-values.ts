import { isSecretName } from '../execution/secrets/secret-names';
import { isJsonObject, jsonKeys, JsonNumber, type JsonObject, type JsonValue } from '../notebook/json';
import { type Notebook, tagsOf } from '../notebook/model';
import { inspectParameters } from '../notebook/parameters/inspect';

/** Tags of the cells that assign parameters. */
const PARAMETER_TAGS = ['parameters', 'injected-parameters'];

/**
 * The values of all secret parameters that are known for an output: those given, the defaults in the notebook, and the
 * values in its cell of injected parameters.
 * @param patterns patterns of secret names, see execution/secrets/secret-names.ts.
 */
export function secretValuesOf(
  notebook: Notebook,
  parameters: JsonObject,
  patterns: readonly string[],
): string[] {
  const values = new Set<string>();
  collect(parameters, patterns, false, values);
  for (const cell of notebook.cells) {
    if (cell.cell_type !== 'code' || !tagsOf(cell).some((tag) => PARAMETER_TAGS.includes(tag))) continue;
    const alone = { ...notebook, cells: [{ ...cell, metadata: { tags: ['parameters'] } }] };
    for (const { name, defaultValue } of inspectParameters(alone).parameters)
      if (defaultValue !== undefined) collect(defaultValue, patterns, isSecretName(name, patterns), values);
  }
  return [...values];
}

/** Adds the texts and numbers at or below secret names. Neither true, false, null nor an empty text is a secret. */
function collect(value: JsonValue, patterns: readonly string[], secret: boolean, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, patterns, secret, into);
  } else if (isJsonObject(value)) {
    for (const name of jsonKeys(value))
      collect(value[name] ?? null, patterns, secret || isSecretName(name, patterns), into);
  } else if (secret && value !== '' && (typeof value === 'string' || isNumber(value))) {
    into.add(String(value));
  }
}

function isNumber(value: JsonValue): value is number | JsonNumber {
  return typeof value === 'number' || value instanceof JsonNumber;
}
