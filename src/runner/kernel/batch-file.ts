import * as fs from 'node:fs';
import * as path from 'node:path';
import { searchPath } from '../../system/programs';
import { windowsProgram } from '../../system/process-tree';

/** What `child_process.spawn` is given. */
export interface SpawnCall {
  readonly command: string;
  readonly args: readonly string[];
  /** The arguments are put together as they are, without Node's quotes. */
  readonly windowsVerbatimArguments?: boolean;
}

/** What decides how a command is started; tests give their own. */
export interface SpawnSystem {
  readonly platform: NodeJS.Platform;
  isFile(file: string): boolean;
}

const THIS_SYSTEM: SpawnSystem = {
  platform: process.platform,
  isFile: (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true,
};

/**
 * How to start a command line. On Windows a command may be a batch file, as npm writes them (`tslab` is `tslab.cmd`): only
 * cmd.exe runs those, and Node refuses to, because cmd.exe reads arguments in its own way. Here each argument is quoted so
 * that it arrives as it is.
 * @param env The environment in which the command is looked for; of the working directory nothing is taken.
 * @throws Error where an argument cannot be handed to a batch file: it has a line break.
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
    // No autorun commands (/d), no !variables! (/v:off), extensions for quoted(); /s with the outer quotes: the rest is the line.
    args: ['/e:on', '/v:off', '/d', '/s', '/c', `"${line}"`],
    windowsVerbatimArguments: true,
  };
}

/** The batch file that a command means; undefined where it is a program, or is not found. */
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
 * An argument as cmd.exe and a program behind it both read it: in quotes, where & | < > ^ ( ) mean nothing; a quote is
 * doubled, with the backslashes before it; and % begins no variable, as `%cd:~,%` in front of it is the empty text.
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
