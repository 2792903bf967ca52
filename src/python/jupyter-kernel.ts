import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import * as z from 'zod/mini';

/** How long the Python extension may take to name an environment, in milliseconds. */
const RESOLVE_TIMEOUT_MS = 2000;

/** What is used of the Jupyter extension's API: shows a notebook with the kernel of an environment. */
interface JupyterApi {
  openNotebook(notebook: vscode.Uri, environment: { id: string; path: string }): Promise<unknown>;
}
/** What is used of the Python extension's API. */
interface PythonApi {
  readonly environments: { resolveEnvironment(path: string): Promise<unknown> };
}
const ResolvedSchema = z.object({ id: z.string() });

/**
 * Has the Jupyter extension choose a Python as the kernel of an open notebook. Without that extension, or where it does not
 * know this Python, nothing is chosen.
 * @param interpreter absolute path
 * @param log is told why it could not be chosen.
 */
export async function choosePythonKernel(
  notebook: vscode.Uri,
  interpreter: string,
  log: (line: string) => void,
): Promise<void> {
  try {
    const jupyter: unknown = await vscode.extensions.getExtension('ms-toolsai.jupyter')?.activate();
    if (!isJupyterApi(jupyter)) return;
    const id = await Promise.race([environmentId(interpreter), delay(RESOLVE_TIMEOUT_MS, undefined)]);
    await jupyter.openNotebook(notebook, { id: id ?? interpreter, path: interpreter });
  } catch (error) {
    log(`Jupyter did not choose ${interpreter} for the copy: ${String(error)}`);
  }
}

/** What the Python extension calls an environment; undefined where it does not say. */
async function environmentId(interpreter: string): Promise<string | undefined> {
  const python: unknown = await vscode.extensions.getExtension('ms-python.python')?.activate();
  const resolved = isPythonApi(python)
    ? await python.environments.resolveEnvironment(interpreter)
    : undefined;
  // It answers with an instance of a class, whose own property this is.
  const environment = ResolvedSchema.safeParse(resolved);
  return environment.success ? environment.data.id : undefined;
}

function isJupyterApi(api: unknown): api is JupyterApi {
  return typeof api === 'object' && api !== null && typeof Reflect.get(api, 'openNotebook') === 'function';
}

function isPythonApi(api: unknown): api is PythonApi {
  const environments: unknown =
    typeof api === 'object' && api !== null ? Reflect.get(api, 'environments') : undefined;
  return (
    typeof environments === 'object' &&
    environments !== null &&
    typeof Reflect.get(environments, 'resolveEnvironment') === 'function'
  );
}
