import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';

/** A Python that can run a notebook. */
export interface PythonEnvironment {
  /** Absolute path of the executable, not resolved: a virtual environment's link is the environment. */
  readonly executable: string;
  /** Directory of the environment, which is what activating it is about; undefined for a plain Python. */
  readonly prefix: string | undefined;
  readonly kind: 'venv' | 'conda' | 'plain';
}

/** Says what kind of environment an executable belongs to. */
export async function describePython(executable: string): Promise<PythonEnvironment> {
  const directory = path.dirname(executable);
  // On Windows a conda environment has python.exe at its top; everything else keeps it in a directory of executables.
  for (const prefix of [path.dirname(directory), directory]) {
    if (await exists(path.join(prefix, 'pyvenv.cfg'))) {
      return { executable, prefix, kind: 'venv' };
    }
    if (await exists(path.join(prefix, 'conda-meta'))) {
      return { executable, prefix, kind: 'conda' };
    }
  }
  return { executable, prefix: undefined, kind: 'plain' };
}

/** The executable of the environment in a directory. On Windows a virtual environment has it in Scripts, conda at its top. */
export function pythonOf(
  prefix: string,
  platform: NodeJS.Platform = process.platform,
  isConda = existsSync(path.join(prefix, 'conda-meta')),
): string {
  if (platform !== 'win32') return path.posix.join(prefix, 'bin', 'python');
  return path.win32.join(prefix, ...(isConda ? [] : ['Scripts']), 'python.exe');
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

/** Whether a file is there and may be run. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}
