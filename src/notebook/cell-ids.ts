import { createHash } from 'node:crypto';

/** Cell ids as the 4.5 schema defines them. */
const CELL_ID = /^[a-zA-Z0-9-_]{1,64}$/;

export function isCellId(id: unknown): id is string {
  return typeof id === 'string' && CELL_ID.test(id);
}

/**
 * A new id of eight hexadecimal digits, as nbformat makes them, but derived from `seed`: every reader of the same
 * document gets the same ids.
 * @param isTaken whether the notebook has this id already.
 */
export function newCellId(seed: string, isTaken: (id: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const id = createHash('sha256').update(`${attempt} ${seed}`).digest('hex').slice(0, 8);
    if (!isTaken(id)) return id;
  }
}
