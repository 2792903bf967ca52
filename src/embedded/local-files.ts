import { constants, createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { LogChunk, OutputDocument } from '../execution/execution-service';
import { servicePaths } from '../protocol/service-paths';
import { errorCode } from '../system/files';

const MAX_CHUNK_BYTES = 1024 * 1024;

/**
 * A file as a document; undefined if it does not exist. The runner replaces whole files, so a read never sees a partial
 * one.
 */
export async function openDocument(file: string | undefined): Promise<OutputDocument | undefined> {
  if (file === undefined) return undefined;
  try {
    const stat = await fs.stat(file);
    if (!stat.isFile()) return undefined;
    const { size, mtimeMs, ino } = stat;
    return {
      size,
      version: `${ino}-${mtimeMs}-${size}`,
      read: (signal) => createReadStream(file, signal === undefined ? {} : { signal }),
    };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Text of a log, at most 1 MB at a time; never splits a character.
 * @param from offset in bytes; empty for 0
 */
export async function readLogChunk(file: string | undefined, from: string): Promise<LogChunk> {
  const nothing = { text: '', next: from };
  const offset = Number(from);
  if (file === undefined) return nothing;
  try {
    const handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(MAX_CHUNK_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      const whole = buffer.subarray(0, bytesRead - unfinished(buffer.subarray(0, bytesRead)));
      return whole.length === 0
        ? nothing
        : { text: whole.toString('utf8'), next: String(offset + whole.length) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return nothing;
    throw error;
  }
}

/** Number of bytes at the end that belong to an incomplete UTF-8 character. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** The log file of the service of this host. */
export function serviceLogFile(dataDirectory: string): string {
  return servicePaths(dataDirectory).log;
}
