import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../../execution/errors';
import { errorCode } from '../../system/files';
import { factsOf, InspectionSchema, type Inspection } from '../notebook-facts';
import { onLimitedThread, ThreadLimitError } from '../thread';

/** Longest file that Node can make one string of; the runner could not read a longer one. */
const MAX_INPUT_BYTES = 0x1fffffe8;

/**
 * The path that a `file:` URI names on this machine.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid` for any other URI.
 */
export function pathOfUri(uri: string, field: string): string {
  try {
    const url = new URL(uri);
    if (url.protocol === 'file:' && url.search === '' && url.hash === '') {
      const file = fileURLToPath(url);
      if (!file.includes('\0')) return file;
    }
  } catch {
    // Said below.
  }
  throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field} must be a file: URI of this machine`, {
    field,
  });
}

/** What a file may have beyond the size that it says: it may be growing, and pseudo files say that they are empty. */
const MAX_GROWTH = 16 * 1024 * 1024;
const CHUNK = 8 * 1024 * 1024;

/**
 * Reads a file that a client names. Only regular files are read: a pipe could make the service wait for ever; and of those
 * without an end, such as some in /proc, no more than a few MB.
 * @throws ServiceError INVALID_ARGUMENT `fileNotReadable` (args `field`, `path`, `code` of the system error).
 */
export async function readClientFile(
  uri: string,
  field: string,
  maxBytes = MAX_INPUT_BYTES,
): Promise<Uint8Array> {
  const file = pathOfUri(uri, field);
  const unreadable = (code: string): ServiceError =>
    new ServiceError('INVALID_ARGUMENT', 'fileNotReadable', `${field}: cannot read ${file}: ${code}`, {
      field,
      path: file,
      code,
    });
  try {
    const handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw unreadable(stat.isDirectory() ? 'EISDIR' : 'ENOTSUP');
      if (stat.size > maxBytes) throw unreadable('EFBIG');
      const bytes = await readAtMost(handle, stat.size, Math.min(maxBytes, stat.size + MAX_GROWTH));
      if (bytes === undefined) throw unreadable('EFBIG');
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof ServiceError ? error : unreadable(errorCode(error) ?? String(error));
  }
}

/** All of a file, which is likely to have `size` bytes; undefined where it has more than `most`. */
async function readAtMost(handle: FileHandle, size: number, most: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= most;) {
    // One byte more: where the file has as many as it says, the first reading finds its end.
    const buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(size - total + 1, 64 * 1024), CHUNK));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return undefined;
}

/** Notebooks of up to so many bytes are read on this thread: the worst that they can be takes some 50 ms. */
const INLINE_BYTES = 128 * 1024;

/**
 * Checks that the bytes are a notebook that can be run.
 * @param signal ends the reading.
 * @throws ServiceError INVALID_ARGUMENT `notebookInvalid`; args: `code` of the NotebookError and its args.
 */
export async function inspectNotebook(
  notebook: Uint8Array,
  signal?: AbortSignal,
): Promise<{ kernel?: string | undefined; language?: string | undefined }> {
  const result =
    notebook.length <= INLINE_BYTES ? factsOf(notebook) : await inspectOnThread(notebook, signal);
  if ('facts' in result) return result.facts;
  throw new ServiceError('INVALID_ARGUMENT', 'notebookInvalid', result.message, {
    field: 'executionTemplate.inputNotebookFile',
    ...result.args,
    code: result.code,
  });
}

/** {@link factsOf} on another thread; a notebook that takes too long or too much is `tooLarge`. */
async function inspectOnThread(notebook: Uint8Array, signal: AbortSignal | undefined): Promise<Inspection> {
  // Ten times its size is what a notebook full of numbers takes.
  const megabytes = Math.min(512 + Math.ceil(notebook.length / 1e5), 4096);
  try {
    return InspectionSchema.parse(await onLimitedThread({ type: 'inspect', notebook }, signal, megabytes));
  } catch (error) {
    if (!(error instanceof ThreadLimitError)) throw error;
    const args = { bytes: String(notebook.length) };
    return { code: 'tooLarge', message: `Reading the notebook: ${error.message}`, args };
  }
}
