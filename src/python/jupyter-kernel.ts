import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import * as z from 'zod/mini';

/** Longest wait for the Python extension to resolve an environment, in milliseconds. */
const RESOLVE_TIMEOUT_MS = 2000;

/** The part of the Jupyter extension's API in use: opens a notebook with the kernel of an environment. */
interface JupyterApi {
  openNotebook(notebook: vscode.Uri, environment: { id: string; path: string }): Promise<unknown>;
}
/** The part of the Python extension's API in use. */
interface PythonApi {
  readonly environments: { resolveEnvironment(path: string): Promise<unknown> };
}
const ResolvedSchema = z.object({ id: z.string() });

/**
 * Makes the Jupyter extension select a Python as the kernel of an open notebook. Does nothing if that extension is
 * missing or does not know this Python.
 * @param interpreter absolute path
 * @param log receives the reason if the kernel could not be selected.
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

/** The Python extension's id for an environment; undefined if it does not return one. */
async function environmentId(interpreter: string): Promise<string | undefined> {
  const python: unknown = await vscode.extensions.getExtension('ms-python.python')?.activate();
  const resolved = isPythonApi(python)
    ? await python.environments.resolveEnvironment(interpreter)
    : undefined;
  // The result is a class instance; `id` is an own property, so that zod sees it.
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
