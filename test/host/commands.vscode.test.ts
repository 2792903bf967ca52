import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { until } from '../support/until';
import { allNames, ended, notebookText, withSettings, writeFile } from './support/executions';
import type { TestUser } from './support/test-user';
import { type OpenPick } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

describe('commands on executions', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands(
    { 'notebookExecutions.openOutput': 'never', 'notebookExecutions.notify': 'failures' },
    (parts) => {
      ({ service, user } = parts);
    },
  );

  const submit = async (name: string, ...cells: string[]): Promise<string> => {
    user.willPick((pick) => {
      pick.choose('This machine');
    });
    const created = await run('execute', await writeFile(`${name}.ipynb`, notebookText(cells)));
    assert.equal(typeof created, 'string');
    return String(created);
  };
  /** Selects the newest execution of a notebook. */
  const pickFirst =
    (name: string) =>
    (pick: OpenPick): void => {
      assert.ok(pick.labels.includes(name), pick.labels.join(' | '));
      pick.choose(name);
    };
  const isGone = async (name: string): Promise<boolean> => !(await allNames(service)).includes(name);

  it('cancel cancels a running one, and is offered for no other state', async () => {
    const done = await submit('done-before', '1');
    await ended(service, done);
    const name = await submit('endless', 'import time\nwhile True: time.sleep(0.1)');
    await run('refresh');
    user.willPick((pick) => {
      assert.deepEqual(pick.labels, ['endless']);
      pick.choose('endless');
    });
    await run('cancel');
    assert.equal((await ended(service, name)).state, 'CANCELLED');
    await run('refresh');
    await run('cancel');
    await user.message(
      /^Only an execution that is running or waiting can be cancelled\. There is none now\.$/,
    );
  });

  it('openOutput and openInput open read-only notebooks', async () => {
    await ended(service, await submit('opened', 'print("shown")'));
    await run('refresh');
    user.willPick(pickFirst('opened'), pickFirst('opened'));
    await run('openOutput');
    const output = vscode.window.activeNotebookEditor?.notebook;
    assert.equal(output?.uri.scheme, 'notebook-execution');
    const item = output.cellAt(0).outputs.flatMap(({ items }) => items)[0];
    assert.equal(new TextDecoder().decode(item?.data).trim(), 'shown');
    await run('openInput');
    const input = vscode.window.activeNotebookEditor?.notebook;
    assert.notEqual(input?.uri.toString(), output.uri.toString());
    assert.equal(input?.cellAt(0).outputs.length, 0);
  });

  it('does not execute an output document: it asks for a notebook', async () => {
    await ended(service, await submit('not-twice', '1'));
    await run('refresh');
    user.willPick(pickFirst('not-twice'));
    await run('openOutput');
    user.willPick((pick) => {
      assert.equal(pick.title, 'Execute a Notebook Remotely');
      pick.leave();
    });
    await run('execute');
  });

  it('copyName copies the resource name', async () => {
    const name = await submit('copied', '1');
    await ended(service, name);
    await run('refresh');
    user.willPick(pickFirst('copied'));
    await run('copyName');
    assert.equal(await vscode.env.clipboard.readText(), name);
  });

  it('showLog and showExtensionLog open output channels', async () => {
    await ended(service, await submit('logged', '1'));
    await run('refresh');
    user.willPick(pickFirst('logged'));
    await run('showLog');
    await run('showExtensionLog');
    assert.deepEqual(user.shownProblems, []);
  });

  it('delete removes one after the time to undo it; undo restores it', async () => {
    const name = await submit('deleted', '1');
    await ended(service, name);
    await run('refresh');
    user.willPress(/Deleted the execution of deleted/, 'Undo');
    user.willPick(pickFirst('deleted'));
    await run('delete');
    await user.message(/Deleted the execution of deleted/);
    // Undo takes a moment; then it is back and can be selected again.
    const found: boolean[] = [];
    while (!found.includes(true)) {
      user.willPick((pick) => {
        found.push(pick.labels.includes('deleted'));
        if (found.includes(true)) pick.choose('deleted');
        else pick.leave();
      });
      await run('delete');
    }
    const deadline = Date.now() + 100_000;
    while (!(await isGone(name))) {
      assert.ok(Date.now() < deadline);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });

  it('delete asks first when it is running', async () => {
    const beside = await submit('beside', '1');
    await ended(service, beside);
    const name = await submit('busy', 'import time\nwhile True: time.sleep(0.1)');
    await run('refresh');
    user.willPick(pickFirst('busy'));
    await run('delete');
    const question = await user.message(/busy is still running/);
    assert.equal(question.modal, true);
    user.willPick((pick) => {
      pick.choose('busy', 'beside');
    });
    await run('delete');
    await user.message(/^1 of the 2 executions is still running\. Cancel it, and delete them all\?$/);
    assert.equal(await isGone(beside), false);
    assert.equal(await isGone(name), false);
    user.willPick(pickFirst('busy'));
    await run('cancel');
    await ended(service, name);
  });

  it('executeFolder and a selection execute each notebook, after one confirmation with the count', async () => {
    const one = await writeFile('one.ipynb', notebookText(['1']));
    const folder = vscode.Uri.joinPath(one, '..');
    const two = vscode.Uri.joinPath(folder, 'sub', 'two.ipynb');
    const bad = vscode.Uri.joinPath(folder, 'zbad.ipynb');
    await vscode.workspace.fs.writeFile(two, new TextEncoder().encode(notebookText(['2'])));
    await vscode.workspace.fs.writeFile(bad, new TextEncoder().encode('no'));
    const thisMachine = (pick: OpenPick): void => {
      pick.choose('This machine');
    };
    const before = await allNames(service);
    user.willPick(thisMachine);
    await run('execute', one, [one, two]);
    const question = await user.message(/Execute 2 notebooks with the template “This machine”/);
    assert.equal(question.modal, true);
    assert.match(question.detail ?? '', /one\.ipynb.*two\.ipynb.*\n\nParameters are not asked for/s);
    assert.deepEqual(await allNames(service), before);

    user.willPick(thisMachine);
    user.willPress(/Execute 2 notebooks/, 'Execute');
    const created = await run('execute', one, [one, two]);
    assert.ok(Array.isArray(created) && created.length === 2);
    for (const name of created) await ended(service, name);
    // Each notebook remembers its own last submission: no prompt is shown.
    await ended(service, await run('executeAgain', two));

    user.willPick(thisMachine);
    user.willPress(/Execute 3 notebooks/, 'Execute');
    await run('executeFolder', folder);
    await user.message(
      /^1 of 3 notebooks were not executed: zbad\.ipynb\. The first: zbad\.ipynb is not a notebook/,
    );
    assert.equal((await allNames(service)).length, before.length + 5);
  });

  it('shows names of notebooks as text in one line in prompts and messages', async () => {
    const name = 'a"b\'\n<b>$(trash)\u202eאבג';
    const plain = '\u2068a"b\' <b>$(trash)אבג';
    const one = await writeFile(`${name}.ipynb`, notebookText(['1']));
    const bad = vscode.Uri.joinPath(one, '..', `bad ${name}.ipynb`);
    await vscode.workspace.fs.writeFile(bad, new TextEncoder().encode('no'));
    const undo = await withSettings({
      'notebookExecutions.templates': [{ name: `T${name}`, service: 'embedded' }],
    });
    user.willPick((pick) => {
      assert.equal(pick.title, `Execute ${plain}.ipynb\u2069`);
      assert.ok(pick.labels.includes('\u2068Ta"b\' <b>\\$(trash)אבג\u2069'), pick.labels.join());
      pick.choose('This machine');
    });
    await ended(service, await run('execute', one));
    user.willPick((pick) => {
      pick.choose('\u2068Ta"b\' <b>\\$(trash)אבג\u2069');
    });
    await run('execute', one, [one, bad]);
    const { text, detail = '' } = await user.message(/Execute 2 notebooks/);
    await undo();
    assert.ok(text.endsWith('“\u2068Ta"b\' <b>$(trash)אבג\u2069”?'), text);
    assert.equal(detail.split('\n').length, 4, detail);
    assert.ok(!detail.includes('\u202e'));
    await run('execute', bad);
    await user.message(/^\u2068bad a"b' <b>\$\(trash\)אבג\.ipynb\u2069 is not a notebook/);
    await run('refresh');
    user.willPick((pick) => {
      const label = plain.replace('$', '\\$') + '\u2069';
      assert.ok(pick.labels.includes(label), pick.labels.join());
    });
    await run('openOutput');
  });

  it('compareWithInput, compareOutputs and openSourceCell show documents side by side', async () => {
    await ended(service, await submit('compared', 'print(1)', '1/0'));
    await ended(service, await submit('compared', 'print(2)'));
    await run('refresh');
    user.willPick((pick) => {
      pick.choose('compared');
    });
    await run('compareWithInput');
    await until('both are shown', () => activeTitle().includes('compared: Input and Output'));
    user.willPick((pick) => {
      const both = pick.rows.filter(({ label }) => label === 'compared');
      assert.equal(both.length, 2);
      pick.chooseAll('compared');
    });
    await run('compareOutputs');
    await until('both are shown', () => activeTitle().includes('compared: Two Executions'));
    user.willPick(pickFirst('compared'), pickFirst('compared'));
    await run('openSourceCell');
    await until('the cell is selected', () => selectedCell() === 1);
    assert.equal(vscode.window.activeNotebookEditor?.notebook.notebookType, 'jupyter-notebook');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await run('openFailedCell');
    await until('the cell is selected', () => selectedCell() === 1);
    await run('compareOutputs', { kind: 'nothing' });
  });

  it('groupBy, sortBy, filter and clearFilter arrange the view', async () => {
    user.willPick(
      (pick) => {
        pick.choose('By Notebook');
      },
      (pick) => {
        assert.equal(pick.row('By Notebook').description, 'current');
        pick.choose('By State');
      },
      (pick) => {
        pick.choose('By Name');
      },
      (pick) => {
        pick.type('no such thing');
        pick.choose('Failed');
      },
    );
    await vscode.commands.executeCommand('notebookExecutions.explorer.focus');
    await run('groupBy');
    await run('groupBy');
    await run('sortBy');
    await run('filter');
    await run('clearFilter');
    user.willPick((pick) => {
      pick.choose('Newest First');
    });
    await run('sortBy');
    await run('loadMore');
    await run('openCell');
  });

  it('saveOutputAs, download and revealOutput ask what and where', async () => {
    await ended(service, await submit('saved', 'print("downloaded")'));
    await run('refresh');
    const folder = vscode.Uri.joinPath(await writeFile('x', ''), '..');
    user.willOpen(folder);
    user.willPick(pickFirst('saved'));
    await run('download');
    const [file] = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, '*.ipynb'));
    assert.ok(file);
    assert.match(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)), /downloaded/);
    const target = vscode.Uri.joinPath(folder, 'elsewhere.ipynb');
    user.willOpen(target);
    user.willPick(pickFirst('saved'), pickFirst('saved'));
    await run('saveOutputAs');
    assert.match(new TextDecoder().decode(await vscode.workspace.fs.readFile(target)), /downloaded/);
    await run('revealOutput');
    assert.match(await vscode.env.clipboard.readText(), /\.ipynb$/);
  });
});

function activeTitle(): string {
  return vscode.window.tabGroups.activeTabGroup.activeTab?.label ?? '';
}

function selectedCell(): number | undefined {
  return vscode.window.activeNotebookEditor?.selection.start;
}
