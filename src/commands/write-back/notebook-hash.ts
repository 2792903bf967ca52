import { createHash } from 'node:crypto';

/** SHA-256 of a submitted notebook, in hexadecimal. Used to detect later edits. */
export function hashOf(notebook: Uint8Array): string {
  return createHash('sha256').update(notebook).digest('hex');
}
