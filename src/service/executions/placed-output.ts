import { constants, createReadStream, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { errorCode, flushDirectory } from '../../system/files';
import type { ExecutionRecord, Placing } from './record';

/** Most names to try before giving up. The default name is usually free, because it contains the execution's id. */
const MAX_NAMES = 100;

/** Bytes to compare at a time. */
const PIECE = 1 << 16;

/**
 * The output's file name in the folder that the user chose.
 * @param attempt increases while the name is taken.
 */
export function outputName(record: OutputNaming, attempt = 0): string {
  const name = record.runOptions.outputName?.replace(/\.ipynb$/i, '') ?? `${record.stem}-${record.id}`;
  return `${name}${attempt === 0 ? '' : `-${attempt}`}.ipynb`;
}

/** The parts of an execution that its output's name is made from. */
export interface OutputNaming {
  readonly id: string;
  /** Stem of the source's name. */
  readonly stem: string;
  readonly runOptions: { readonly outputName?: string | undefined };
}

/**
 * Copies a finished output to the user's folder under a free name: completely or not at all, 0600, and once, even if
 * the service is killed meanwhile and restarted. Other users may have write access to that folder: nothing in it is
 * followed or overwritten, and the file that got the name is verified to be the one that was written.
 *
 * The output is first written to a hidden file, whose name is derived from the record. Each name is noted in the record
 * before it is tried. The hidden file is removed last: while it exists, placing has not finished, see {@link recover}.
 * @param note saves `record.placing`.
 * @returns the output's path. @throws the system's error; EEXIST if no name is free, or the output was replaced.
 */
export async function placeOutput(
  output: string,
  folder: string,
  record: OutputNaming & Pick<ExecutionRecord, 'content' | 'placing'>,
  note: (placing: Placing) => Promise<void>,
): Promise<string> {
  const temporary = path.join(folder, `.${record.id}-${record.content.slice(0, 8)}.ipynb`);
  const recovered = await recover(output, folder, temporary, record.placing);
  if (recovered !== undefined) return recovered;
  await fs.mkdir(folder, { recursive: true });
  const written = await copyToTemporary(output, temporary);
  try {
    for (let attempt = 0; attempt < MAX_NAMES; attempt++) {
      const name = outputName(record, attempt);
      const place = path.join(folder, name);
      if ((await statIfExists(place)) !== undefined) continue;
      await note({ name });
      if (!(await claimName(temporary, place, () => note({ name, isCopy: true })))) continue;
      await checkSame(written, place);
      await flush(folder);
      return place;
    }
    throw Object.assign(new Error(`no free name in ${folder}`), { code: 'EEXIST' });
  } finally {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    await flush(folder);
  }
}

/**
 * Completes or undoes what a service that was killed while placing this output had started.
 * @returns the path of the placed output; undefined if it is still to be placed.
 */
async function recover(
  output: string,
  folder: string,
  temporary: string,
  placing: Placing | undefined,
): Promise<string | undefined> {
  const hidden = await statIfExists(temporary);
  const place = placing && path.join(folder, path.basename(placing.name));
  const placed = place === undefined ? undefined : await statIfExists(place);
  const isOver = placed?.isFile() === true && (hidden === undefined || isSameFile(hidden, placed));
  const isHalf = !isOver && placing?.isCopy === true && placed?.isFile() === true;
  if (place !== undefined && isHalf && (await isBeginning(place, output))) await fs.rm(place);
  // Only if this user owns it: others can guess the name.
  if (hidden?.isFile() === true && (process.getuid === undefined || hidden.uid === process.getuid())) {
    await fs.rm(temporary);
    await flush(folder);
  }
  return isOver ? place : undefined;
}

/** Copies the output to a new file. @returns the new file's stat. */
async function copyToTemporary(output: string, temporary: string): Promise<Stats> {
  const handle = await fs.open(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    for await (const chunk of createReadStream(output)) await handle.writeFile(chunk as Buffer);
    await handle.datasync();
    return await handle.stat();
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Flushes a folder. Some network disks cannot do that; the output is still placed. */
async function flush(folder: string): Promise<void> {
  await flushDirectory(folder).catch(() => undefined);
}

async function statIfExists(file: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** Whether a file's content is the beginning, or all, of another file's. */
async function isBeginning(file: string, of: string): Promise<boolean> {
  const [part, whole] = await Promise.all([fs.open(file), fs.open(of)]);
  try {
    for (;;) {
      const { buffer, bytesRead } = await part.read(Buffer.alloc(PIECE), 0, PIECE, null);
      if (bytesRead === 0) return true;
      const other = await whole.read(Buffer.alloc(bytesRead), 0, bytesRead, null);
      if (!other.buffer.subarray(0, other.bytesRead).equals(buffer.subarray(0, bytesRead))) return false;
    }
  } finally {
    await Promise.all([part.close(), whole.close()]);
  }
}

/** Checks that the name belongs to the file that was written, or to a copy of it. @throws Error EEXIST if not. */
async function checkSame(written: Stats, place: string): Promise<void> {
  const named = await fs.lstat(place);
  const isFile = named.isFile() && named.size === written.size;
  if (isFile && (isSameFile(named, written) || named.uid === written.uid)) return;
  throw Object.assign(new Error(`${place} was replaced by another program`), { code: 'EEXIST' });
}

/**
 * Gives a file a second name. A hard link neither overwrites nor follows anything.
 * @param onCopy called before the file is copied, if it cannot be linked.
 * @returns false if the name is taken.
 */
async function claimName(file: string, place: string, onCopy: () => Promise<void>): Promise<boolean> {
  try {
    await fs.link(file, place);
    return true;
  } catch (error) {
    // A network disk may report EEXIST for a link that it has made, if its first answer was lost.
    if (errorCode(error) === 'EEXIST') return isSameFile(await fs.lstat(file), await fs.lstat(place));
  }
  // A file system without hard links (FAT, some network shares).
  await onCopy();
  try {
    await fs.copyFile(file, place, constants.COPYFILE_EXCL);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
  const copy = await fs.open(place, 'r+');
  await copy.datasync().finally(() => copy.close());
  return true;
}
