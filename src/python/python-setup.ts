import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { installedIpykernel } from '../system/ipykernel';
import { exists, isExecutable, programsOnPath, which } from '../system/programs';
import { describePython, pythonIn } from '../system/python-environment';
import { label, oneLine } from '../wording/text';
import { Problem, type Remedy } from '../wording/problem';
import { underProgress } from '../wording/progress';
import { environmentIn, firstFolder, type PythonFinder } from './chosen-python';
import { activatedEnvironment } from './kernel-environment';
import { pythonLabel } from './python-label';

/** What to do once a Python can run notebooks. */
export type OnReady = (executable: string) => Promise<unknown>;

/** A program that failed, with its output. */
class ProgramError extends Error {
  override readonly name = 'ProgramError';

  constructor(
    readonly said: string,
    cause: unknown,
  ) {
    super(said, { cause });
  }
}

/**
 * Provides a Python that can run notebooks: installs ipykernel, creates an environment with it, or selects another
 * Python. Uses no terminal, because not every host of the editor has one. Runs programs of the workspace, so use it
 * in trusted workspaces only.
 */
export class PythonSetup {
  constructor(private readonly finder: PythonFinder) {}

  /**
   * Installs ipykernel with the pip of an interpreter. Shows a progress notification that can be cancelled.
   * @throws Problem that says why it failed and offers alternatives; CancellationError.
   */
  async installIpykernel(executable: string, onReady: OnReady): Promise<void> {
    const title = vscode.l10n.t('Installing ipykernel for {0}', executable);
    try {
      await underProgress(title, ({ signal }) => installWith(executable, signal));
    } catch (error) {
      throw error instanceof ProgramError
        ? new Problem(installProblem(executable, error.said), this.alternatives(executable, onReady), {
            cause: error,
          })
        : error;
    }
    await onReady(executable);
  }

  /**
   * Creates `.venv` in the workspace, installs ipykernel in it, and selects it. An existing `.venv` is kept and used.
   * @param base the Python to create it with.
   * @throws Problem; CancellationError. A `.venv` that this call created is then removed.
   */
  async createEnvironment(base: string, onReady: OnReady): Promise<void> {
    const folder = await chooseFolder();
    if (folder === undefined) return;
    const directory = path.join(folder.uri.fsPath, '.venv');
    const present = await exists(directory);
    const executable = (): string => pythonIn(directory);
    if (present && !(await isExecutable(executable()))) {
      throw new Problem(
        vscode.l10n.t(
          '{0} is there already, but it is not a Python environment. Rename or remove it, then try again.',
          directory,
        ),
        [this.selectRemedy(base, onReady)],
      );
    }
    // Fails if another process has created the folder meanwhile: only a folder of our own is removed on failure.
    if (!present) await makeFolder(directory);
    try {
      await underProgress(vscode.l10n.t('Creating {0}', directory), async ({ report, signal }) => {
        if (!present) await makeEnvironment(base, directory, signal);
        report(vscode.l10n.t('installing ipykernel'));
        if ((await installedIpykernel(executable())) === undefined) await installWith(executable(), signal);
      });
    } catch (error) {
      if (!present)
        await fs.rm(directory, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
      if (error instanceof vscode.CancellationError) throw error;
      const said = error instanceof Error ? error.message : String(error);
      const again: Remedy = {
        label: vscode.l10n.t('Try Again'),
        run: () => this.createEnvironment(base, onReady),
      };
      throw new Problem(environmentProblem(directory, said), [again, this.selectRemedy(base, onReady)], {
        cause: error,
      });
    }
    await this.finder.select(executable());
    await onReady(executable());
  }

  /** Asks for a Python, in the Python extension if it is installed. Calls `onReady` if it differs from `base`. */
  async selectPython(base: string | undefined, onReady: OnReady): Promise<void> {
    // An extension that cannot be activated has no picker.
    const picked =
      this.finder.hasPythonExtension &&
      (await vscode.commands.executeCommand('python.setInterpreter').then(
        () => true,
        () => false,
      ));
    if (!picked) await this.pickPython(base);
    const { executable } = await this.finder.forWindow();
    if (executable !== undefined && executable !== base) await onReady(executable);
  }

  /** Alternatives if a Python cannot run notebooks. */
  alternatives(executable: string, onReady: OnReady): Remedy[] {
    const create: Remedy = {
      label: vscode.l10n.t('Create .venv in This Workspace'),
      run: () => this.createEnvironment(executable, onReady),
    };
    return [...(firstFolder() === undefined ? [] : [create]), this.selectRemedy(executable, onReady)];
  }

  private selectRemedy(executable: string, onReady: OnReady): Remedy {
    return {
      label: vscode.l10n.t('Select Another Python…'),
      run: () => this.selectPython(executable, onReady),
    };
  }

  /** The picker for windows without the Python extension: Pythons in the workspace and on the PATH, or any file. */
  private async pickPython(current: string | undefined): Promise<void> {
    const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
    const found = new Set<string>();
    for (const folder of folders) {
      const executable = await environmentIn([folder]);
      if (executable !== undefined) found.add(executable);
    }
    for await (const executable of programsOnPath(['python3', 'python'], process.env)) found.add(executable);
    const items = await Promise.all(
      [...found].map(async (executable) => ({
        executable,
        label: label(await pythonLabel(await describePython(executable))),
        description: label(executable),
        picked: executable === current,
      })),
    );
    const browse = { executable: undefined, label: vscode.l10n.t('Browse…') };
    const chosen = await vscode.window.showQuickPick([...items, browse], {
      title: vscode.l10n.t('Select Python'),
      placeHolder: vscode.l10n.t('Choose the Python that notebooks of this workspace run in'),
      matchOnDescription: true,
    });
    if (chosen === undefined) throw new vscode.CancellationError();
    const executable =
      chosen.executable ??
      (
        await vscode.window.showOpenDialog({
          title: vscode.l10n.t('Select Python'),
          openLabel: vscode.l10n.t('Select'),
        })
      )?.[0]?.fsPath;
    if (executable === undefined) throw new vscode.CancellationError();
    if (!(await isExecutable(executable)))
      throw new Problem(vscode.l10n.t('{0} is not a program that can be started.', oneLine(executable)));
    await this.finder.select(executable);
  }
}

/** The folder to create an environment in; undefined if the user closed the picker. */
async function chooseFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0)
    throw new Problem(vscode.l10n.t('Open a folder first: the environment is made in it.'));
  return folders.length === 1 ? folders[0] : vscode.window.showWorkspaceFolderPick();
}

/** @throws Problem if the folder exists or cannot be created. */
async function makeFolder(directory: string): Promise<void> {
  try {
    await fs.mkdir(directory);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Problem(environmentProblem(directory, said), [], { cause: error });
  }
}

/** Creates an environment in an empty folder, with uv if it is installed, else with the venv module of a Python. */
async function makeEnvironment(base: string, directory: string, signal: AbortSignal): Promise<void> {
  const uv = await which('uv', process.env);
  await (uv === undefined
    ? run(base, ['-m', 'venv', directory], base, signal)
    : run(uv, ['venv', '--python', base, directory], base, signal));
}

/** Installs ipykernel with pip, or with uv if pip is missing, as in environments that uv creates. */
async function installWith(executable: string, signal: AbortSignal): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', 'ipykernel'];
  try {
    await run(executable, pip, executable, signal);
  } catch (error) {
    const uv = await which('uv', process.env);
    if (!(error instanceof ProgramError) || !hasNoPip(error.said) || uv === undefined) throw error;
    await run(uv, ['pip', 'install', '--python', executable, 'ipykernel'], executable, signal);
  }
}

/**
 * Runs a program with the environment variables of a Python, without the workspace's `.env`. Runs it outside the
 * workspace, because Python searches the current directory for modules first.
 * @throws ProgramError with the program's output; CancellationError.
 */
async function run(
  program: string,
  args: readonly string[],
  python: string,
  signal: AbortSignal,
): Promise<void> {
  const env = await activatedEnvironment(await describePython(python));
  const options = { env, signal, cwd: path.dirname(program), maxBuffer: 16 * 2 ** 20, windowsHide: true };
  await new Promise<void>((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve();
      else if (signal.aborted) reject(new vscode.CancellationError());
      else reject(new ProgramError(`${stdout}\n${stderr}`.trim() || error.message, error));
    });
  });
}

function installProblem(executable: string, said: string): string {
  // PEP 668, in the messages of pip and of uv.
  if (/externally[- ]managed/i.test(said)) {
    return vscode.l10n.t(
      'Packages cannot be installed in {0}: it belongs to the operating system. Use an environment of this workspace or another Python.',
      executable,
    );
  }
  if (hasNoPip(said)) {
    return vscode.l10n.t(
      '{0} has no pip to install packages with. Use an environment of this workspace or another Python.',
      executable,
    );
  }
  return vscode.l10n.t('ipykernel could not be installed for {0}: {1}', executable, essenceOf(said));
}

function environmentProblem(directory: string, said: string): string {
  // Debian packages venv separately; the message names the missing package.
  const missing = /\b(?:apt|apt-get) install (python[\w.]*-venv)/.exec(said)?.[1];
  return missing === undefined
    ? vscode.l10n.t('{0} could not be created: {1}', directory, essenceOf(said))
    : vscode.l10n.t(
        '{0} could not be created: the system’s package {1} is missing. Install it, then try again.',
        directory,
        missing,
      );
}

function hasNoPip(said: string): boolean {
  return /No module named pip\b/.test(said);
}

/** The line that contains the error; the last line if none does. */
function essenceOf(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return oneLine(lines.find((line) => /^\s*error\b/i.test(line)) ?? lines.at(-1) ?? said, 300);
}
