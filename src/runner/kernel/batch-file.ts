import * as fs from 'node:fs';
import * as path from 'node:path';
import { searchPath } from '../../system/programs';
import { windowsProgram } from '../../system/process-tree';

/** Arguments for `child_process.spawn`. */
export interface SpawnCall {
  readonly command: string;
  readonly args: readonly string[];
  /** The arguments are joined as they are, without quoting by Node. */
  readonly windowsVerbatimArguments?: boolean;
}

/** What decides how a command is started; replaced in tests. */
export interface SpawnSystem {
  readonly platform: NodeJS.Platform;
  isFile(file: string): boolean;
}

const THIS_SYSTEM: SpawnSystem = {
  platform: process.platform,
  isFile: (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true,
};

/**
 * How to start a command line. On Windows a command may be a batch file, like those of npm (`tslab` is `tslab.cmd`).
 * Only cmd.exe runs batch files, and Node refuses to start them, because cmd.exe has its own rules for arguments. Here
 * each argument is quoted so that it arrives unchanged.
 * @param env The environment whose PATH is searched for the command; the working directory is not searched.
 * @throws Error if an argument has a line break: it cannot be passed to a batch file.
 */
export function spawnCall(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  system: SpawnSystem = THIS_SYSTEM,
): SpawnCall {
  const file = system.platform === 'win32' ? batchFile(command, env, system) : undefined;
  if (file === undefined) return { command, args };
  const line = [file, ...args].map(quoted).join(' ');
  return {
    command: windowsProgram('cmd.exe'),
    // No autorun commands (/d), no !variables! (/v:off), extensions for quoted() (/e:on). With /s, the line is what is
    // between the outer quotes.
    args: ['/e:on', '/v:off', '/d', '/s', '/c', `"${line}"`],
    windowsVerbatimArguments: true,
  };
}

/** The batch file that a command refers to; undefined if it is a program, or is not found. */
function batchFile(
  command: string,
  env: Readonly<Record<string, string>>,
  system: SpawnSystem,
): string | undefined {
  const { win32 } = path;
  const places = /[\\/]/.test(command) ? [''] : searchPath(env, 'win32');
  const endings = /^\.(?:exe|com|cmd|bat)$/i.test(win32.extname(command)) ? [''] : ['.exe', '.cmd', '.bat'];
  const found = places
    .flatMap((place) => endings.map((ending) => win32.join(place, command + ending)))
    .find((file) => system.isFile(file));
  return found !== undefined && /\.(?:cmd|bat)$/i.test(found) ? found : undefined;
}

/**
 * Quotes an argument so that cmd.exe and the program behind it both read it correctly. Within quotes, & | < > ^ ( )
 * have no meaning. A quote is doubled, with the backslashes before it. % starts no variable, because `%cd:~,%` in front
 * of it expands to nothing.
 */
function quoted(argument: string): string {
  if (/[\r\n\0]/.test(argument)) {
    throw new Error(
      `A batch file cannot be given an argument with a line break: ${JSON.stringify(argument)}`,
    );
  }
  const inner = argument
    .replaceAll(/(\\*)"/g, '$1$1""')
    .replace(/\\+$/, '$&$&')
    .replaceAll('%', '%%cd:~,%');
  return `"${inner}"`;
}
