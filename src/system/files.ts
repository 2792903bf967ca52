import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readSmallFile } from './small-file';
import { errorCode } from './storage-error';

export { errorCode, isStorageError } from './storage-error';

/** Flushes the entries of a directory to the disk. Windows has no such call and needs none. */
export async function flushDirectory(
  directory: string,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  if (platform === 'win32') return;
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a file exclusively, 0600, flushed. If it cannot be written completely, it is removed. */
export async function createFile(file: string, data: string | Uint8Array): Promise<void> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
  const handle = await fs.open(file, flags, 0o600);
  try {
    await handle.writeFile(data);
    await handle.datasync();
  } catch (error) {
    await fs.rm(file, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file as a whole: after a crash at any moment it has the old content or the new one. 0600, flushed.
 * @param suffix of the temporary file's name. If no other process writes the file, it can always be the same, so that
 *   at most one is ever left behind.
 */
export async function replaceFile(
  file: string,
  data: string | Uint8Array,
  suffix: string = randomUUID(),
): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${suffix}`);
  try {
    await createFile(temporary, data).catch(async (error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
      await fs.rm(temporary);
      await createFile(temporary, data);
    });
    await renameOver(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await flushDirectory(path.dirname(file));
}

/** Content of a small file, or undefined if there is none. @throws like {@link readSmallFile}. */
export async function readIfExists(file: string): Promise<string | undefined> {
  try {
    return await readSmallFile(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Creates a directory in the data directory that no other user can open. If a link has its name, the link is followed,
 * and the folder that it points to keeps its permissions.
 */
export async function makePrivateDirectory(directory: string): Promise<void> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  if (process.platform === 'win32') return;
  const stat = await fs.lstat(directory);
  if (stat.isDirectory() && (stat.mode & 0o077) !== 0) await fs.chmod(directory, 0o700);
}

/** Number of tries, and milliseconds between them: this product's readers and virus scanners are done long before. */
const TRIES = 50;
const WAIT = 20;

/** Error codes of Windows for a file that a process has open. */
const IN_USE = ['EPERM', 'EACCES', 'EBUSY'];

/**
 * Renames a file over another one. Windows refuses that while a process has the other file open, so there it is tried
 * again for about a second.
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
