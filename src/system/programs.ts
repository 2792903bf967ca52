import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { variablesOf } from './environment';

/** True when there is a file or directory of this name. */
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

/** The directories of an environment's PATH. Relative ones are left out: what lies in a notebook's folder may be anybody's. */
export function searchPath(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string[] {
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const { PATH = '' } = variablesOf(environment, platform);
  return (
    PATH.split(paths.delimiter)
      // Windows takes a directory in quotes, too.
      .map((directory) => (platform === 'win32' ? directory.replaceAll('"', '') : directory))
      .filter((directory) => paths.isAbsolute(directory))
  );
}

/**
 * The programs that the PATH leads to: of each directory the first that it has of these names. On Windows `.exe` files alone,
 * as a batch file cannot be started like a program.
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

/** The program that a name means; undefined where there is none. */
export async function which(
  name: string,
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  return (await programsOnPath([name], environment, platform).next()).value;
}
