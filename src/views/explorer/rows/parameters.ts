import { MASK, maskSecrets } from '../../../execution/secret-names';
import { jsonKeys, type JsonObject, stringifyJson } from '../../../notebook/json';
import { ParametersError } from '../../../notebook/parameters/errors';

/**
 * Parameters of an execution as names and JSON-like values, in their order. `parameters` of the resource is a YAML
 * mapping; what cannot be read is one nameless entry, masked: it may hold a secret.
 * @param secret patterns of names whose values are masked, see execution/secret-names.ts.
 */
export async function parametersOf(
  text: string,
  secret: readonly string[],
): Promise<[name: string, value: string][]> {
  // Loaded here: most windows never unfold parameters.
  const { parseParameters } = await import('../../../notebook/parameters/parse');
  let parameters: JsonObject;
  try {
    parameters = parseParameters(text);
  } catch (error) {
    if (error instanceof ParametersError) return [['', MASK]];
    throw error;
  }
  const masked = maskSecrets(parameters, secret);
  return jsonKeys(parameters).map((name) => {
    const value = masked[name] ?? null;
    return [name, typeof value === 'string' ? value : stringifyJson(value, { nonFinite: 'bare' })];
  });
}
