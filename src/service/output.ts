import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { errorCode, flushDirectory } from './files';

/** Names to try before giving up; the execution id makes the first one free unless somebody wants it taken. */
const MAX_NAMES = 100;

/**
 * The name that an output gets in the folder the person chose.
 * @param attempt counts up while the name is taken
 */
export function outputName(record: OutputNaming, attempt = 0): string {
  const name = record.runOptions.outputName?.replace(/\.ipynb$/i, '') ?? `${record.stem}-${record.id}`;
  return `${name}${attempt === 0 ? '' : `-${attempt}`}.ipynb`;
}

/** What of an execution names its output. */
export interface OutputNaming {
  readonly id: string;
  /** Stem of the source's name. */
  readonly stem: string;
  readonly runOptions: { readonly outputName?: string | undefined };
}

/**
 * Copies a finished output to the person's folder under a name that is free, whole or not at all, 0600.
 * @returns its path. @throws the system's error.
 */
export async function placeOutput(output: string, folder: string, record: OutputNaming): Promise<string> {
  await fs.mkdir(folder, { recursive: true });
  const aside = path.join(folder, `.${record.id}-${randomUUID()}.ipynb`);
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
      const place = path.join(folder, outputName(record, attempt));
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
