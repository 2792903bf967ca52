import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { errorCode, flushDirectory } from './files';

/** Names to try before giving up; the execution id makes the first one free unless somebody wants it taken. */
const MAX_NAMES = 100;

/** The name that an output gets in the folder the person chose. */
export function outputName(stem: string, executionId: string, attempt = 0): string {
  return `${stem}-${executionId}${attempt === 0 ? '' : `-${attempt}`}.ipynb`;
}

/**
 * Copies a finished output to the person's folder under a name that is free, whole or not at all, 0600.
 * @returns its path. @throws the system's error.
 */
export async function placeOutput(
  output: string,
  folder: string,
  stem: string,
  executionId: string,
): Promise<string> {
  await fs.mkdir(folder, { recursive: true });
  const aside = path.join(folder, `.${executionId}-${randomUUID()}.ipynb`);
  try {
    await fs.copyFile(output, aside, constants.COPYFILE_EXCL);
    await fs.chmod(aside, 0o600);
    const handle = await fs.open(aside, 'r+');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
    for (let attempt = 0; attempt < MAX_NAMES; attempt++) {
      const place = path.join(folder, outputName(stem, executionId, attempt));
      if (await claimName(aside, place)) {
        await flushDirectory(folder);
        return place;
      }
    }
    throw Object.assign(new Error(`no free name in ${folder}`), { code: 'EEXIST' });
  } finally {
    await fs.rm(aside, { force: true });
  }
}

/** Gives a file a second name unless that is taken; a link neither overwrites nor follows anything. */
async function claimName(file: string, place: string): Promise<boolean> {
  try {
    await fs.link(file, place);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
  }
  // A file system without hard links (FAT, some network shares).
  try {
    await fs.copyFile(file, place, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}
