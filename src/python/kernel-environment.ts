import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { parseEnv } from 'node:util';
import * as vscode from 'vscode';
import { expandVariables, variablesOf, withoutEditorVariables } from '../system/environment';
import { activated, type PythonEnvironment } from '../system/python-environment';

/** Time limit for a conda environment's activation scripts. After it, the environment is used without their changes. */
const ACTIVATION_TIMEOUT_MS = 10_000;

/**
 * The complete environment variables of a kernel: those of the window with the Python environment activated, then the
 * workspace's `.env`, then the template's variables. Thus `!pip` in a notebook uses the notebook's environment.
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

/** The window's environment variables with the Python environment activated. Contains nothing from the workspace. */
export async function activatedEnvironment(
  python: PythonEnvironment | undefined,
): Promise<Record<string, string>> {
  const window = withoutEditorVariables(process.env);
  return python === undefined ? window : activate(python, window);
}

/** The environment variables after activating the environment in a shell. */
async function activate(
  python: PythonEnvironment,
  environment: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const variables = activated(python, environment);
  return python.kind === 'conda' && python.prefix !== undefined
    ? runActivationScripts(python.prefix, variables)
    : variables;
}

/** Sources `etc/conda/activate.d/*.sh` like conda. On Windows, or if a script fails, the environment is unchanged. */
async function runActivationScripts(
  prefix: string,
  environment: Record<string, string>,
): Promise<Record<string, string>> {
  const directory = path.join(prefix, 'etc', 'conda', 'activate.d');
  const scripts = (await fs.readdir(directory).catch(() => [])).filter((name) => name.endsWith('.sh')).sort();
  if (process.platform === 'win32' || scripts.length === 0) return environment;
  // A marker line before the variables, because scripts may print something.
  const marker = `--${String(process.pid)}-environment--`;
  // Uses bash 3.2 (macOS) alone, because older versions of env(1) have no -0.
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
  if (printed === undefined || start < 0) return environment;
  // bash omits names that are not valid variables, and exported functions (`BASH_FUNC_f%%`).
  const untold = Object.entries(environment).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  const variables = Object.fromEntries(untold);
  for (const line of printed.slice(start + marker.length + 1).split('\0')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !['_', 'SHLVL', 'PWD', 'OLDPWD'].includes(line.slice(0, equals)))
      variables[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return variables;
}

/** The variables of the workspace folder's `.env`, or of the file set in the Python extension. */
async function envFile(
  notebook: vscode.Uri,
  environment: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const folder = vscode.workspace.getWorkspaceFolder(notebook) ?? vscode.workspace.workspaceFolders?.[0];
  if (folder?.uri.scheme !== 'file') return {};
  const setting = vscode.workspace.getConfiguration('python', folder).get<unknown>('envFile');
  const pattern = typeof setting === 'string' && setting !== '' ? setting : '${workspaceFolder}/.env';
  const file = path.resolve(folder.uri.fsPath, pattern.replaceAll('${workspaceFolder}', folder.uri.fsPath));
  const text = await fs.readFile(file, 'utf8').catch(() => '');
  return expandVariables(parseEnv(text), environment);
}
