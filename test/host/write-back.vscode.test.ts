import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { until } from '../support/until';
import { ended, notebookText, withSettings, workspaceFolder, writeFile } from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

describe('writing outputs back', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never', 'files.autoSave': 'off' }, (parts) => {
    ({ service, user } = parts);
  });

  const templates = [{ name: 'back', service: 'embedded', runOptions: { writeBack: true } }];
  let undo: () => Promise<void>;
  before(async () => {
    undo = await withSettings({ 'notebookExecutions.templates': templates });
  });
  after(async () => {
    await undo();
  });
  const back = (pick: { choose(label: string): void }): void => {
    pick.choose('back');
  };

  it('writes the outputs to the notebook', async () => {
    const uri = await writeFile('back.ipynb', notebookText(['print("kept")']));
    user.willPick(back);
    await ended(service, await run('execute', uri));
    await until('the outputs are in the file', async () =>
      (await fs.readFile(uri.fsPath, 'utf8')).includes('"kept\\n"'),
    );
    const { buttons } = await user.message(/^The outputs were written into back\.ipynb\.$/);
    assert.deepEqual(buttons, ['Open Notebook']);
  });

  it('writes the outputs to the file of an open notebook, and updates its editor', async () => {
    const uri = await writeFile('open.ipynb', notebookText(['print("kept")', 'print("too")']));
    const notebook = await vscode.workspace.openNotebookDocument(uri);
    await vscode.window.showNotebookDocument(notebook);
    user.willPick(back);
    await ended(service, await run('execute', uri));
    await until('the outputs are in the file', async () =>
      (await fs.readFile(uri.fsPath, 'utf8')).includes('"too\\n"'),
    );
    const { cells } = JSON.parse(await fs.readFile(uri.fsPath, 'utf8')) as {
      cells: { source: string | string[]; execution_count: number; outputs: { text: string }[] }[];
    };
    assert.deepEqual(
      cells.map((cell) => [
        [cell.source].flat().join(''),
        cell.execution_count,
        String(cell.outputs[0]?.text),
      ]),
      [
        ['print("kept")', 1, 'kept\n'],
        ['print("too")', 2, 'too\n'],
      ],
    );
    await until(
      'the outputs are on the screen, saved',
      () => notebook.getCells().every(({ outputs }) => outputs.length === 1) && !notebook.isDirty,
    );
  });

  it('never overwrites unsaved edits', async () => {
    const go = vscode.Uri.joinPath(workspaceFolder(), `go-${randomUUID()}`).fsPath;
    const text = notebookText([
      `import pathlib, time\nwhile not pathlib.Path(${JSON.stringify(go)}).exists(): time.sleep(0.05)\nprint("late")`,
    ]);
    const uri = await writeFile('dirty.ipynb', text);
    const notebook = await vscode.workspace.openNotebookDocument(uri);
    await vscode.window.showNotebookDocument(notebook);
    user.willPick(back);
    const name = await run('execute', uri);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(notebook.cellAt(0).document.uri, new vscode.Position(0, 0), '# mine\n');
    await vscode.workspace.applyEdit(edit);
    assert.ok(notebook.isDirty);
    await fs.writeFile(go, '');
    await ended(service, name);
    const told = await user.message(/dirty\.ipynb has been edited, or was never saved/);
    assert.deepEqual(told.buttons.slice(0, 1), ['Open Output']);
    assert.equal(await fs.readFile(uri.fsPath, 'utf8'), text);
    assert.match(notebook.cellAt(0).document.getText(), /^# mine/);
    assert.ok(notebook.isDirty);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('never overwrites edits made meanwhile', async () => {
    const uri = await writeFile('raced.ipynb', notebookText(['import time; time.sleep(1); print("late")']));
    user.willPick(back);
    const name = await run('execute', uri);
    const edited = notebookText(['# mine']);
    await fs.writeFile(uri.fsPath, edited);
    await ended(service, name);
    await user.message(/raced\.ipynb has been edited/);
    assert.equal(await fs.readFile(uri.fsPath, 'utf8'), edited);
  });
});
