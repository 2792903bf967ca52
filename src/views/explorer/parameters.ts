import { MASK, maskSecrets } from '../../execution/secret-names';

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
  const { parseDocument } = await import('yaml');
  const value: unknown = parseDocument(text, { logLevel: 'silent' }).toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [['', MASK]];
  return Object.entries(maskSecrets(value, secret)).map(([name, entry]) => [
    name,
    typeof entry === 'string' ? entry : JSON.stringify(entry),
  ]);
}
