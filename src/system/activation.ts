import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { activated, type PythonEnvironment } from './python-environment';

/** Time limit for a conda environment's activation scripts. After it, the environment is used without their changes. */
const ACTIVATION_TIMEOUT_MS = 10_000;

/** The environment variables after activating the environment in a shell. */
export async function activate(
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
  const marker = `--${process.pid}-environment--`;
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
