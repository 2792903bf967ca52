import { randomUUID } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
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
 * Copies a finished output to the person's folder under a name that is free, whole or not at all, 0600. Others may be
 * able to write to that folder: nothing there is followed or overwritten, and what got the name is what was written.
 * @returns its path. @throws the system's error; EEXIST where no name is free, or somebody put something in its place.
 */
export async function placeOutput(output: string, folder: string, record: OutputNaming): Promise<string> {
  await fs.mkdir(folder, { recursive: true });
  const aside = path.join(folder, `.${record.id}-${randomUUID()}.ipynb`);
  const handle = await fs.open(aside, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    for await (const chunk of createReadStream(output)) await handle.writeFile(chunk as Buffer);
    await handle.datasync();
    for (let attempt = 0; attempt < MAX_NAMES; attempt++) {
      const place = path.join(folder, outputName(record, attempt));
      if (!(await claimName(aside, place))) continue;
      await checkSame(await handle.stat(), place);
      await flushDirectory(folder);
      return place;
    }
    throw Object.assign(new Error(`no free name in ${folder}`), { code: 'EEXIST' });
  } finally {
    await handle.close();
    await fs.rm(aside, { force: true });
  }
}

/** @throws Error EEXIST where the name is of something else than the file that was written, or a copy of it. */
async function checkSame(written: Stats, place: string): Promise<void> {
  const named = await fs.lstat(place);
  const isFile = named.isFile() && named.size === written.size;
  const isSame = named.ino === written.ino && named.dev === written.dev;
  if (isFile && (isSame || named.uid === written.uid)) return;
  throw Object.assign(new Error(`${place} was replaced by somebody else`), { code: 'EEXIST' });
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
