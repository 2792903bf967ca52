import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { variablesOf } from './environment';
import { exists } from './programs';

/** A Python that can run a notebook. */
export interface PythonEnvironment {
  /** Absolute path of the executable, without resolving links: a virtual environment is identified by its link. */
  readonly executable: string;
  /** Directory of the environment, which is needed to activate it; undefined for a plain Python. */
  readonly prefix: string | undefined;
  readonly kind: 'venv' | 'conda' | 'plain';
}

/**
 * The Python of an environment's folder. On Windows it is in Scripts (venv) or in the folder itself (conda, python.org,
 * pyenv); elsewhere it is in bin, sometimes only as python3 (python.org for macOS, Debian).
 * @returns where it should be if there is none.
 */
export function pythonIn(prefix: string, platform: NodeJS.Platform = process.platform): string {
  const [usual, other] =
    platform === 'win32'
      ? [path.join(prefix, 'Scripts', 'python.exe'), path.join(prefix, 'python.exe')]
      : [path.join(prefix, 'bin', 'python'), path.join(prefix, 'bin', 'python3')];
  return !existsSync(usual) && existsSync(other) ? other : usual;
}

/** The folder of the environment to which an interpreter's path belongs: the inverse of {@link pythonIn}. */
export function prefixOf(interpreter: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'win32') return path.posix.dirname(path.posix.dirname(interpreter));
  const directory = path.win32.dirname(interpreter);
  return path.win32.basename(directory).toLowerCase() === 'scripts'
    ? path.win32.dirname(directory)
    : directory;
}

/** Determines which kind of environment an executable belongs to. */
export async function describePython(
  executable: string,
  platform: NodeJS.Platform = process.platform,
): Promise<PythonEnvironment> {
  const prefix = prefixOf(executable, platform);
  if (await exists(path.join(prefix, 'pyvenv.cfg'))) return { executable, prefix, kind: 'venv' };
  if (await exists(path.join(prefix, 'conda-meta'))) return { executable, prefix, kind: 'conda' };
  return { executable, prefix: undefined, kind: 'plain' };
}

/** Variables of another active environment or another Python installation. */
const OF_OTHERS = ['PYTHONHOME', 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV'];

/**
 * The variables with an environment activated: its programs come first on the PATH. Its packages' scripts are not run.
 */
export function activated(
  { executable, prefix, kind }: PythonEnvironment,
  environment: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  if (prefix === undefined) return { ...environment };
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const { PATH = '', ...others } = variablesOf(environment, platform);
  const programs = kind === 'conda' ? condaDirectories(prefix, platform) : [paths.dirname(executable)];
  const rest = PATH.split(paths.delimiter).filter((each) => each !== '' && !programs.includes(each));
  const variables = Object.fromEntries(Object.entries(others).filter(([name]) => !OF_OTHERS.includes(name)));
  return {
    ...variables,
    PATH: [...programs, ...rest].join(paths.delimiter),
    ...(kind === 'venv'
      ? { VIRTUAL_ENV: prefix }
      : { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: condaName(prefix, paths), CONDA_SHLVL: '1' }),
  };
}

function condaDirectories(prefix: string, platform: NodeJS.Platform): string[] {
  return platform === 'win32'
    ? ['', 'Library\\mingw-w64\\bin', 'Library\\usr\\bin', 'Library\\bin', 'Scripts', 'bin'].map((part) =>
        path.win32.join(prefix, part),
      )
    : [path.posix.join(prefix, 'bin')];
}

/** Conda refers to environments in its own folder by their names, and to others by their paths. */
function condaName(prefix: string, paths: path.PlatformPath): string {
  return paths.basename(paths.dirname(prefix)) === 'envs' ? paths.basename(prefix) : prefix;
}
