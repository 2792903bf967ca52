import * as path from 'node:path';
import * as vscode from 'vscode';
import { hasIpykernel } from '../system/ipykernel';
import { isExecutable } from '../system/programs';
import { describePython, pythonIn, type PythonEnvironment } from '../system/python-environment';
import type { FoundPython } from './found-python';
import { OtherExtensions } from './other-extensions';
import { pythonOnPath } from './python-on-path';

/** Workspace state key of the selected Python, for windows without a Python extension that stores the selection. */
const SELECTED_KEY = 'notebookExecutions.python';

/** How many notebooks are examined at the same time. A notebook that is not open is opened briefly. */
const TOGETHER = 25;

/** Finds the Python environment of a notebook. */
export class PythonFinder {
  private readonly others: OtherExtensions;

  /** @param memento the workspace's state. */
  constructor(
    private readonly memento: vscode.Memento,
    log: (line: string) => void,
  ) {
    this.others = new OtherExtensions(log);
  }

  /**
   * The Python of a notebook, from the first of these sources that has one:
   * 1. the notebook's kernel in the Jupyter extension,
   * 2. its project in the Python Environments extension,
   * 3. the interpreter selected in the Python extension,
   * 4. the Python selected in this extension,
   * 5. `.venv` or `venv` in the workspace folder or beside the notebook,
   * 6. the first Python on the PATH that can run notebooks.
   *
   * Undefined if there is none. Never rejects.
   */
  async forNotebook(notebook: vscode.Uri): Promise<PythonEnvironment | undefined> {
    const chosen = await this.chosen(notebook);
    if (chosen !== undefined) return chosen;
    const onPath = await pythonOnPath(process.env);
    // A Python without ipykernel must not take precedence over a kernelspec that works.
    return onPath?.hasIpykernel === true ? onPath : undefined;
  }

  /** The Python of each notebook, in the order of the notebooks. */
  async forNotebooks(notebooks: readonly vscode.Uri[]): Promise<(PythonEnvironment | undefined)[]> {
    const found: (PythonEnvironment | undefined)[] = [];
    for (let start = 0; start < notebooks.length; start += TOGETHER) {
      const some = notebooks.slice(start, start + TOGETHER);
      found.push(...(await Promise.all(some.map((notebook) => this.forNotebook(notebook)))));
    }
    return found;
  }

  /** The Python that a new notebook in this window would use, and whether it can run notebooks. */
  async forWindow(): Promise<FoundPython> {
    const chosen = await this.chosen(undefined);
    if (chosen === undefined) {
      const onPath = await pythonOnPath(process.env);
      const missing = onPath === undefined ? 'pythonMissing' : 'ipykernelMissing';
      return {
        state: onPath?.hasIpykernel === true ? 'found' : missing,
        executable: onPath?.executable,
      };
    }
    const { executable } = chosen;
    const found = await hasIpykernel(executable, process.env);
    return { state: found ? 'found' : 'ipykernelMissing', executable };
  }

  /** True if the Python extension is installed, so that the user can select the workspace's Python in it. */
  get hasPythonExtension(): boolean {
    return this.others.hasPython;
  }

  /** Makes this the Python of the workspace, in the other extensions that store the selection and in this one. */
  async select(executable: string): Promise<void> {
    await this.memento.update(SELECTED_KEY, executable);
    await this.others.choosePython(executable, firstFolder()?.uri);
  }

  private async chosen(notebook: vscode.Uri | undefined): Promise<PythonEnvironment | undefined> {
    const folder =
      (notebook === undefined ? undefined : vscode.workspace.getWorkspaceFolder(notebook)) ?? firstFolder();
    const resource = notebook?.scheme === 'file' ? notebook : folder?.uri;
    const selected =
      (await this.others.chosenPython(notebook, resource)) ??
      (await this.selectedHere()) ??
      (await environmentIn([
        ...(folder?.uri.scheme === 'file' ? [folder.uri.fsPath] : []),
        ...(notebook?.scheme === 'file' ? [path.dirname(notebook.fsPath)] : []),
      ]));
    return selected === undefined ? undefined : describePython(selected);
  }

  private async selectedHere(): Promise<string | undefined> {
    const executable = this.memento.get<unknown>(SELECTED_KEY);
    return typeof executable === 'string' && (await isExecutable(executable)) ? executable : undefined;
  }
}

/** The workspace folder to use when no notebook determines one: the first. */
export function firstFolder(): vscode.WorkspaceFolder | undefined {
  return vscode.workspace.workspaceFolders?.[0];
}

/** The Python of the first `.venv` or `venv` in these directories. */
export async function environmentIn(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    for (const name of ['.venv', 'venv']) {
      const executable = pythonIn(path.join(directory, name));
      if (await isExecutable(executable)) return executable;
    }
  }
  return undefined;
}
