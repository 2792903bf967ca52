import * as path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { isExecutable } from '../system/programs';
import { pythonIn } from '../system/python-environment';

/** Longest wait for another extension, in milliseconds. */
const LIMIT_MS = 2000;
/** Longest wait for Jupyter to select the kernel of a newly opened notebook; shorter than {@link LIMIT_MS}. */
const SETTLE_MS = 1500;

const PYTHON = 'ms-python.python';
const ENVIRONMENTS = 'ms-python.vscode-python-envs';
const JUPYTER = 'ms-toolsai.jupyter';

/** The part of the Python extension's API in use. Its results are validated. */
const PythonApiSchema = z.object({
  environments: z.custom<{
    getActiveEnvironmentPath(resource?: vscode.Uri): unknown;
    resolveEnvironment(environment: unknown): Promise<unknown>;
    updateActiveEnvironmentPath?(environment: string, resource?: vscode.Uri): Promise<unknown>;
  }>(hasMethods('getActiveEnvironmentPath', 'resolveEnvironment')),
});
/** The part of the Python Environments API in use. */
const EnvironmentsApiSchema = z.custom<{
  getEnvironment(scope: vscode.Uri | undefined): Promise<unknown>;
  resolveEnvironment?(executable: vscode.Uri): Promise<unknown>;
  setEnvironment?(scope: vscode.Uri | undefined, environment: unknown): Promise<unknown>;
}>(hasMethods('getEnvironment'));
/** The part of the Jupyter extension's API in use: the environment of the kernel selected for a notebook. */
const JupyterApiSchema = z.custom<{
  getPythonEnvironment(notebook: vscode.Uri): unknown;
  onDidChangePythonEnvironment?: vscode.Event<vscode.Uri>;
}>(hasMethods('getPythonEnvironment'));

const PathSchema = z.object({ path: z.string() });
const ResolvedSchema = z.object({
  executable: z.object({ uri: z.optional(z.object({ fsPath: z.string() })) }),
});
const EnvironmentSchema = z.object({ execInfo: z.object({ run: z.object({ executable: z.string() }) }) });

/**
 * The Python selected in another extension: a notebook's kernel in Jupyter, a project's environment in Python
 * Environments, a workspace's interpreter in Python. Any of these extensions may be missing, fail or hang. Therefore
 * every call has a timeout, and failures are logged.
 */
export class OtherExtensions {
  /** Open notebooks whose kernel Jupyter has had time to select. */
  private readonly settled = new WeakSet<vscode.NotebookDocument>();

  constructor(private readonly log: (line: string) => void) {}

  /**
   * Absolute path of an existing executable; undefined if no extension selects one.
   * @param notebook undefined if no particular notebook is meant.
   * @param resource the file or folder whose environment is used if Jupyter has no answer.
   */
  async chosenPython(
    notebook: vscode.Uri | undefined,
    resource: vscode.Uri | undefined,
  ): Promise<string | undefined> {
    // In parallel, so that the total wait is at most one timeout.
    const answers = await Promise.all([
      notebook === undefined ? undefined : this.ask(JUPYTER, (api) => this.pythonOfKernel(api, notebook)),
      this.ask(ENVIRONMENTS, (api) => pythonOfProject(api, resource)),
      this.ask(PYTHON, (api) => selectedPython(api, resource)),
    ]);
    return answers.find((answer) => answer !== undefined);
  }

  /** True if the Python extension is installed: it then selects the workspace's Python. */
  get hasPython(): boolean {
    return vscode.extensions.getExtension(PYTHON) !== undefined;
  }

  /** Selects the Python of a folder in the extensions that store such a selection. */
  async choosePython(executable: string, folder: vscode.Uri | undefined): Promise<void> {
    await Promise.all([
      this.ask(ENVIRONMENTS, async (api) => {
        const environments = EnvironmentsApiSchema.safeParse(api).data;
        const found = await environments?.resolveEnvironment?.(vscode.Uri.file(executable));
        if (found !== undefined) await environments?.setEnvironment?.(folder, found);
        return undefined;
      }),
      this.ask(PYTHON, async (api) => {
        const python = PythonApiSchema.safeParse(api).data;
        await python?.environments.updateActiveEnvironmentPath?.(executable, folder);
        return undefined;
      }),
    ]);
  }

  /** Calls the API of an extension if it is installed. Never rejects; resolves within {@link LIMIT_MS}. */
  private async ask<T>(id: string, question: (api: unknown) => Promise<T>): Promise<T | undefined> {
    const extension = vscode.extensions.getExtension<unknown>(id);
    if (extension === undefined) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${LIMIT_MS} ms`));
      }, LIMIT_MS);
    });
    try {
      return await Promise.race([Promise.resolve(extension.activate()).then(question), limit]);
    } catch (error) {
      this.log(`Which Python ${id} has chosen is unknown: ${String(error)}`);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Jupyter knows only the kernels of open notebooks. Other notebooks are opened first, without showing them. */
  private async pythonOfKernel(api: unknown, notebook: vscode.Uri): Promise<string | undefined> {
    const jupyter = JupyterApiSchema.safeParse(api).data;
    if (jupyter === undefined) return undefined;
    const key = notebook.toString();
    const open = vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === key);
    // Opening an untitled notebook that is no longer open would create a new one.
    if (open === undefined && notebook.scheme === 'untitled') return undefined;
    const document = open ?? (await vscode.workspace.openNotebookDocument(notebook));
    const answer = (): string | undefined =>
      PathSchema.safeParse(jupyter.getPythonEnvironment(document.uri)).data?.path;
    let chosen = answer();
    if (chosen === undefined && !this.settled.has(document)) {
      await changeOf(jupyter.onDidChangePythonEnvironment, key);
      chosen = answer();
    }
    this.settled.add(document);
    return chosen === undefined ? undefined : this.executableOf(chosen);
  }

  /** Jupyter identifies an environment by its executable or its folder. */
  private async executableOf(chosen: string): Promise<string | undefined> {
    for (const executable of [chosen, pythonIn(chosen)])
      if (await isExecutable(executable)) return executable;
    return this.ask(PYTHON, (api) => resolved(api, { path: chosen, id: chosen }));
  }
}

async function pythonOfProject(api: unknown, resource: vscode.Uri | undefined): Promise<string | undefined> {
  const environment = await EnvironmentsApiSchema.safeParse(api).data?.getEnvironment(resource);
  const executable = EnvironmentSchema.safeParse(environment).data?.execInfo.run.executable;
  return existing(executable);
}

async function selectedPython(api: unknown, resource: vscode.Uri | undefined): Promise<string | undefined> {
  const python = PythonApiSchema.safeParse(api).data;
  const selected = python?.environments.getActiveEnvironmentPath(resource);
  const { path: named } = PathSchema.safeParse(selected).data ?? {};
  // Resolving the environment may take half a minute; its path is usually the executable.
  return (await existing(named)) ?? (named === undefined ? undefined : resolved(api, selected));
}

async function resolved(api: unknown, environment: unknown): Promise<string | undefined> {
  const found = await PythonApiSchema.safeParse(api).data?.environments.resolveEnvironment(environment);
  return existing(ResolvedSchema.safeParse(found).data?.executable.uri?.fsPath);
}

async function existing(executable: string | undefined): Promise<string | undefined> {
  return executable !== undefined && path.isAbsolute(executable) && (await isExecutable(executable))
    ? executable
    : undefined;
}

/** Waits until Jupyter reports a change for this notebook, for at most {@link SETTLE_MS}. */
function changeOf(event: vscode.Event<vscode.Uri> | undefined, key: string): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      subscription?.dispose();
      resolve();
    };
    const timer = setTimeout(end, SETTLE_MS);
    const subscription = event?.((uri) => {
      if (uri.toString() === key) end();
    });
  });
}

function hasMethods(...names: readonly string[]): (api: unknown) => boolean {
  return (api) =>
    typeof api === 'object' &&
    api !== null &&
    names.every((name) => typeof Reflect.get(api, name) === 'function');
}
