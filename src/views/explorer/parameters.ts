/**
 * Parameters of an execution as names and JSON-like values, in their order. `parameters` of the resource is a YAML
 * mapping; what cannot be read is one nameless entry with the text itself.
 */
export async function parametersOf(text: string): Promise<[name: string, value: string][]> {
  // Loaded here: most windows never unfold parameters.
  const { parseDocument } = await import('yaml');
  const value: unknown = parseDocument(text, { logLevel: 'silent' }).toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [['', text]];
  return Object.entries(value).map(([name, entry]) => [
    name,
    typeof entry === 'string' ? entry : JSON.stringify(entry),
  ]);
}
