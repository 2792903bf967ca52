import * as fs from 'node:fs';
import * as path from 'node:path';
import { errorCode } from '../system/storage-error';

/** Exit code of a runner that could not begin its job because the disk cannot be written (sysexits.h, EX_IOERR). */
export const EXIT_NOT_BEGUN = 74;

/** A job cannot begin because the disk cannot be written. Nothing of it was run, and the attempt has left nothing. */
export class NotBegunError extends Error {
  override readonly name = 'NotBegunError';
}

/**
 * Claims an attempt for this process: creates `claim` with its process id, see execution-folder.ts.
 * @param folder The execution's folder.
 * @throws NotBegunError if the disk cannot be written.
 * @throws SystemError EEXIST if the attempt is claimed already.
 */
export function claim(folder: string): void {
  try {
    fs.writeFileSync(path.join(folder, 'claim'), String(process.pid), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw error;
    giveUp(folder, error);
  }
}

/**
 * Withdraws the claim: this process has not begun, because the disk cannot be written.
 * @throws NotBegunError always.
 */
export function giveUp(folder: string, cause: unknown): never {
  fs.rmSync(path.join(folder, 'claim'), { force: true });
  throw new NotBegunError(`not begun: ${String(cause)}`, { cause });
}
