import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { until } from '../support/until';
import {
  allNames,
  ended,
  notebookText,
  textOf,
  withSettings,
  workspaceFolder,
  writeFile,
} from './support/executions';
import type { TestUser } from './support/test-user';
import { suiteOfCommands } from './support/suite';

const execute = (...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand('notebookExecutions.execute', ...args);
const THIS_MACHINE = 'This machine';

describe('notebookExecutions.execute', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never', 'files.autoSave': 'off' }, (parts) => {
    ({ service, user } = parts);
  });

  /** Asserts that the command shows this message, asks nothing before, and creates nothing. */
  async function refuses(uri: vscode.Uri, text: RegExp, button?: string): Promise<void> {
    const before = await allNames(service);
    await execute(uri);
    const message = await user.message(text);
    assert.equal(message.kind, 'error');
    if (button !== undefined) assert.ok(message.buttons.includes(button), message.buttons.join(' | '));
    assert.deepEqual(await allNames(service), before);
  }

  it('runs a notebook of the Explorer with the selected template', async () => {
    const uri = await writeFile('sums.ipynb', notebookText(['print(6 * 7)']));
    user.willPick((pick) => {
      assert.match(pick.title, /sums\.ipynb/);
      pick.choose(THIS_MACHINE);
    });
    const execution = await ended(service, await execute(uri));
    assert.equal(execution.state, 'SUCCEEDED');
    assert.equal(execution.runOptions?.source, uri.toString());
    assert.equal(execution.runOptions.templateName, THIS_MACHINE);
    assert.match(await textOf(service.readOutput(execution)), /42/);
  });

  it('runs the unsaved contents of the editor, and saves nothing', async () => {
    const uri = await writeFile(
      'edited.ipynb',
      notebookText(['print("old")', { source: '1', tags: ['keep'] }]),
    );
    const document = await vscode.workspace.openNotebookDocument(uri);
    await vscode.window.showNotebookDocument(document);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.cellAt(0).document.uri, new vscode.Range(0, 0, 1, 0), 'print("new " * 2)');
    await vscode.workspace.applyEdit(edit);
    await until('the edit is made', () => document.isDirty);
    user.willPick((pick) => {
      pick.choose(THIS_MACHINE);
    });
    // From the toolbar, with the arguments that a toolbar passes.
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
    user.willPick((pick) => {
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
    user.willPick((pick) => {
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
    user.willPick((pick) => {
      pick.choose(THIS_MACHINE);
    });
    await ended(service, await execute(uri));
    const text = await until(
      'the command has told',
      async () => (await fs.readFile(told, 'utf8').catch(() => '')) || undefined,
    );
    assert.equal(text.trim(), 'SUCCEEDED');
    await restore();
  });

  it('asks for a notebook of the workspace when none is open, with the example last', async () => {
    const uri = await writeFile('picked.ipynb', notebookText(['print("picked")']));
    await writeFile('.ipynb_checkpoints/picked-checkpoint.ipynb', notebookText(['1']));
    user.willPick(
      (pick) => {
        assert.equal(pick.title, 'Execute a Notebook Remotely');
        assert.equal(pick.labels.at(-1), 'Example Notebook');
        assert.ok(!pick.labels.includes('picked-checkpoint.ipynb'));
        assert.equal(pick.row('picked.ipynb').description, path.basename(path.dirname(uri.fsPath)));
        pick.choose('picked.ipynb');
      },
      (pick) => {
        pick.choose(THIS_MACHINE);
      },
    );
    const execution = await ended(service, await execute());
    assert.equal(execution.runOptions?.source, uri.toString());
    // The example opens and asks like any other notebook.
    user.willPick(
      (pick) => {
        pick.choose('Example Notebook');
      },
      (pick) => {
        assert.equal(pick.title, 'Execute dice.ipynb');
        pick.leave();
      },
    );
    await execute();
  });

  it('does not remember a submission that was refused', async () => {
    const metadata = { kernelspec: { name: 'cobol', display_name: 'COBOL', language: 'cobol' } };
    const uri = await writeFile('refused.ipynb', notebookText(['1'], metadata));
    const restore = await withSettings({
      'notebookExecutions.templates': [{ name: 'Refused', service: 'embedded' }],
    });
    user.willPick((pick) => {
      pick.choose('Refused');
    });
    await execute(uri);
    await user.message(/There is no kernel “cobol”/);
    // A remembered submission would be repeated without a question.
    user.willPick((pick) => {
      assert.notEqual(pick.active, 'Refused');
      pick.leave();
    });
    await vscode.commands.executeCommand('notebookExecutions.executeAgain', uri);
    await restore();
  });

  it('creates nothing when the pick is dismissed', async () => {
    const uri = await writeFile('left.ipynb', notebookText(['1']));
    const before = await allNames(service);
    user.willPick((pick) => {
      pick.leave();
    });
    assert.equal(await execute(uri), undefined);
    assert.deepEqual(await allNames(service), before);
    assert.deepEqual(user.shownProblems, []);
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
      it(`reports it: ${what}`, async () => {
        await refuses(await writeFile('broken.ipynb', text), message, 'Open File');
        assert.deepEqual(user.picks, []);
      });
    }

    it('opens it as text at the broken place', async () => {
      const uri = await writeFile('broken.ipynb', '{\n  "cells": [}');
      user.willPress(/is not valid JSON at line 2/, 'Open File');
      await execute(uri);
      const message = await user.message(/is not valid JSON at line 2/);
      assert.deepEqual(message.buttons, ['Open File'], 'the log says no more');
      const editor = await until('it is open', () => vscode.window.activeTextEditor);
      assert.equal(editor.document.uri.toString(), uri.toString());
      assert.equal(editor.selection.start.line, 1);
    });

    it('reports a missing kernelspec and language; one button runs it with Python', async () => {
      const uri = await writeFile('bare.ipynb', notebookText(['print("ran")'], {}));
      const before = await allNames(service);
      user.willPick((pick) => {
        pick.choose(THIS_MACHINE);
      });
      user.willPress(/bare\.ipynb does not say which kernel/, 'Execute with Python');
      await execute(uri);
      await user.message(/bare\.ipynb does not say which kernel/);
      const name = await until('it is there', async () =>
        (await allNames(service)).find((each) => !before.includes(each)),
      );
      assert.equal((await ended(service, name)).state, 'SUCCEEDED');
    });

    it('reports an unknown kernelspec, with the installed kernels', async () => {
      const metadata = { kernelspec: { name: 'cobol', display_name: 'COBOL', language: 'cobol' } };
      user.willPick((pick) => {
        pick.choose(THIS_MACHINE);
      });
      await refuses(
        await writeFile('cobol.ipynb', notebookText(['1'], metadata)),
        /There is no kernel “cobol”\. Kernels found: .*python3/,
        'Choose Kernel…',
      );
    });

    it('reports that it disappeared between pick and create', async () => {
      const uri = await writeFile('gone.ipynb', notebookText(['1']));
      user.willPick(async (pick) => {
        await vscode.workspace.fs.delete(uri);
        pick.choose(THIS_MACHINE);
      });
      await refuses(uri, /gone\.ipynb no longer exists/);
    });
  });
});
