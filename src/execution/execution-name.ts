/** Pattern of an `executionId`: 1 to 63 lower-case letters, digits and hyphens, starting with a letter. */
export const EXECUTION_ID = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The last part of a resource name: the `executionId`. */
export function executionIdOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** The last part of a URI's path, decoded if it is valid percent-encoding. */
export function fileNameOf(uri: string): string {
  const path = uri.replace(/^[a-z][\w+.-]*:|[?#].*$/gi, '').replace(/\/+$/, '');
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
