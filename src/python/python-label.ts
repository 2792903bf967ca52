import { execFile } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';
import { withoutEditorVariables } from '../system/environment';
import { isJsonObject, type JsonValue } from '../notebook/json';
import type { Notebook } from '../notebook/model';
import type { PythonEnvironment } from '../system/python-environment';

/** Longest wait for a Python to print its version, in milliseconds. */
const LIMIT_MS = 2000;

/** A Python's displayed name: `science (3.11.7)`, `~/bin/python3 (3.12.1)`; without the version if it is unknown. */
export async function pythonLabel({ executable, prefix }: PythonEnvironment): Promise<string> {
  const name = prefix === undefined ? shortPath(executable) : path.basename(prefix);
  const version = await versionOf(executable);
  return version === undefined ? name : `${name} (${version})`;
}

/** The names of the Pythons of several notebooks, each once; undefined if there are none. */
export async function pythonLabels(
  pythons: readonly (PythonEnvironment | undefined)[],
): Promise<string | undefined> {
  const different = new Map(pythons.flatMap((python) => (python ? [[python.executable, python]] : [])));
  const labels = await Promise.all([...different.values()].map(pythonLabel));
  return labels.length === 0 ? undefined : labels.join(', ');
}

/** The name of what runs a notebook: this Python, or the notebook's own kernel if it uses another language. */
export async function kernelLabel(
  { metadata: { kernelspec, language_info: info } }: Notebook,
  python: PythonEnvironment | undefined,
): Promise<string | undefined> {
  const text = (value: JsonValue | undefined, name: string): string | undefined => {
    const field = isJsonObject(value) ? value[name] : undefined;
    return typeof field === 'string' && field !== '' ? field : undefined;
  };
  const language = text(kernelspec, 'language') ?? text(info, 'name') ?? 'python';
  if (language.toLowerCase() !== 'python') return text(kernelspec, 'display_name') ?? language;
  return python === undefined ? undefined : pythonLabel(python);
}

/** A path with `~` for the home directory. */
function shortPath(file: string): string {
  const relative = path.relative(os.homedir(), file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : path.join('~', relative);
}

function versionOf(executable: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = {
      env: withoutEditorVariables(process.env),
      // Not the workspace: Python searches the current directory for modules first.
      cwd: path.dirname(executable),
      timeout: LIMIT_MS,
      windowsHide: true,
    };
    execFile(executable, ['--version'], options, (error, stdout) => {
      resolve(error === null ? /^Python (\S+)/.exec(stdout)?.[1] : undefined);
    });
  });
}
