/** Pattern of an `executionId`: 1 to 63 lower-case letters, digits and hyphens, starting with a letter. */
export const EXECUTION_ID = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The last part of a resource name: the `executionId`. */
export function executionIdOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
