import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as z from 'zod/mini';
import { processStartTime } from '../system/processes';
import { createFile, errorCode, readIfExists } from '../system/files';
import { isAlive, type ProcessIdentity } from '../system/processes';

/** Higher numbers are of no lock of ours: one start a second comes to this one in 30 years. */
const MAX_NUMBER = 1_000_000_000;

const HolderSchema = z.object({ pid: z.number(), startTime: z.string() });

/**
 * Who is the service of a host and data directory. Locks are numbered files `lock.{n}` that name their holder; the
 * highest number counts. A dead holder is followed by creating the next number exclusively, which one process alone can
 * do: nothing is removed that another one might just have made. The highest stays when its holder leaves.
 */
export class ServiceLock {
  private constructor(private readonly file: string) {}

  /**
   * Takes the lock.
   * @returns the lock, or who holds it.
   */
  static async acquire(
    directory: string,
    log: (message: string) => void,
  ): Promise<ServiceLock | { holder: ProcessIdentity }> {
    const startTime = await processStartTime(process.pid);
    if (startTime === undefined) throw new Error('the system does not tell when this process started');
    const foreign = (await fs.readdir(directory)).filter((each) => (numberOf(each) ?? 0) > MAX_NUMBER);
    if (foreign.length > 0) log(`passed over in ${directory}, no locks: ${foreign.join(', ')}`);
    for (;;) {
      const current = await highest(directory);
      const holder = await ServiceLock.holder(directory);
      if (holder !== undefined) return { holder };
      if (current === MAX_NUMBER) throw new Error(`remove ${path.join(directory, name(current))}`);
      const file = path.join(directory, name(current + 1));
      if (!(await claim(file, { pid: process.pid, startTime }))) continue;
      for (let old = current; old > current - 3 && old > 0; old--) {
        // What is no file was not made here.
        await fs.rm(path.join(directory, name(old)), { force: true }).catch(() => undefined);
      }
      return new ServiceLock(file);
    }
  }

  /** Who holds the lock now, if anybody. */
  static async holder(directory: string): Promise<ProcessIdentity | undefined> {
    const current = await highest(directory).catch(() => 0);
    const holder = current === 0 ? undefined : await readHolder(path.join(directory, name(current)));
    return holder !== undefined && (await isAlive(holder)) ? holder : undefined;
  }

  /** False when somebody removed the lock: another service may hold it now, and this one has to leave. */
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

/** Creates a lock with its content in one step: nobody must ever read one that is empty yet. */
async function claim(file: string, holder: ProcessIdentity): Promise<boolean> {
  const aside = `${file}.${holder.pid}`;
  await fs.rm(aside, { force: true });
  await createFile(aside, JSON.stringify(holder));
  try {
    await fs.link(aside, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // A file system without hard links: the content follows at once, and readHolder waits for it.
    try {
      await createFile(file, JSON.stringify(holder));
      return true;
    } catch (second) {
      if (errorCode(second) === 'EEXIST') return false;
      throw second;
    }
  } finally {
    await fs.rm(aside, { force: true });
  }
}

async function readHolder(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return HolderSchema.parse(JSON.parse((await readIfExists(file)) ?? ''));
  } catch {
    return undefined;
  }
}
