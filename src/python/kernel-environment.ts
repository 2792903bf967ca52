import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { parseEnv } from 'node:util';
import * as vscode from 'vscode';
import { activate } from '../system/activation';
import { expandVariables, variablesOf, withoutEditorVariables } from '../system/environment';
import type { PythonEnvironment } from '../system/python-environment';

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
