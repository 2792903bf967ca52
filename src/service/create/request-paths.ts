import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../../execution/errors';
import { stagedBy } from '../../protocol/service-paths';
import { errorCode } from '../../system/files';
import { isExecutable } from '../../system/programs';
import { pathOfUri } from './client-files';
import { fieldInvalid, type CreateRequest } from './request';

/*
 * The paths of a create request: checks, and defaults for those that it does not name.
 */

/**
 * Checks the output folder as far as possible without creating anything. It is created when it is needed.
 * @returns its path; undefined if the request names none.
 * @throws ServiceError INVALID_ARGUMENT `outputNotWritable`, args `field`, `path`, `code` of the system error.
 */
export async function checkOutputFolder(uri: string | undefined): Promise<string | undefined> {
  if (uri === undefined) return undefined;
  const field = 'executionTemplate.outputNotebookFolder';
  const folder = pathOfUri(uri, field);
  const refuse = (code: string): ServiceError =>
    new ServiceError(
      'INVALID_ARGUMENT',
      'outputNotWritable',
      `${field}: cannot write to ${folder}: ${code}`,
      {
        field,
        path: folder,
        code,
      },
    );
  for (let existing = folder; ; existing = path.dirname(existing)) {
    try {
      const stat = await fs.stat(existing);
      if (!stat.isDirectory()) throw refuse('ENOTDIR');
      await fs.access(existing, fs.constants.W_OK | fs.constants.X_OK);
      return folder;
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      const code = errorCode(error) ?? String(error);
      if (code !== 'ENOENT' || path.dirname(existing) === existing) throw refuse(code);
    }
  }
}
/**
 * The kernel's working directory: the given one, else the folder of `source`, else that of `inputNotebookFile`, else
 * the user's home. A folder counts if it exists on this machine.
 * @throws ServiceError INVALID_ARGUMENT `workingDirectoryInvalid`, args `field`, `path`.
 */
export async function resolveWorkingDirectory({
  runOptions,
  executionTemplate,
}: Pick<CreateRequest, 'runOptions' | 'executionTemplate'>): Promise<string> {
  const { workingDirectory: given, source } = runOptions;
  if (given !== undefined) {
    if (path.isAbsolute(given) && !given.includes('\0') && (await isDirectory(given))) return given;
    const field = 'runOptions.workingDirectory';
    throw new ServiceError('INVALID_ARGUMENT', 'workingDirectoryInvalid', `${field}: no folder ${given}`, {
      field,
      path: given,
    });
  }
  for (const uri of [source, executionTemplate.inputNotebookFile]) {
    const file = sourcePath(uri);
    // The editor's copy of a notebook says nothing about where the notebook belongs.
    const folder = file === undefined || stagedBy(path.basename(file)) ? undefined : path.dirname(file);
    if (folder !== undefined && (await isDirectory(folder))) return folder;
  }
  return os.homedir();
}
export async function isDirectory(file: string): Promise<boolean> {
  return fs.stat(file).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
}
/** The path of a source that is a file on this machine, else undefined. */
export function sourcePath(source: string | undefined): string | undefined {
  try {
    return source === undefined ? undefined : fileURLToPath(source);
  } catch {
    return undefined;
  }
}
/**
 * Checks that the interpreter is an executable file.
 * @throws ServiceError `fieldInvalid` or FAILED_PRECONDITION `interpreterNotFound`, args `interpreter`.
 */
export async function checkInterpreter(interpreter: string | undefined): Promise<void> {
  if (interpreter === undefined) return;
  if (!path.isAbsolute(interpreter) || interpreter.includes('\0'))
    throw fieldInvalid('runOptions.interpreter', 'must be an absolute path');

  if (await isExecutable(interpreter)) return;
  throw new ServiceError('FAILED_PRECONDITION', 'interpreterNotFound', `no interpreter ${interpreter}`, {
    interpreter,
  });
}
/** Stem of the notebook's file name, taken from its URI: the part of output names that users recognize. */
export function stemOf(request: Pick<CreateRequest, 'runOptions' | 'executionTemplate'>): string {
  const uri = request.runOptions.source ?? request.executionTemplate.inputNotebookFile;
  let name = uri.slice(uri.lastIndexOf('/') + 1);
  try {
    name = decodeURIComponent(name);
  } catch {
    // Not percent-encoded correctly: use the name as it is.
  }
  const stem = name
    .replace(/\.ipynb$/i, '')
    .replaceAll(/[^\p{L}\p{N}_. -]/gu, '_')
    .replace(/^[. ]+/, '');
  return cut(stem, MAX_STEM_BYTES) || 'notebook';
}
/** Most bytes of a stem: with an execution's id, a file name must stay within 255 bytes. */
export const MAX_STEM_BYTES = 160;
export function cut(text: string, bytes: number): string {
  let end = '';
  for (const character of text) {
    if (Buffer.byteLength(end + character) > bytes) break;
    end += character;
  }
  return end;
}
