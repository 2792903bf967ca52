import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as z from 'zod/mini';
import { ServiceError } from '../execution/errors';
import { readNotebook } from '../notebook/document';
import { NotebookError } from '../notebook/errors';
import { isJsonObject, type JsonValue } from '../notebook/json';
import { errorCode } from './files';

/** What the service has to know of a notebook. */
export interface NotebookFacts {
  readonly kernel?: string | undefined;
  readonly language?: string | undefined;
}

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

/** Above this many bytes a notebook is read on a thread of its own: it takes long, and its memory goes with the thread. */
const INLINE_BYTES = 512 * 1024;

/**
 * Checks that the bytes are a notebook that can be run.
 * @throws ServiceError INVALID_ARGUMENT `notebookInvalid`; args: `code` of the {@link NotebookError} and its args.
 */
export async function inspectNotebook(notebook: Uint8Array): Promise<NotebookFacts> {
  const result = notebook.length <= INLINE_BYTES ? factsOf(notebook) : await factsOnThread(notebook);
  if ('facts' in result) return result.facts;
  throw new ServiceError('INVALID_ARGUMENT', 'notebookInvalid', result.message, {
    field: 'executionTemplate.inputNotebookFile',
    ...result.args,
    code: result.code,
  });
}

const InspectionSchema = z.union([
  z.object({ facts: z.object({ kernel: z.optional(z.string()), language: z.optional(z.string()) }) }),
  z.object({ code: z.string(), message: z.string(), args: z.record(z.string(), z.string()) }),
]);
type Inspection = z.infer<typeof InspectionSchema>;

function factsOf(bytes: Uint8Array): Inspection {
  try {
    const { metadata } = readNotebook(bytes).notebook;
    const kernelspec = metadata['kernelspec'];
    const languageInfo = metadata['language_info'];
    return {
      facts: {
        kernel: text(isJsonObject(kernelspec) ? kernelspec['name'] : undefined),
        language:
          text(isJsonObject(languageInfo) ? languageInfo['name'] : undefined) ??
          text(isJsonObject(kernelspec) ? kernelspec['language'] : undefined),
      },
    };
  } catch (error) {
    if (error instanceof NotebookError)
      return { code: error.code, message: error.message, args: { ...error.args } };
    throw error;
  }
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

async function factsOnThread(notebook: Uint8Array): Promise<Inspection> {
  const worker = new Worker(__filename, { workerData: { inspect: notebook } });
  return new Promise((resolve, reject) => {
    worker.once('message', (message) => {
      resolve(InspectionSchema.parse(message));
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      reject(new Error('the notebook reader ended without an answer'));
    });
  });
}

/** Runs the worker's part where this is the worker. @returns false on the main thread. */
export function serveAsWorker(): boolean {
  if (isMainThread) return false;
  const { inspect } = z.object({ inspect: z.instanceof(Uint8Array) }).parse(workerData);
  parentPort?.postMessage(factsOf(inspect));
  return true;
}
