import * as path from 'node:path';
import * as vscode from 'vscode';
import { hasIpykernel } from '../system/ipykernel';
import { isExecutable } from '../system/programs';
import { describePython, pythonIn, type PythonEnvironment } from '../system/python-environment';
import type { FoundPython } from './found-python';
import { OtherExtensions } from './other-extensions';
import { pythonOnPath } from './python-on-path';

/** Key of the workspace's state: the Python that was selected here, where no Python extension keeps that choice. */
const SELECTED_KEY = 'notebookExecutions.python';

/** Notebooks that are looked at side by side: each that is not open is opened for a moment. */
const TOGETHER = 25;

/** Finds the Python that a notebook runs in. */
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
   * The Python of a notebook: that of its kernel in the Jupyter extension, else of its project in Python Environments, else the
   * one selected in the Python extension or here, else `.venv` or `venv` in the workspace folder or beside the notebook, else
   * the first one on the PATH that can run notebooks. Undefined where there is none; never rejects.
   */
  async forNotebook(notebook: vscode.Uri): Promise<PythonEnvironment | undefined> {
    const chosen = await this.chosen(notebook);
    if (chosen !== undefined) return chosen;
    const onPath = await pythonOnPath(process.env);
    // One that cannot run notebooks must not stand in the way of a kernelspec that can.
    return onPath?.hasIpykernel === true ? onPath : undefined;
  }

  /** The Python of each of many notebooks, in their order. */
  async forNotebooks(notebooks: readonly vscode.Uri[]): Promise<(PythonEnvironment | undefined)[]> {
    const found: (PythonEnvironment | undefined)[] = [];
    for (let start = 0; start < notebooks.length; start += TOGETHER) {
      const some = notebooks.slice(start, start + TOGETHER);
      found.push(...(await Promise.all(some.map((notebook) => this.forNotebook(notebook)))));
    }
    return found;
  }

  /** The Python that a new notebook of this window would run in, and whether it can. */
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

  /** True where the Python extension is there to choose a Python of the workspace with. */
  get hasPythonExtension(): boolean {
    return this.others.hasPython;
  }

  /** Makes this the Python of the workspace: in the extensions that keep that choice, and here. */
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

/** The folder that stands for the window where no notebook says which one. */
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
