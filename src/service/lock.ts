import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as z from 'zod/mini';
import { processStartTime } from '../system/processes';
import { createFile, errorCode, readIfExists } from '../system/files';
import { exists } from '../system/programs';
import { isAlive, type ProcessIdentity } from '../system/processes';

/** Larger numbers are not locks of this service: with one start a second, it takes 30 years to reach this one. */
const MAX_NUMBER = 1_000_000_000;

const HolderSchema = z.object({ pid: z.number(), startTime: z.string() });

/**
 * The lock of a host and data directory; its holder is the service. Locks are numbered files `lock.{n}` that name their
 * holder; the highest number counts. If the holder is dead, another process takes over by creating the next number
 * exclusively, which only one process can do: so no lock is removed that another process may just have made. The
 * highest lock stays when its holder ends. On file systems without hard links, a lock is a directory with such a file.
 */
export class ServiceLock {
  private constructor(private readonly file: string) {}

  /**
   * Takes the lock.
   * @returns the lock, or its holder if it is taken.
   */
  static async acquire(
    directory: string,
    log: (message: string) => void,
  ): Promise<ServiceLock | { holder: ProcessIdentity }> {
    const startTime = await processStartTime(process.pid);
    if (startTime === undefined) throw new Error('cannot determine the start time of this process');
    const foreign = (await fs.readdir(directory)).filter((each) => (numberOf(each) ?? 0) > MAX_NUMBER);
    if (foreign.length > 0) log(`ignored in ${directory}, not valid locks: ${foreign.join(', ')}`);
    for (;;) {
      const current = await highest(directory);
      const holder = await ServiceLock.holder(directory);
      if (holder !== undefined) return { holder };
      if (current === MAX_NUMBER)
        throw new Error(`the highest lock number is used; remove ${path.join(directory, name(current))}`);
      const file = path.join(directory, name(current + 1));
      if (!(await claim(file, { pid: process.pid, startTime }))) continue;
      for (let old = current; old > current - 3 && old > 0; old--)
        await removeLock(path.join(directory, name(old)));

      return new ServiceLock(file);
    }
  }

  /** The current holder of the lock; undefined if there is none. */
  static async holder(directory: string): Promise<ProcessIdentity | undefined> {
    const current = await highest(directory).catch(() => 0);
    const holder = current === 0 ? undefined : await readHolder(path.join(directory, name(current)));
    return holder !== undefined && (await isAlive(holder)) ? holder : undefined;
  }

  /** False if the lock was removed: another service may hold it now, so this one must stop. */
  async isHeld(): Promise<boolean> {
    return (await readHolder(this.file))?.pid === process.pid;
  }
}

function name(number: number): string {
  return `lock.${number}`;
}

async function highest(directory: string): Promise<number> {
  const numbers = (await fs.readdir(directory)).map((each) => numberOf(each) ?? 0);
  return Math.max(0, ...numbers.filter((number) => number <= MAX_NUMBER));
}

function numberOf(fileName: string): number | undefined {
  const [, digits] = /^lock\.(\d+)$/.exec(fileName) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The file in a lock that is a directory. */
const HOLDER = 'holder.json';

/** Creates a lock with its content in one step: an empty one must never be read. @returns false if it exists. */
async function claim(lock: string, holder: ProcessIdentity): Promise<boolean> {
  const temporary = `${lock}.${holder.pid}`;
  await fs.rm(temporary, { recursive: true, force: true });
  try {
    await createFile(temporary, JSON.stringify(holder));
    await fs.link(temporary, lock);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    await fs.rm(temporary, { force: true });
    return await claimWithoutLinks(temporary, lock, holder);
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
}

/** Renaming a file would replace an existing lock; a directory does not replace a file, or a directory with content. */
async function claimWithoutLinks(temporary: string, lock: string, holder: ProcessIdentity): Promise<boolean> {
  await fs.mkdir(temporary, { mode: 0o700 });
  await createFile(path.join(temporary, HOLDER), JSON.stringify(holder));
  try {
    await fs.rename(temporary, lock);
    return true;
  } catch (error) {
    if (await exists(lock)) return false;
    throw error;
  }
}

/** Removes an old lock. Anything else that has its name stays. */
async function removeLock(lock: string): Promise<void> {
  try {
    if (!(await fs.lstat(lock)).isDirectory()) {
      await fs.rm(lock);
      return;
    }
    await fs.rm(path.join(lock, HOLDER), { force: true });
    await fs.rmdir(lock);
  } catch {
    // There is none, or a directory with other content.
  }
}

async function readHolder(lock: string): Promise<ProcessIdentity | undefined> {
  return (await parseHolder(lock)) ?? parseHolder(path.join(lock, HOLDER));
}

async function parseHolder(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return HolderSchema.parse(JSON.parse((await readIfExists(file)) ?? ''));
  } catch {
    return undefined;
  }
}
