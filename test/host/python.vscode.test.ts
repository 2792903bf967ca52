import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { chosenPython } from '../../src/commands/python/chosen-python';
import { kernelEnvironment } from '../../src/commands/python/kernel-environment';
import { pythonOnPath } from '../../src/commands/python/python-on-path';
import { describePython } from '../../src/system/python-environment';
import {
  activated,
  ended,
  notebookText,
  outsider,
  textOf,
  withSettings,
  workspaceFolder,
  writeFile,
} from './support/executions';
import { Person } from './support/person';

const NOTEBOOK = vscode.Uri.joinPath(workspaceFolder(), 'x.ipynb');

/** An extension that tests set beside ours (test/support/small-extension.ts), to say what is chosen in it. */
async function neighbour(id: string): Promise<{ choose(...choice: unknown[]): void }> {
  const extension = vscode.extensions.getExtension<{ choose(...choice: unknown[]): void }>(id);
  assert.ok(extension, id);
  return extension.activate();
}

/** An executable file that is no Python; enough where nothing is run. */
async function executable(...parts: string[]): Promise<string> {
  const file = path.join(...parts);
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(file, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return file;
}

describe('Python of a notebook', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-env-'));
  });
  afterEach(async () => {
    await selectPython(undefined);
    (await neighbour('ms-toolsai.jupyter')).choose(NOTEBOOK, undefined);
    await fs.rm(folder, { recursive: true });
    for (const name of ['.venv', 'venv', '.env']) {
      await fs.rm(path.join(workspaceFolder().fsPath, name), { recursive: true, force: true });
    }
  });

  /** Selects an interpreter in the Python extension. */
  async function selectPython(selected: string | undefined): Promise<void> {
    (await neighbour('ms-python.python')).choose(selected);
  }

  it('is the one selected in the Python extension', async () => {
    const python = await executable(folder, 'bin', 'python');
    await executable(workspaceFolder().fsPath, '.venv', 'bin', 'python');
    await selectPython(python);
    assert.equal((await chosenPython(NOTEBOOK))?.executable, python);
  });

  it('is that of the kernel chosen for the notebook in the Jupyter extension, by its executable or its folder', async () => {
    await selectPython(await executable(folder, 'bin', 'python'));
    const chosen = await executable(folder, 'kernel', 'bin', 'python');
    const jupyter = await neighbour('ms-toolsai.jupyter');
    for (const name of [chosen, path.join(folder, 'kernel')]) {
      jupyter.choose(NOTEBOOK, name);
      assert.equal((await chosenPython(NOTEBOOK))?.executable, chosen);
    }
    // Of this notebook, not of others; and not of one that is gone.
    const other = vscode.Uri.joinPath(workspaceFolder(), 'y.ipynb');
    assert.equal((await chosenPython(other))?.executable, path.join(folder, 'bin', 'python'));
    jupyter.choose(NOTEBOOK, path.join(folder, 'gone'));
    assert.equal((await chosenPython(NOTEBOOK))?.executable, path.join(folder, 'bin', 'python'));
  });

  it('is that of the workspace where the extension selects none, or one that is gone', async () => {
    const venv = await executable(workspaceFolder().fsPath, 'venv', 'bin', 'python');
    await selectPython(undefined);
    assert.equal((await chosenPython(NOTEBOOK))?.executable, venv);
    await selectPython(path.join(folder, 'gone'));
    assert.equal((await chosenPython(NOTEBOOK))?.executable, venv);
    const hidden = await executable(workspaceFolder().fsPath, '.venv', 'bin', 'python');
    assert.equal((await chosenPython(NOTEBOOK))?.executable, hidden);
  });

  it('is none of these where there is none; then the first on the PATH with ipykernel', async () => {
    assert.equal(await chosenPython(NOTEBOOK), undefined);
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

  it('brings its environment: a virtual one', async () => {
    const python = await executable(folder, 'bin', 'python');
    await fs.writeFile(path.join(folder, 'pyvenv.cfg'), '');
    const environment = await kernelEnvironment(NOTEBOOK, await describePython(python), {});
    assert.equal(environment['VIRTUAL_ENV'], folder);
    assert.ok(environment['PATH']?.startsWith(`${folder}/bin:`));
    assert.equal(environment['PYTHONHOME'], undefined);
  });

  it('brings its environment: conda, with its activation scripts', async () => {
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
    const environment = await kernelEnvironment(NOTEBOOK, await describePython(python), {});
    delete process.env['a.name'];
    assert.equal(environment['a.name'], 'stays');
    assert.equal(environment['CONDA_PREFIX'], prefix);
    assert.equal(environment['CONDA_DEFAULT_ENV'], 'science');
    assert.equal(environment['GDAL_DATA'], `${prefix}/share\nsecond line`);
    assert.ok(environment['PATH']?.startsWith(`${prefix}/bin:`));
  });

  it('leaves out what the editor set for itself, and adds .env and the template', async () => {
    await fs.writeFile(
      path.join(workspaceFolder().fsPath, '.env'),
      'ONE=1\nTWO="${ONE} and ${HOME}"\nTHREE=file\n',
    );
    const environment = await kernelEnvironment(NOTEBOOK, undefined, { THREE: 'template' });
    assert.equal(environment['TWO'], `1 and ${process.env['HOME'] ?? ''}`);
    assert.equal(environment['THREE'], 'template');
    assert.deepEqual(
      Object.keys(environment).filter((name) => /^(?:VSCODE|ELECTRON)_/.test(name)),
      [],
    );
  });

  it('reaches the kernel, so that !pip is the environment’s own', async () => {
    await activated();
    const service = outsider();
    const person = new Person();
    const undo = await withSettings({
      'notebookExecutions.openOutput': 'never',
      'notebookExecutions.notifyFailure': false,
    });
    try {
      await fs.writeFile(path.join(workspaceFolder().fsPath, '.env'), 'FROM_FILE=yes\n');
      person.willPick((pick) => {
        pick.choose('This machine');
      });
      const code = 'import os, sys\n!pip --version\nprint(os.environ["FROM_FILE"], sys.prefix)';
      const uri = await writeFile('pip.ipynb', notebookText([code]));
      const execution = await ended(
        service,
        await vscode.commands.executeCommand('notebookExecutions.execute', uri),
      );
      const output = await textOf(service.readOutput(execution));
      const prefix = /yes (\S+?)\\n/.exec(output)?.[1];
      assert.ok(prefix !== undefined && output.includes(`from ${prefix}/lib`), output);
    } finally {
      await undo();
      person.leave();
      service.dispose();
    }
  });
});
