import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { kernelEnvironment } from '../../src/python/kernel-environment';
import { pythonOnPath } from '../../src/python/python-on-path';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { describePython } from '../../src/system/python-environment';
import { until } from '../support/until';
import { ended, notebookText, textOf, workspaceFolder, writeFile } from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

/** Controls for the stand-in extensions (test/support/small-extension.ts). */
interface Neighbour {
  choose(...choice: unknown[]): void;
  willChoose(executable: string | undefined): void;
  misbehave(how: '' | 'throws' | 'hangs'): void;
}
const JUPYTER = 'ms-toolsai.jupyter';
const PYTHON = 'ms-python.python';
const ENVIRONMENTS = 'ms-python.vscode-python-envs';

async function neighbour(id: string): Promise<Neighbour> {
  const extension = vscode.extensions.getExtension<Neighbour>(id);
  assert.ok(extension, id);
  return extension.activate();
}

/** An executable file that is not Python; enough if nothing is run. */
async function executable(...parts: string[]): Promise<string> {
  const file = path.join(...parts);
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(file, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return file;
}

describe('Python of a notebook', () => {
  let folder: string;
  let notebook: vscode.Uri;
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands(
    { 'notebookExecutions.openOutput': 'never', 'notebookExecutions.notify': 'successes' },
    (parts) => {
      ({ service, user } = parts);
    },
  );

  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-env-'));
    notebook = await writeFile('x.ipynb', notebookText(['import sys; print(sys.prefix)']));
  });
  afterEach(async () => {
    (await neighbour(JUPYTER)).choose(notebook, undefined);
    (await neighbour(PYTHON)).choose(undefined);
    (await neighbour(PYTHON)).willChoose(undefined);
    (await neighbour(ENVIRONMENTS)).choose(vscode.Uri.joinPath(notebook, '..'), undefined);
    for (const id of [JUPYTER, PYTHON, ENVIRONMENTS]) (await neighbour(id)).misbehave('');
    await fs.rm(folder, { recursive: true });
    for (const name of ['.venv', 'venv', '.env'])
      await fs.rm(path.join(workspaceFolder().fsPath, name), { recursive: true, force: true });
  });

  /** The Python shown in the pick: the description of the built-in template, once it is known. */
  async function said(...notebooks: vscode.Uri[]): Promise<string> {
    let description = '';
    user.willPick(async (pick) => {
      description = await until('the Python is said', () => {
        const now = pick.row('This machine').description ?? '';
        return now === 'On this machine' ? undefined : now;
      });
      pick.leave();
    });
    await run('execute', notebooks[0], notebooks);
    return description;
  }
  const inWorkspace = (name: string): Promise<string> =>
    executable(workspaceFolder().fsPath, name, 'bin', 'python');

  it('is the interpreter selected in the Python extension', async () => {
    const python = await executable(folder, 'bin', 'python');
    await inWorkspace('.venv');
    (await neighbour(PYTHON)).choose(python);
    assert.equal(await said(notebook), python);
  });

  it('is the Python of the kernel selected for the notebook in Jupyter, by its executable or its folder, open or not', async () => {
    const selected = await executable(folder, 'bin', 'python');
    (await neighbour(PYTHON)).choose(selected);
    const chosen = await executable(folder, 'kernel', 'bin', 'python');
    const jupyter = await neighbour(JUPYTER);
    jupyter.choose(notebook, chosen);
    assert.ok(!vscode.workspace.notebookDocuments.some(({ uri }) => uri.toString() === notebook.toString()));
    assert.equal(await said(notebook), chosen);
    const open = await writeFile('open.ipynb', notebookText(['1']));
    await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(open));
    jupyter.choose(open, path.join(folder, 'kernel'));
    assert.equal(await said(open), chosen);
    // For these notebooks, not for others; and not one that is gone.
    const other = await writeFile('other.ipynb', notebookText(['1']));
    assert.equal(await said(other), selected);
    jupyter.choose(other, path.join(folder, 'gone'));
    assert.equal(await said(other), selected);
    // For several notebooks, each one's own.
    assert.equal(await said(notebook, other), `${chosen}, ${selected}`);
  });

  it('is the Python of the project in Python Environments', async () => {
    (await neighbour(PYTHON)).choose(await executable(folder, 'bin', 'python'));
    const project = await executable(folder, 'project', 'bin', 'python');
    (await neighbour(ENVIRONMENTS)).choose(vscode.Uri.joinPath(notebook, '..'), project);
    assert.equal(await said(notebook), project);
  });

  it('is the Python of the workspace when the extension selects none, or one that is gone', async () => {
    const venv = await inWorkspace('venv');
    assert.equal(await said(notebook), venv);
    (await neighbour(PYTHON)).choose(path.join(folder, 'gone'));
    assert.equal(await said(notebook), venv);
    const hidden = await inWorkspace('.venv');
    assert.equal(await said(notebook), hidden);
  });

  for (const how of ['throws', 'hangs'] as const) {
    it(`is still found if every other extension ${how}`, async () => {
      for (const id of [JUPYTER, PYTHON, ENVIRONMENTS]) (await neighbour(id)).misbehave(how);
      const venv = await inWorkspace('.venv');
      assert.equal(await said(notebook), venv);
      assert.deepEqual(user.shownProblems, []);
    });
  }

  it('runs as selected, with name and version', async () => {
    const real = await realPython();
    // The Python of the tests' environment, by another name.
    const science = path.join(folder, 'science');
    await fs.symlink(real.prefix, science);
    const python = path.join(science, 'bin', 'python');
    (await neighbour(JUPYTER)).choose(notebook, python);
    let description: string | undefined;
    user.willPick(async (pick) => {
      description = await until('the version is said', () =>
        pick.row('This machine').description?.includes('(') === true
          ? pick.row('This machine').description
          : undefined,
      );
      pick.choose('This machine');
    });
    const execution = await ended(service, await run('execute', notebook));
    assert.equal(execution.state, 'SUCCEEDED', execution.runStatus?.message);
    assert.equal(description, `science (${real.version})`);
    assert.equal(execution.runOptions?.interpreter, python);
    assert.match(await textOf(service.readOutput(execution)), new RegExp(science));
  });

  it('is selected with the pick of the Python extension (selectPython)', async () => {
    const real = await realPython();
    const python = path.join(real.prefix, 'bin', 'python');
    (await neighbour(PYTHON)).choose(await inWorkspace('.venv'));
    (await neighbour(PYTHON)).willChoose(python);
    await run('selectPython');
    await user.message(new RegExp(`^Notebooks can be executed with ${python}`));
    assert.match(await said(notebook), /^\.venv \(3\./);
  });

  it('offers alternatives when a system Python does not accept packages (installIpykernel)', async () => {
    const managed = await executable(folder, 'bin', 'python');
    await fs.writeFile(
      managed,
      '#!/bin/sh\necho "error: externally-managed-environment\n\nhint: See PEP 668" >&2\nexit 1\n',
    );
    (await neighbour(PYTHON)).choose(managed);
    await run('installIpykernel');
    const { text, buttons } = await user.message(
      /^Packages cannot be installed in .*bin\/python: it belongs to/,
    );
    assert.ok(text.includes(managed));
    assert.deepEqual(buttons.slice(0, 2), ['Create .venv in This Workspace', 'Select Another Python…']);
  });

  it('creates no environment over an existing folder, and leaves no partial one (createEnvironment)', async () => {
    const directory = path.join(workspaceFolder().fsPath, '.venv');
    (await neighbour(PYTHON)).choose(await executable(folder, 'bin', 'python'));
    await run('createEnvironment');
    await user.message(/\.venv could not be created/);
    assert.deepEqual(await fs.readdir(directory).catch(() => 'none'), 'none');
    await fs.mkdir(directory);
    await fs.writeFile(path.join(directory, 'theirs'), '');
    await run('createEnvironment');
    await user.message(/\.venv is there already, but it is not a Python environment/);
    assert.deepEqual(await fs.readdir(directory), ['theirs']);
  });

  it('is the first on the PATH with ipykernel when none is selected', async () => {
    const without = await executable(folder, 'python3');
    const found = await pythonOnPath({ PATH: `${folder}:${process.env['PATH'] ?? ''}` });
    assert.equal(found?.hasIpykernel, true);
    assert.notEqual(found.executable, without);
    assert.deepEqual(await pythonOnPath({ PATH: folder }), {
      executable: without,
      prefix: undefined,
      kind: 'plain',
      hasIpykernel: false,
    });
    assert.equal(await pythonOnPath({ PATH: '' }), undefined);
  });

  it('is activated: a virtual environment', async () => {
    const python = await executable(folder, 'bin', 'python');
    await fs.writeFile(path.join(folder, 'pyvenv.cfg'), '');
    const environment = await kernelEnvironment(notebook, await describePython(python), {});
    assert.equal(environment['VIRTUAL_ENV'], folder);
    assert.ok(environment['PATH']?.startsWith(`${folder}/bin:`));
    assert.equal(environment['PYTHONHOME'], undefined);
  });

  it('is activated: conda, with its activation scripts', async () => {
    const prefix = path.join(folder, 'envs', 'science');
    const python = await executable(prefix, 'bin', 'python');
    await fs.mkdir(path.join(prefix, 'conda-meta'));
    const scripts = path.join(prefix, 'etc/conda/activate.d');
    await fs.mkdir(scripts, { recursive: true });
    await fs.writeFile(
      path.join(scripts, 'a.sh'),
      'echo noise; export GDAL_DATA="$CONDA_PREFIX/share\nsecond line"\n',
    );
    process.env['a.name'] = 'stays';
    const environment = await kernelEnvironment(notebook, await describePython(python), {});
    delete process.env['a.name'];
    assert.equal(environment['a.name'], 'stays');
    assert.equal(environment['CONDA_PREFIX'], prefix);
    assert.equal(environment['CONDA_DEFAULT_ENV'], 'science');
    assert.equal(environment['GDAL_DATA'], `${prefix}/share\nsecond line`);
    assert.ok(environment['PATH']?.startsWith(`${prefix}/bin:`));
  });

  it('omits variables that the editor set for itself, and adds .env and the template’s', async () => {
    await fs.writeFile(
      path.join(workspaceFolder().fsPath, '.env'),
      'ONE=1\nTWO="${ONE} and ${HOME}"\nTHREE=file\n',
    );
    const environment = await kernelEnvironment(notebook, undefined, { THREE: 'template' });
    assert.equal(environment['TWO'], `1 and ${process.env['HOME'] ?? ''}`);
    assert.equal(environment['THREE'], 'template');
    assert.deepEqual(
      Object.keys(environment).filter((name) => /^(?:VSCODE|ELECTRON)_/.test(name)),
      [],
    );
  });

  it('is first on the kernel’s PATH, so that !pip belongs to the environment', async () => {
    await fs.writeFile(path.join(workspaceFolder().fsPath, '.env'), 'FROM_FILE=yes\n');
    user.willPick((pick) => {
      pick.choose('This machine');
    });
    const code = 'import os, sys\n!pip --version\nprint(os.environ["FROM_FILE"], sys.prefix)';
    const uri = await writeFile('pip.ipynb', notebookText([code]));
    const execution = await ended(service, await run('execute', uri));
    const output = await textOf(service.readOutput(execution));
    const prefix = /yes (\S+?)\\n/.exec(output)?.[1];
    assert.ok(prefix !== undefined && output.includes(`from ${prefix}/lib`), output);
  });
});

/** The Python on the PATH of the tests: an environment with all required packages. */
async function realPython(): Promise<{ prefix: string; version: string }> {
  const found = await pythonOnPath(process.env);
  assert.ok(found?.prefix !== undefined);
  const config = await fs.readFile(path.join(found.prefix, 'pyvenv.cfg'), 'utf8');
  const version = /^version = (\S+)$/m.exec(config)?.[1];
  assert.ok(version !== undefined, config);
  return { prefix: found.prefix, version };
}
