import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { ServiceError } from '../execution/errors';
import { readSmallFile } from '../system/small-file';
import type { ServicePaths } from './service-paths';
import { errorCode } from '../system/files';
import { isOfSystem, isReplacementOf } from './own-names';
import type { ServiceConfig } from './service-schemas';

/** The file that marks a folder as a data directory. */
const MARK = 'notebook-executions.txt';
const MARK_TEXT =
  'This folder belongs to Notebook Executions, an extension of VS Code. It keeps notebook executions here and deletes old ones.\n';

/** All other names at the top of a data directory, see service-paths.ts. */
const TOP = ['config.json', 'executions', 'schedules', 'versions', 'staging', 'hosts'];

const SETTINGS: Readonly<Record<keyof ServiceConfig, true>> = {
  maxConcurrent: true,
  spare: true,
  keepAwake: true,
  retentionDays: true,
  retentionBytes: true,
  secretParameters: true,
};

/** Most foreign names that the error contains. */
const SHOWN = 3;

/**
 * Claims the data directory, before anything else is done there: it must have the mark; or be new, empty, or from a
 * version that set no mark, and then gets the mark. Afterwards only this user can open it.
 * @throws ServiceError FAILED_PRECONDITION `dataDirectoryForeign` (args `path`, `names`) if it contains other files;
 *   then nothing in it was changed. The system's error.
 */
export async function claimDataDirectory({ dataDirectory, config }: ServicePaths): Promise<void> {
  await fs.mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const names = await fs.readdir(dataDirectory);
  if (!(await isMarked(dataDirectory))) {
    const foreign = names.filter((name) => !isOwn(name));
    if (foreign.length === 0 && names.includes('config.json') && !(await isOurConfig(config)))
      foreign.push('config.json');
    if (foreign.length > 0) throw foreignDirectory(dataDirectory, foreign);
    const mark = path.join(dataDirectory, MARK);
    await fs.writeFile(mark, MARK_TEXT, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      // Another process was faster.
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  }
  if (process.platform === 'win32') return;
  const { mode } = await fs.stat(dataDirectory);
  if ((mode & 0o077) !== 0) await fs.chmod(dataDirectory, 0o700);
}

async function isMarked(dataDirectory: string): Promise<boolean> {
  return fs.lstat(path.join(dataDirectory, MARK)).then(
    (stat) => stat.isFile(),
    () => false,
  );
}

function isOwn(name: string): boolean {
  return TOP.includes(name) || isReplacementOf('config.json', name) || isOfSystem(name);
}

/** False if it has settings that this product does not know: many programs have a file of this name. */
async function isOurConfig(file: string): Promise<boolean> {
  try {
    const content: unknown = JSON.parse(await readSmallFile(file));
    return Object.keys(Object(content) as object).every((name) => Object.hasOwn(SETTINGS, name));
  } catch {
    // Not valid for any program; the error is reported when the file is read.
    return true;
  }
}

function foreignDirectory(dataDirectory: string, foreign: readonly string[]): ServiceError {
  const names = foreign.slice(0, SHOWN).join(', ') + (foreign.length > SHOWN ? ', …' : '');
  return new ServiceError(
    'FAILED_PRECONDITION',
    'dataDirectoryForeign',
    `${dataDirectory} holds files that are not of Notebook Executions (${names}); nothing was changed there. ` +
      'Choose an empty or a new folder as the data directory.',
    { path: dataDirectory, names },
  );
}
