import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { parseEnv } from 'node:util';
import * as vscode from 'vscode';
import { expandVariables, variablesOf, withoutEditorVariables } from '../system/environment';
import { activated, type PythonEnvironment } from '../system/python-environment';

/** How long the activation scripts of a conda environment may take; over it the rest of the activation has to do. */
const ACTIVATION_TIMEOUT_MS = 10_000;

/**
 * The complete environment of a kernel: the window's, with the Python environment activated, the workspace's `.env`
 * and the template's own variables, in this order. So `!pip` in a notebook is the environment's own.
 */
export async function kernelEnvironment(
  notebook: vscode.Uri,
  python: PythonEnvironment | undefined,
  additions: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const variables = await activatedEnvironment(python);
  const file = await envFile(notebook, variables);
  return { ...variables, ...file, ...variablesOf(additions) };
}

/** The window's environment with the Python environment activated. Nothing of it is the workspace's own. */
export async function activatedEnvironment(
  python: PythonEnvironment | undefined,
): Promise<Record<string, string>> {
  const window = withoutEditorVariables(process.env);
  return python === undefined ? window : activate(python, window);
}

/** What activating the environment in a shell would leave behind. */
async function activate(
  python: PythonEnvironment,
  environment: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const variables = activated(python, environment);
  return python.kind === 'conda' && python.prefix !== undefined
    ? runActivationScripts(python.prefix, variables)
    : variables;
}

/** Sources `etc/conda/activate.d/*.sh` as conda does. On Windows, or where that fails, the environment stays as it is. */
async function runActivationScripts(
  prefix: string,
  environment: Record<string, string>,
): Promise<Record<string, string>> {
  const directory = path.join(prefix, 'etc', 'conda', 'activate.d');
  const scripts = (await fs.readdir(directory).catch(() => [])).filter((name) => name.endsWith('.sh')).sort();
  if (process.platform === 'win32' || scripts.length === 0) {
    return environment;
  }
  // A line of our own before the variables: scripts may print.
  const marker = `--${String(process.pid)}-environment--`;
  // By means of bash alone, as it is on macOS (3.2): env(1) has no -0 on older ones.
  const program = `for script in "$@"; do . "$script" </dev/null >/dev/null 2>&1; done; printf "%s\\0" "$0"
compgen -e | while IFS= read -r name; do printf "%s=%s\\0" "$name" "\${!name}"; done`;
  const printed = await new Promise<string | undefined>((resolve) => {
    execFile(
      'bash',
      ['--noprofile', '--norc', '-c', program, marker, ...scripts.map((name) => path.join(directory, name))],
      { env: environment, timeout: ACTIVATION_TIMEOUT_MS, maxBuffer: 16 * 2 ** 20 },
      (error, stdout) => {
        resolve(error === null ? stdout : undefined);
      },
    );
  });
  const start = printed?.indexOf(`${marker}\0`) ?? -1;
  if (printed === undefined || start < 0) {
    return environment;
  }
  // What is no variable to bash it does not tell: other names, and functions that a shell exported (`BASH_FUNC_f%%`).
  const untold = Object.entries(environment).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  const variables = Object.fromEntries(untold);
  for (const line of printed.slice(start + marker.length + 1).split('\0')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !['_', 'SHLVL', 'PWD', 'OLDPWD'].includes(line.slice(0, equals))) {
      variables[line.slice(0, equals)] = line.slice(equals + 1);
    }
  }
  return variables;
}

/** The variables of the workspace folder's `.env`, or of the file that the Python extension's setting names. */
async function envFile(
  notebook: vscode.Uri,
  environment: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const folder = vscode.workspace.getWorkspaceFolder(notebook) ?? vscode.workspace.workspaceFolders?.[0];
  if (folder?.uri.scheme !== 'file') {
    return {};
  }
  const setting = vscode.workspace.getConfiguration('python', folder).get<unknown>('envFile');
  const pattern = typeof setting === 'string' && setting !== '' ? setting : '${workspaceFolder}/.env';
  const file = path.resolve(folder.uri.fsPath, pattern.replaceAll('${workspaceFolder}', folder.uri.fsPath));
  const text = await fs.readFile(file, 'utf8').catch(() => '');
  return expandVariables(parseEnv(text), environment);
}
