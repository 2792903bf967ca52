import * as path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { isExecutable } from '../system/programs';
import { pythonIn } from '../system/python-environment';

/** Longest wait for the answer of another extension, in milliseconds. */
const LIMIT_MS = 2000;
/** How long Jupyter may take to find the kernel of a notebook that was just opened; within {@link LIMIT_MS}. */
const SETTLE_MS = 1500;

const PYTHON = 'ms-python.python';
const ENVIRONMENTS = 'ms-python.vscode-python-envs';
const JUPYTER = 'ms-toolsai.jupyter';

/** What is used of the Python extension's API. Answers are checked before use. */
const PythonApiSchema = z.object({
  environments: z.custom<{
    getActiveEnvironmentPath(resource?: vscode.Uri): unknown;
    resolveEnvironment(environment: unknown): Promise<unknown>;
    updateActiveEnvironmentPath?(environment: string, resource?: vscode.Uri): Promise<unknown>;
  }>(hasMethods('getActiveEnvironmentPath', 'resolveEnvironment')),
});
/** What is used of the API of Python Environments. */
const EnvironmentsApiSchema = z.custom<{
  getEnvironment(scope: vscode.Uri | undefined): Promise<unknown>;
  resolveEnvironment?(executable: vscode.Uri): Promise<unknown>;
  setEnvironment?(scope: vscode.Uri | undefined, environment: unknown): Promise<unknown>;
}>(hasMethods('getEnvironment'));
/** What is used of the Jupyter extension's API: the environment of the kernel chosen for a notebook. */
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
 * The Python that is chosen in another extension: the kernel of a notebook in Jupyter, the environment of a project in Python
 * Environments, the interpreter of a workspace in Python. Each of them may be missing, fail or hang: it is asked for a limited
 * time, and what went wrong is a line in the log.
 */
export class OtherExtensions {
  /** Open notebooks for which Jupyter had the time to find their kernel. */
  private readonly settled = new WeakSet<vscode.NotebookDocument>();

  constructor(private readonly log: (line: string) => void) {}

  /**
   * Absolute path of an executable that exists; undefined where no extension names one.
   * @param notebook undefined: no particular one.
   * @param resource the file or folder whose environment is meant where Jupyter has no answer.
   */
  async chosenPython(
    notebook: vscode.Uri | undefined,
    resource: vscode.Uri | undefined,
  ): Promise<string | undefined> {
    // At the same time: together they take no longer than one of them.
    const answers = await Promise.all([
      notebook === undefined ? undefined : this.ask(JUPYTER, (api) => this.pythonOfKernel(api, notebook)),
      this.ask(ENVIRONMENTS, (api) => pythonOfProject(api, resource)),
      this.ask(PYTHON, (api) => selectedPython(api, resource)),
    ]);
    return answers.find((answer) => answer !== undefined);
  }

  /** True where the Python of the workspace is chosen in the Python extension. */
  get hasPython(): boolean {
    return vscode.extensions.getExtension(PYTHON) !== undefined;
  }

  /** Chooses the Python of a folder in the extensions that keep such a choice. */
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

  /** Asks an extension that is there something about its API. Never rejects, and answers in {@link LIMIT_MS} at the latest. */
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

  /** Jupyter knows the kernel of open notebooks only: any other is opened, which shows nothing. */
  private async pythonOfKernel(api: unknown, notebook: vscode.Uri): Promise<string | undefined> {
    const jupyter = JupyterApiSchema.safeParse(api).data;
    if (jupyter === undefined) return undefined;
    const key = notebook.toString();
    const open = vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === key);
    // Opening one that has no file would make a new one.
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

  /** Jupyter names an environment by its executable or its folder. */
  private async executableOf(chosen: string): Promise<string | undefined> {
    for (const executable of [chosen, pythonIn(chosen)]) {
      if (await isExecutable(executable)) return executable;
    }
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
  // Asking what the environment is may take half a minute; its path mostly says it.
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

/** Waits until Jupyter tells of this notebook, for {@link SETTLE_MS} at most. */
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
