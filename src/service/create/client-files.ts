import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../../execution/errors';
import { errorCode } from '../../system/files';
import { factsOf, InspectionSchema, type Inspection } from '../notebook-facts';
import { onLimitedThread, ThreadLimitError } from '../thread';

/** Largest file that Node can read into one string, bytes. The runner could not read a larger one. */
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
    // Reported below.
  }
  throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field} must be a file: URI of this machine`, {
    field,
  });
}

/** Bytes that a file may have beyond its reported size: it may be growing, and pseudo files report a size of 0. */
const MAX_GROWTH = 16 * 1024 * 1024;
const CHUNK = 8 * 1024 * 1024;

/**
 * Reads a file that a client names. Only regular files are read, since a pipe could block the service forever. Files
 * without an end, such as some in /proc, are rejected once they exceed {@link MAX_GROWTH}.
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

/** Reads a file that is expected to have `size` bytes; undefined if it has more than `most`. */
async function readAtMost(handle: FileHandle, size: number, most: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= most;) {
    // Plus 1: the file may be larger than expected.
    const buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(size - total + 1, 64 * 1024), CHUNK));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return undefined;
}

/** Notebooks up to this size, bytes, are read on this thread: the worst case takes about 50 ms. */
const INLINE_BYTES = 128 * 1024;

/**
 * Checks that the bytes are a notebook that can be run.
 * @param signal aborts the reading.
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

/** {@link factsOf} on another thread. A notebook that exceeds the limits on time or memory is `tooLarge`. */
async function inspectOnThread(notebook: Uint8Array, signal: AbortSignal | undefined): Promise<Inspection> {
  // A notebook full of numbers takes ten times its size.
  const megabytes = Math.min(512 + Math.ceil(notebook.length / 1e5), 4096);
  try {
    return InspectionSchema.parse(await onLimitedThread({ type: 'inspect', notebook }, signal, megabytes));
  } catch (error) {
    if (!(error instanceof ThreadLimitError)) throw error;
    const args = { bytes: String(notebook.length) };
    return { code: 'tooLarge', message: `Reading the notebook: ${error.message}`, args };
  }
}
