import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { isExecutable } from '../../system/programs';
import { pythonIn } from '../../system/python-environment';

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
 * The Python of the kernel chosen for a notebook in the Jupyter extension. Undefined where there is none; where that
 * extension is not active, none has been chosen yet.
 */
export async function pythonOfKernel(notebook: vscode.Uri): Promise<string | undefined> {
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
    pythonIn(chosen.data.path),
  ];
  for (const executable of candidates) {
    if (await isExecutable(executable)) {
      return executable;
    }
  }
  return undefined;
}

/** The Python selected in the Python extension for a file or folder; undefined without that extension. */
export async function selectedPython(resource: vscode.Uri | undefined): Promise<string | undefined> {
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
