import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../execution/errors';
import { errorCode } from './files';
import { factsOf } from './notebook-facts';
import { inspectOnThread } from './worker';

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

/**
 * Reads a file that a client names. Only regular files are read: a pipe could make the service wait for ever.
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
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof ServiceError ? error : unreadable(errorCode(error) ?? String(error));
  }
}

/** Above this many bytes a notebook is read on a thread of its own. */
const INLINE_BYTES = 512 * 1024;

/**
 * Checks that the bytes are a notebook that can be run.
 * @throws ServiceError INVALID_ARGUMENT `notebookInvalid`; args: `code` of the NotebookError and its args.
 */
export async function inspectNotebook(
  notebook: Uint8Array,
): Promise<{ kernel?: string | undefined; language?: string | undefined }> {
  const result = notebook.length <= INLINE_BYTES ? factsOf(notebook) : await inspectOnThread(notebook);
  if ('facts' in result) return result.facts;
  throw new ServiceError('INVALID_ARGUMENT', 'notebookInvalid', result.message, {
    field: 'executionTemplate.inputNotebookFile',
    ...result.args,
    code: result.code,
  });
}
