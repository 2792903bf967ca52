import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { variablesOf } from './environment';

/** True if there is a file or directory of this name. */
export async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

/** True for a file (or a link to one) that this user may execute. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * The directories of an environment's PATH, except relative ones: a notebook's folder may contain untrusted programs.
 */
export function searchPath(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string[] {
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const { PATH = '' } = variablesOf(environment, platform);
  return (
    PATH.split(paths.delimiter)
      // Windows also allows a directory in quotes.
      .map((directory) => (platform === 'win32' ? directory.replaceAll('"', '') : directory))
      .filter((directory) => paths.isAbsolute(directory))
  );
}

/**
 * The programs on the PATH: from each directory, the first of these names that it contains. On Windows only `.exe`
 * files, because a batch file cannot be started like a program.
 */
export async function* programsOnPath(
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): AsyncGenerator<string, undefined> {
  for (const directory of searchPath(environment, platform)) {
    for (const name of names) {
      const file = path.join(directory, platform === 'win32' ? `${name}.exe` : name);
      if (await isExecutable(file)) {
        yield file;
        break;
      }
    }
  }
}

/** The program that a name refers to; undefined if there is none. */
export async function which(
  name: string,
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  return (await programsOnPath([name], environment, platform).next()).value;
}
