import { MASK, maskSecrets } from '../../../execution/secrets/secret-names';
import { jsonKeys, type JsonObject, stringifyJson } from '../../../notebook/json';
import { ParametersError } from '../../../notebook/parameters/errors';

/**
 * Parameters of an execution as names and JSON-like values, in their order. The resource's `parameters` is a YAML
 * mapping. If it is invalid, the result is one masked entry without a name, because the text may contain a secret.
 * @param secret patterns of names whose values are masked, see execution/secrets/secret-names.ts.
 */
export async function parametersOf(
  text: string,
  secret: readonly string[],
): Promise<[name: string, value: string][]> {
  // Loaded on demand: most windows never unfold parameters.
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
