import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import {
  allNames,
  ended,
  notebookText,
  textOf,
  withSettings,
  workspaceFolder,
  writeFile,
} from './support/executions';
import type { Person } from './support/person';
import { suiteOfCommands } from './support/suite';

const execute = (...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand('notebookExecutions.execute', ...args);
const THIS_MACHINE = 'This machine';

describe('notebookExecutions.execute', () => {
  let service: EmbeddedExecutionService;
  let person: Person;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never', 'files.autoSave': 'off' }, (parts) => {
    ({ service, person } = parts);
  });

  /** Asserts that the command says this, asks nothing before, and creates nothing. */
  async function refuses(uri: vscode.Uri, text: RegExp, button?: string): Promise<void> {
    const before = await allNames(service);
    await execute(uri);
    const message = await person.message(text);
    assert.equal(message.kind, 'error');
    if (button !== undefined) assert.ok(message.buttons.includes(button), message.buttons.join(' | '));
    assert.deepEqual(await allNames(service), before);
  }

  it('runs a notebook of the Explorer with the template that was picked', async () => {
    const uri = await writeFile('sums.ipynb', notebookText(['print(6 * 7)']));
    person.willPick((pick) => {
      assert.match(pick.title, /sums\.ipynb/);
      pick.choose(THIS_MACHINE);
    });
    const execution = await ended(service, await execute(uri));
    assert.equal(execution.state, 'SUCCEEDED');
    assert.equal(execution.runOptions?.source, uri.toString());
    assert.equal(execution.runOptions.templateName, THIS_MACHINE);
    assert.match(await textOf(service.readOutput(execution)), /42/);
  });

  it('runs what is on the screen, and saves nothing', async () => {
    const uri = await writeFile(
      'edited.ipynb',
      notebookText(['print("old")', { source: '1', tags: ['keep'] }]),
    );
    const document = await vscode.workspace.openNotebookDocument(uri);
    await vscode.window.showNotebookDocument(document);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.cellAt(0).document.uri, new vscode.Range(0, 0, 1, 0), 'print("new " * 2)');
    await vscode.workspace.applyEdit(edit);
    await vscodeEventually(() => Promise.resolve(document.isDirty || undefined));
    person.willPick((pick) => {
      pick.choose(THIS_MACHINE);
    });
    // From the toolbar, with what a toolbar hands over.
    const execution = await ended(service, await execute({ notebookEditor: { notebookUri: uri } }));
    const input = JSON.parse(await textOf(service.readInput(execution))) as {
      cells: Record<string, unknown>[];
    };
    assert.deepEqual(
      input.cells.map((cell) => [cell['id'], cell['metadata']]),
      [
        ['cell-0', {}],
        ['cell-1', { tags: ['keep'] }],
      ],
    );
    assert.match(await textOf(service.readOutput(execution)), /new new/);
    assert.equal(document.isDirty, true);
    assert.match(await fs.readFile(uri.fsPath, 'utf8'), /old/);
  });

  it('runs an untitled notebook', async () => {
    const data = new vscode.NotebookData([
      new vscode.NotebookCellData(vscode.NotebookCellKind.Markup, '# Title', 'markdown'),
      new vscode.NotebookCellData(vscode.NotebookCellKind.Code, 'import os\nprint(os.getcwd())', 'python'),
    ]);
    const document = await vscode.workspace.openNotebookDocument('jupyter-notebook', data);
    await vscode.window.showNotebookDocument(document);
    person.willPick((pick) => {
      pick.choose(THIS_MACHINE);
    });
    const execution = await ended(service, await execute());
    assert.equal(execution.state, 'SUCCEEDED', execution.runStatus?.message);
    assert.ok(
      (await textOf(service.readOutput(execution))).includes(path.basename(workspaceFolder().fsPath)),
    );
  });

  it('does not run twice on a double click', async () => {
    const uri = await writeFile('twice.ipynb', notebookText(['1']));
    const before = await allNames(service);
    person.willPick((pick) => {
      pick.choose(THIS_MACHINE);
    });
    const [one, other] = await Promise.all([execute(uri), execute(uri)]);
    assert.equal(one, other);
    assert.equal((await allNames(service)).length, before.length + 1);
    await ended(service, one);
  });

  it('runs the command of the setting notebookExecutions.endCommand at the end', async () => {
    const uri = await writeFile('rings.ipynb', notebookText(['1']));
    const told = path.join(path.dirname(uri.fsPath), 'told');
    const restore = await withSettings({
      'notebookExecutions.endCommand': `echo "$EXECUTION_STATE" > '${told}'`,
    });
    person.willPick((pick) => {
      pick.choose(THIS_MACHINE);
    });
    await ended(service, await execute(uri));
    const text = await vscodeEventually(
      async () => (await fs.readFile(told, 'utf8').catch(() => '')) || undefined,
    );
    assert.equal(text.trim(), 'SUCCEEDED');
    await restore();
  });

  it('creates nothing when the pick is left', async () => {
    const uri = await writeFile('left.ipynb', notebookText(['1']));
    const before = await allNames(service);
    person.willPick((pick) => {
      pick.leave();
    });
    assert.equal(await execute(uri), undefined);
    assert.deepEqual(await allNames(service), before);
    assert.deepEqual(person.complaints, []);
  });

  describe('with a notebook that cannot be run', () => {
    const cases: [string, string, RegExp][] = [
      ['not JSON', '{"cells": [', /broken\.ipynb is not a notebook: it is not valid JSON at line 1/],
      ['JSON but no notebook', '{"a": 1}', /broken\.ipynb is JSON, but not a notebook: “nbformat”/],
      ['a list', '[1]', /broken\.ipynb is JSON, but not a notebook/],
      ['nbformat 2', '{"nbformat": 2, "nbformat_minor": 0, "worksheets": []}', /format 2\.0/],
      ['nbformat 5', '{"nbformat": 5, "nbformat_minor": 0, "cells": [], "metadata": {}}', /format 5\.0/],
      ['an empty file', '', /broken\.ipynb is empty/],
    ];
    for (const [what, text, message] of cases) {
      it(`says so: ${what}`, async () => {
        await refuses(await writeFile('broken.ipynb', text), message);
        assert.deepEqual(person.picks, []);
      });
    }

    it('says so: no kernelspec and no language; one button runs it with Python', async () => {
      const uri = await writeFile('bare.ipynb', notebookText(['print("ran")'], {}));
      const before = await allNames(service);
      person.willPick((pick) => {
        pick.choose(THIS_MACHINE);
      });
      person.willPress(/bare\.ipynb does not say which kernel/, 'Execute with Python');
      await execute(uri);
      await person.message(/bare\.ipynb does not say which kernel/);
      const name = await vscodeEventually(async () =>
        (await allNames(service)).find((each) => !before.includes(each)),
      );
      assert.equal((await ended(service, name)).state, 'SUCCEEDED');
    });

    it('says so: a kernelspec that does not exist, with the kernels that do', async () => {
      const metadata = { kernelspec: { name: 'cobol', display_name: 'COBOL', language: 'cobol' } };
      person.willPick((pick) => {
        pick.choose(THIS_MACHINE);
      });
      await refuses(
        await writeFile('cobol.ipynb', notebookText(['1'], metadata)),
        /There is no kernel “cobol”\. Kernels found: .*python3/,
        'Choose Kernel…',
      );
    });

    it('says so: it disappears between pick and create', async () => {
      const uri = await writeFile('gone.ipynb', notebookText(['1']));
      person.willPick(async (pick) => {
        await vscode.workspace.fs.delete(uri);
        pick.choose(THIS_MACHINE);
      });
      await refuses(uri, /gone\.ipynb is no longer there/);
    });
  });

  describe('with templates of the setting', () => {
    let restore: (() => Promise<void>) | undefined;
    const templates = async (list: unknown): Promise<void> => {
      restore = await withSettings({ 'notebookExecutions.templates': list });
    };
    afterEach(async () => {
      await restore?.();
      restore = undefined;
    });

    it('shows the ones that cannot be used with the reason, and says it again when chosen', async () => {
      await templates([
        { name: 'misspelt', service: 'embedded', runOptions: { timout: 5 } },
        { name: 'typed wrong', service: 'embedded', runOptions: { timeout: 'long' } },
        { service: 'embedded' },
        { name: 'half', service: 'vertex' },
      ]);
      const uri = await writeFile('a.ipynb', notebookText(['1']));
      person.willPick((pick) => {
        assert.match(
          pick.row('misspelt').detail ?? '',
          /unknown field “runOptions\.timout”; did you mean “timeout”/,
        );
        assert.match(pick.row('typed wrong').detail ?? '', /“runOptions\.timeout” must be of type number/);
        assert.match(pick.row('Template without a name').detail ?? '', /“name” is missing/);
        assert.match(pick.row('half').detail ?? '', /“project” is missing.*“location” is missing/);
        pick.choose('misspelt');
      });
      await refuses(uri, /The template “misspelt” cannot be used.*timout/, 'Edit Templates');
    });

    it('uses its run options and output folder, and preselects the last one', async () => {
      const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-out-'));
      await templates([
        {
          name: 'strict',
          service: 'embedded',
          executionTemplate: { outputNotebookFolder: folder, labels: { team: 'a' } },
          runOptions: {
            timeout: 100,
            allowErrors: true,
            environment: { FLAVOUR: 'vanilla' },
            workingDirectory: '${workspaceFolder}',
          },
        },
      ]);
      const code = ['import os\nprint(os.environ["FLAVOUR"], os.getcwd())', '1/0', 'print("after")'];
      const uri = await writeFile('t.ipynb', notebookText(code));
      person.willPick(
        (pick) => {
          pick.choose('strict');
        },
        (pick) => {
          assert.equal(pick.active, 'strict');
          pick.leave();
        },
      );
      const execution = await ended(service, await execute(uri));
      assert.equal(execution.state, 'SUCCEEDED', execution.runStatus?.message);
      assert.equal(execution.runOptions?.timeout, 100);
      assert.deepEqual(execution.executionTemplate?.labels, { team: 'a' });
      assert.ok(execution.outputNotebookFile?.startsWith(vscode.Uri.file(folder).toString()));
      const output = await textOf(service.readOutput(execution));
      assert.ok(output.includes(`vanilla ${workspaceFolder().fsPath}`), output);
      assert.match(output, /after/);
      await execute(uri);
    });

    it('refuses parameters that are no mapping, before anything is asked of the service', async () => {
      await templates([{ name: 'list', service: 'embedded', executionTemplate: { parameters: '- 1\n- 2' } }]);
      person.willPick((pick) => {
        pick.choose('list');
      });
      await refuses(
        await writeFile('p.ipynb', notebookText(['1'])),
        /parameters of the template “list”: must be a mapping/,
        'Edit Templates',
      );
    });

    it('refuses an output folder that cannot be written', async () => {
      const file = await writeFile('file', 'no folder');
      await templates([
        {
          name: 'nowhere',
          service: 'embedded',
          executionTemplate: { outputNotebookFolder: `${file.fsPath}/below` },
        },
      ]);
      person.willPick((pick) => {
        pick.choose('nowhere');
      });
      await refuses(
        await writeFile('o.ipynb', notebookText(['1'])),
        /output cannot be written to/,
        'Edit Templates',
      );
    });

    it('offers to install a missing ipykernel, and goes on', async () => {
      const python = await fakePython();
      await templates([{ name: 'bare python', service: 'embedded', runOptions: { interpreter: python } }]);
      const uri = await writeFile('k.ipynb', notebookText(['print("ran")']));
      // First pip cannot do it.
      const offline = path.join(path.dirname(python), 'offline');
      await fs.writeFile(offline, '');
      person.willPick((pick) => {
        pick.choose('bare python');
      });
      person.willPress(/ipykernel is not installed/, 'Install ipykernel');
      await execute(uri);
      await person.message(/could not be installed .*No matching distribution/);
      await fs.rm(offline);
      const before = await allNames(service);
      person.willPick((pick) => {
        pick.choose('bare python');
      });
      person.willPress(/ipykernel is not installed/, 'Install ipykernel');
      await execute(uri);
      const { text } = await person.message(/ipykernel is not installed/);
      assert.ok(text.includes(python));
      const name = await vscodeEventually(async () =>
        (await allNames(service)).find((each) => !before.includes(each)),
      );
      assert.equal((await ended(service, name)).state, 'SUCCEEDED');
    });
  });
});

/** A Python that has no ipykernel until `-m pip install ipykernel` was called. */
async function fakePython(): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-python-'));
  const real = (process.env['PATH'] ?? '').split(path.delimiter).map((each) => path.join(each, 'python3'));
  let found = '';
  for (const candidate of real) {
    if (found === '' && candidate.includes('.venv')) found = candidate;
  }
  assert.notEqual(found, '', 'The suite runs with .venv on the PATH.');
  const file = path.join(folder, 'python');
  const script = `#!/bin/sh
if [ "$1 $2 $3" = "-m pip install" ]; then
  if [ -f '${folder}/offline' ]; then echo 'No matching distribution found for ipykernel' >&2; exit 1; fi
  touch '${folder}/installed'; exit 0
fi
if [ -f '${folder}/installed' ]; then exec '${found}' "$@"; fi
exec '${found}' -S "$@"
`;
  await fs.writeFile(file, script, { mode: 0o755 });
  return file;
}

/** Asks until there is an answer. */
async function vscodeEventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    assert.ok(Date.now() < deadline, 'It did not happen.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
