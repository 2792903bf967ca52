import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { ServiceError } from '../execution/errors';
import { readSmallFile } from '../system/small-file';
import type { ServicePaths } from './service-paths';
import { errorCode } from '../system/files';
import { isOfSystem, isReplacementOf } from './own-names';
import type { ServiceConfig } from './service-schemas';

/** Its presence says that a folder is a data directory. */
const MARK = 'notebook-executions.txt';
const MARK_TEXT =
  'This folder belongs to Notebook Executions, an extension of VS Code. It keeps notebook executions here and deletes old ones.\n';

/** Everything else that a data directory has at its top, see service-paths.ts. */
const TOP = ['config.json', 'executions', 'versions', 'staging', 'hosts'];

const SETTINGS: Readonly<Record<keyof ServiceConfig, true>> = {
  maxConcurrent: true,
  spare: true,
  keepAwake: true,
  retentionDays: true,
  retentionBytes: true,
  secretParameters: true,
};

/** Names of files that are told to the user. */
const SHOWN = 3;

/**
 * Makes sure that the data directory is ours, before anything else is done there: it is marked by us, or it is new, empty, or of
 * a version that set no mark, and gets the mark. It is for this user alone then.
 * @throws ServiceError FAILED_PRECONDITION `dataDirectoryForeign` (args `path`, `names`) where it holds other files; nothing was
 *   changed there. The system's error.
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
      // Another window was faster.
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

/** False where it has settings that we do not know: many programs have a file of this name. */
async function isOurConfig(file: string): Promise<boolean> {
  try {
    const content: unknown = JSON.parse(await readSmallFile(file));
    return Object.keys(Object(content) as object).every((name) => Object.hasOwn(SETTINGS, name));
  } catch {
    // Of no use to any program; it is said when it is read.
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
