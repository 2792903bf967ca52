import * as path from 'node:path';
import * as vscode from 'vscode';
import { isExecutable } from '../../system/programs';
import { describePython, pythonIn, type PythonEnvironment } from '../../system/python-environment';
import { pythonOfKernel, selectedPython } from './other-extensions';

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
      const executable = pythonIn(path.join(place, name));
      if (await isExecutable(executable)) {
        return describePython(executable);
      }
    }
  }
  return undefined;
}
