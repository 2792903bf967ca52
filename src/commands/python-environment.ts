import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod/mini';

/** A Python that can run a notebook. */
export interface PythonEnvironment {
  /** Absolute path of the executable, not resolved: a virtual environment's link is the environment. */
  readonly executable: string;
  /** Directory of the environment, which is what activating it is about; undefined for a plain Python. */
  readonly prefix: string | undefined;
  readonly kind: 'venv' | 'conda' | 'plain';
}

/** What is used of the Python extension's API (ms-python.python, "environments"). Each answer is looked at before use. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): unknown;
    resolveEnvironment(environment: unknown): Promise<unknown>;
  };
}
const ResolvedSchema = z.object({
  executable: z.object({ uri: z.optional(z.object({ fsPath: z.string() })) }),
});

/** What is used of the Jupyter extension's API (ms-toolsai.jupyter): the environment of the kernel chosen for a notebook. */
interface JupyterApi {
  getPythonEnvironment(notebook: vscode.Uri): unknown;
}
const EnvironmentSchema = z.object({ id: z.string(), path: z.string() });

/**
 * The Python that the person or the workspace names for a notebook: that of the kernel chosen for it in the Jupyter extension,
 * else the one selected in the Python extension, else `.venv` or `venv` in the workspace folder or beside the notebook.
 * Undefined where there is none.
 */
export async function chosenPython(notebook: vscode.Uri): Promise<PythonEnvironment | undefined> {
  const folder = vscode.workspace.getWorkspaceFolder(notebook) ?? vscode.workspace.workspaceFolders?.[0];
  const selected =
    (await pythonOfKernel(notebook)) ??
    (await selectedPython(notebook.scheme === 'file' ? notebook : folder?.uri));
  if (selected !== undefined) {
    return describePython(selected);
  }
  const places = [
    ...(folder?.uri.scheme === 'file' ? [folder.uri.fsPath] : []),
    ...(notebook.scheme === 'file' ? [path.dirname(notebook.fsPath)] : []),
  ];
  for (const place of places) {
    for (const name of ['.venv', 'venv']) {
      const executable = pythonOf(path.join(place, name));
      if (await isExecutable(executable)) {
        return describePython(executable);
      }
    }
  }
  return undefined;
}

/** Python on the PATH: the first one that has ipykernel, else the first one. Undefined where there is none. */
export async function pythonOnPath(
  environment: NodeJS.ProcessEnv,
): Promise<(PythonEnvironment & { readonly hasIpykernel: boolean }) | undefined> {
  const names = process.platform === 'win32' ? ['python.exe', 'python3.exe'] : ['python3', 'python'];
  const directories = pathOf(environment)
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory));
  let first: string | undefined;
  for (const directory of directories) {
    for (const name of names) {
      const executable = path.join(directory, name);
      if (!(await isExecutable(executable))) {
        continue;
      }
      first ??= executable;
      if (await hasIpykernel(executable)) {
        return { ...(await describePython(executable)), hasIpykernel: true };
      }
      break;
    }
  }
  return first === undefined ? undefined : { ...(await describePython(first)), hasIpykernel: false };
}

/** Only what has it is remembered: it may be installed at any time. */
const withIpykernel = new Set<string>();

/** Whether a Python has the package ipykernel. It is started to find out. */
export async function hasIpykernel(executable: string): Promise<boolean> {
  if (withIpykernel.has(executable)) {
    return true;
  }
  const program = "import importlib.util, sys; sys.exit(importlib.util.find_spec('ipykernel') is None)";
  const found = await new Promise<boolean>((resolve) => {
    execFile(executable, ['-c', program], { timeout: 10_000 }, (error) => {
      resolve(error === null);
    });
  });
  if (found) {
    withIpykernel.add(executable);
  }
  return found;
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

/** The Python of the kernel chosen for a notebook. Where the Jupyter extension is not active, none has been chosen yet. */
async function pythonOfKernel(notebook: vscode.Uri): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<unknown>('ms-toolsai.jupyter');
  const api = extension?.isActive === true ? extension.exports : undefined;
  const chosen = EnvironmentSchema.safeParse(
    isJupyterApi(api) ? api.getPythonEnvironment(notebook) : undefined,
  );
  if (!chosen.success) {
    return undefined;
  }
  // It names an environment by its folder or its executable; the Python extension knows which.
  const resolved = await resolveEnvironment(await pythonApi(), chosen.data);
  const candidates = [
    ...(resolved === undefined ? [] : [resolved]),
    chosen.data.path,
    pythonOf(chosen.data.path),
  ];
  for (const executable of candidates) {
    if (await isExecutable(executable)) {
      return executable;
    }
  }
  return undefined;
}

async function selectedPython(resource: vscode.Uri | undefined): Promise<string | undefined> {
  const api = await pythonApi();
  return resolveEnvironment(api, api?.environments.getActiveEnvironmentPath(resource));
}

async function pythonApi(): Promise<PythonApi | undefined> {
  const api = await vscode.extensions.getExtension<unknown>('ms-python.python')?.activate();
  return isPythonApi(api) ? api : undefined;
}

async function resolveEnvironment(
  api: PythonApi | undefined,
  environment: unknown,
): Promise<string | undefined> {
  const resolved = await api?.environments.resolveEnvironment(environment);
  const result = ResolvedSchema.safeParse(resolved);
  const executable = result.success ? result.data.executable.uri?.fsPath : undefined;
  return executable !== undefined && (await isExecutable(executable)) ? executable : undefined;
}

function isJupyterApi(api: unknown): api is JupyterApi {
  return (
    typeof api === 'object' && api !== null && typeof Reflect.get(api, 'getPythonEnvironment') === 'function'
  );
}

function isPythonApi(api: unknown): api is PythonApi {
  const environments: unknown =
    typeof api === 'object' && api !== null ? Reflect.get(api, 'environments') : undefined;
  return (
    typeof environments === 'object' &&
    environments !== null &&
    typeof Reflect.get(environments, 'getActiveEnvironmentPath') === 'function' &&
    typeof Reflect.get(environments, 'resolveEnvironment') === 'function'
  );
}

/** The executable of the virtual environment in a directory. */
function pythonOf(prefix: string): string {
  return process.platform === 'win32'
    ? path.join(prefix, 'Scripts', 'python.exe')
    : path.join(prefix, 'bin', 'python');
}

/** The PATH of an environment, whatever its spelling on Windows. */
export function pathOf(environment: NodeJS.ProcessEnv): string {
  const key = Object.keys(environment).find((name) => name.toUpperCase() === 'PATH');
  return (key === undefined ? undefined : environment[key]) ?? '';
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}
