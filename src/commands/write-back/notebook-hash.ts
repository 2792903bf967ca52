import { createHash } from 'node:crypto';

/** SHA-256 of a captured notebook, by which it is known again. */
export function hashOf(notebook: Uint8Array): string {
  return createHash('sha256').update(notebook).digest('hex');
}
