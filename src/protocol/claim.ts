import * as fs from 'node:fs';
import * as path from 'node:path';
import { errorCode } from '../system/storage-error';

/** Exit code of a runner that could not begin its job because the disk takes nothing (sysexits.h, EX_IOERR). */
export const EXIT_NOT_BEGUN = 74;

/** A job cannot begin because the disk takes nothing. Nothing of it was run, and nothing is left of the attempt. */
export class NotBegunError extends Error {
  override readonly name = 'NotBegunError';
}

/**
 * Makes an attempt this process's own: it creates `claim` with its process id, see execution-folder.ts.
 * @param folder The execution's.
 * @throws NotBegunError where the disk does not take it. @throws SystemError EEXIST where another process has claimed it.
 */
export function claim(folder: string): void {
  try {
    fs.writeFileSync(path.join(folder, 'claim'), String(process.pid), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw error;
    giveUp(folder, error);
  }
}

/** Takes the claim back: this process has not begun, because the disk takes nothing. @throws NotBegunError always. */
export function giveUp(folder: string, cause: unknown): never {
  fs.rmSync(path.join(folder, 'claim'), { force: true });
  throw new NotBegunError(`not begun: ${String(cause)}`, { cause });
}
