import * as fs from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Tries, and milliseconds between them: a reader of ours, or a virus scanner, is done long before. */
const TRIES = 50;
const WAIT = 20;

/** What Windows says of a file that somebody has open. */
const IN_USE = ['EPERM', 'EACCES', 'EBUSY'];

/**
 * Renames a file over another one. Windows refuses that for as long as somebody has the other one open, so that it is tried
 * again there, for about a second.
 * @throws SystemError of the last try.
 */
export async function renameOver(
  from: string,
  to: string,
  rename: (from: string, to: string) => Promise<void> = fs.rename,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  for (let left = platform === 'win32' ? TRIES : 1; ; left -= 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (left <= 1 || !IN_USE.includes(code)) throw error;
    }
    await delay(WAIT);
  }
}
