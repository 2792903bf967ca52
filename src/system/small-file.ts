import * as fs from 'node:fs';
import { open } from 'node:fs/promises';

/*
 * This product's own files: records, settings, tokens. Something else may have the name of one by now, and a service or
 * a window must not wait for the other end of a pipe, nor read a device without an end.
 */

/** Larger than any of them, bytes: the largest are records, and a request has at most 8 MiB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Opens a pipe without waiting for its other end. Windows has no such flag and needs none. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

/**
 * Opens a regular file for reading; the caller closes it.
 * @returns the file descriptor.
 * @throws SystemError; Error with the code ENOTSUP for a directory, a pipe, a socket or a device.
 */
export function openRegularFile(file: string): number {
  const descriptor = fs.openSync(file, FLAGS);
  if (fs.fstatSync(descriptor).isFile()) return descriptor;
  fs.closeSync(descriptor);
  throw notRegular(file);
}

/**
 * Reads a small text file synchronously.
 * @throws like {@link openRegularFile}; Error with the code EFBIG if too large.
 */
export function readSmallFileSync(file: string, maxBytes = MAX_BYTES): string {
  const descriptor = openRegularFile(file);
  try {
    // Files of /proc report no size, and a file may grow meanwhile.
    let buffer = Buffer.allocUnsafe(Math.min(fs.fstatSync(descriptor).size, maxBytes) + 1);
    let length = 0;
    for (;;) {
      const read = fs.readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) return buffer.toString('utf8', 0, length);
      length += read;
      if (length > maxBytes) throw tooLarge(file, maxBytes);
      if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes) + 1);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Reads a small text file. @throws (rejects) like {@link readSmallFileSync}. */
export async function readSmallFile(file: string, maxBytes = MAX_BYTES): Promise<string> {
  const handle = await open(file, FLAGS);
  try {
    if (!(await handle.stat()).isFile()) throw notRegular(file);
    const chunks: Buffer[] = [];
    let length = 0;
    // `end` is inclusive, so this reads one byte more than allowed.
    for await (const chunk of handle.createReadStream({ end: maxBytes, autoClose: false })) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
    }
    if (length > maxBytes) throw tooLarge(file, maxBytes);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await handle.close();
  }
}

function notRegular(file: string): Error {
  return Object.assign(new Error(`${file} is not a regular file`), { code: 'ENOTSUP' });
}

function tooLarge(file: string, maxBytes: number): Error {
  return Object.assign(new Error(`${file} has more than ${maxBytes} bytes`), { code: 'EFBIG' });
}
