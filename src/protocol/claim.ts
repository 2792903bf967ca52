import * as fs from 'node:fs';
import * as path from 'node:path';
import { errorCode } from '../system/storage-error';

/** Exit code of a runner that could not start its job because the disk cannot be written (sysexits.h, EX_IOERR). */
export const EXIT_NOT_STARTED = 74;

/** A job cannot start because the disk cannot be written. No cell was run, and the attempt has left no files. */
export class NotStartedError extends Error {
  override readonly name = 'NotStartedError';
}

/**
 * Claims an attempt for this process: creates `claim` with its process id, see execution-folder.ts.
 * @param folder The execution's folder.
 * @throws NotStartedError if the disk cannot be written.
 * @throws SystemError EEXIST if the attempt is claimed already.
 */
export function claim(folder: string): void {
  try {
    fs.writeFileSync(path.join(folder, 'claim'), String(process.pid), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw error;
    releaseClaim(folder, error);
  }
}

/**
 * Releases the claim: this process has not started the job, because the disk cannot be written.
 * @throws NotStartedError always.
 */
export function releaseClaim(folder: string, cause: unknown): never {
  fs.rmSync(path.join(folder, 'claim'), { force: true });
  throw new NotStartedError(`the job cannot start: ${String(cause)}`, { cause });
}
