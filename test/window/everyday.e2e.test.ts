import assert from 'node:assert/strict';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import * as path from 'node:path';
import type { Locator } from 'playwright-core';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { ROOT } from '../support/paths';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

/** Performs user actions, and counts clicks, keys and typed words. */
class Hands {
  count = 0;

  constructor(private readonly window: Workbench) {}

  async click(target: Locator, options: Parameters<Locator['click']>[0] = {}): Promise<void> {
    this.count++;
    await target.click(options);
  }

  async press(key: string): Promise<void> {
    this.count++;
    await this.window.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    this.count++;
    await this.window.page.keyboard.type(text);
  }

  /** Uses a context menu: the right click and the entry. */
  async chooseFromContextMenu(target: Locator, entry: string): Promise<void> {
    this.count += 2;
    await this.window.chooseFromContextMenu(target, entry);
  }

  /** Uses the menu of a button: the button and the entry. */
  async chooseFromMenu(button: Locator, entry: string): Promise<void> {
    this.count += 2;
    await this.window.chooseFromMenu(button, entry);
  }
}

/** The numbers are in docs/everyday.md. */
describe('the ten most frequent tasks, in steps', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;
  let hands: Hands;

  before(async () => {
    workspace = await copyExamples();
    const file = (...parts: string[]): string => path.join(workspace, ...parts);
    await writeNotebook(file('report.ipynb'), ["print('a report')"]);
    await writeNotebook(file('fails.ipynb'), ['ax']);
    await writeNotebook(file('endless.ipynb'), ["print('it runs')", 'import time\ntime.sleep(3600)']);
    await copyFile(path.join(ROOT, 'media/walkthrough/dice.ipynb'), file('dice.ipynb'));
    await mkdir(file('reports'));
    for (const month of ['may', 'june']) await writeNotebook(file('reports', `${month}.ipynb`), ['1']);
    await rm(file('training.ipynb'));
    vscode = await VSCode.launch({ vsix: [await packagedExtension()], workspace });
    window = await vscode.openWindow();
    window.expectError('fails failed');
  });
  beforeEach(() => {
    hands = new Hands(window);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
    else await window.runCommand('View: Close All Editors');
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
  });

  const open = async (notebook: string): Promise<void> => {
    await (await window.explorerFile(notebook)).dblclick();
    await window.notebookToolbar().getByText('Execute Remotely').waitFor();
    // Keys go to the notebook only when it has the focus.
    await window.notebook().locator(':focus').waitFor({ state: 'attached' });
  };
  const ended = (count: number) =>
    until(`${String(count)} executions have ended`, async () => {
      const states = (await vscode.records()).map(({ state }) => state);
      return states.length === count && states.every((state) => /SUCCEEDED|FAILED|CANCELLED/.test(state));
    });

  it('execute, and open the output: two, or none when it opens by itself', async () => {
    await open('report.ipynb');
    await hands.click(window.notebookToolbar().getByText('Execute Remotely'));
    await window.quickPickRow('This machine').waitFor();
    await hands.press('Enter');
    await window.tab('report.ipynb (output)').waitFor();
    assert.equal(hands.count, 2);
  });

  it('execute again with the same settings: one', async () => {
    await open('report.ipynb');
    await hands.press('Control+Alt+Enter');
    await window.tab('report.ipynb (output)').waitFor();
    await ended(2);
    assert.equal(hands.count, 1);
  });

  it('execute with one changed parameter: six', async () => {
    await open('dice.ipynb');
    await hands.click(window.notebookToolbar().getByText('Execute Remotely'));
    await window.quickPickRow('This machine').waitFor();
    await hands.press('Enter');
    await hands.click(window.quickPickRow('throws').first());
    await window.quickPickRow('Add Parameter…').waitFor({ state: 'hidden' });
    await hands.type('50');
    await hands.press('Enter');
    await window.quickPickRow('with 1 parameter set').waitFor();
    await hands.press('Enter');
    await window.tab('dice.ipynb (output)').waitFor();
    const parameters = (await vscode.records()).at(-1)?.executionTemplate.parameters;
    assert.equal(parameters, '{"throws":50}');
    assert.equal(hands.count, 6);
  });

  it('see why it failed: one; fix it and run it again: four', async () => {
    await open('fails.ipynb');
    await window.notebookToolbar().getByText('Execute Remotely').click();
    await window.pick('This machine');
    const toast = window.notification('fails failed').first();
    await hands.click(toast.getByRole('button', { name: 'Open Output' }));
    await until('the traceback is on the screen', async () => {
      // Closed notebooks leave frames behind.
      const texts = window.page.frames().map((frame) => frame.getByText('NameError').first());
      return (await Promise.all(texts.map((text) => text.isVisible().catch(() => false)))).includes(true);
    });
    assert.equal(hands.count, 1);

    hands = new Hands(window);
    await hands.click(window.notebookToolbar().getByText('Open Notebook'));
    await window.notebookToolbar().getByText('Execute Remotely').waitFor();
    await hands.press('Enter');
    await window.notebook().locator('.code-cell-row .monaco-editor.focused').waitFor();
    // The name is `max`.
    await hands.type('m');
    await hands.press('Control+Alt+Enter');
    await ended(5);
    assert.equal((await vscode.records()).at(-1)?.state, 'SUCCEEDED');
    assert.equal(hands.count, 4);
    await window.runCommand('File: Save All');
  });

  it('compare two outputs: four', async () => {
    await window.openExecutions();
    const rows = window.execution('report succeeded');
    await rows.nth(1).waitFor();
    await hands.click(rows.first());
    await hands.click(rows.nth(1), { modifiers: ['Control'] });
    await hands.chooseFromContextMenu(rows.nth(1), 'Compare Outputs');
    await window.page.locator('.notebook-text-diff-editor').waitFor();
    assert.equal(hands.count, 4);
  });

  it('cancel: one', async () => {
    await open('endless.ipynb');
    await window.notebookToolbar().getByText('Execute Remotely').click();
    await window.pick('This machine');
    await window.openExecutions();
    const row = window.execution('endless is running. 1 of 2 cells done.');
    await row.hover();
    await hands.click(row.locator('.action-label.codicon-debug-stop'));
    await window.execution('endless was cancelled').waitFor();
    assert.equal(hands.count, 1);
  });

  it('find one of another day: three, or three words and keys; open it: one', async () => {
    await window.openExecutions();
    const more = window.page.locator('.sidebar .composite.title .codicon-toolbar-more');
    await hands.chooseFromMenu(more, 'Group Executions By…');
    await hands.click(window.quickPickRow('By Day'));
    await window.executionRow('Today').waitFor();
    assert.equal(hands.count, 3);
    await window.runCommand('Notebook Executions: Group Executions By…');
    await window.pick('By State');

    hands = new Hands(window);
    await hands.click(window.page.locator('.sidebar .composite.title .codicon-filter'));
    await window.quickPickRow('Failed').waitFor();
    await hands.type('dice');
    await hands.press('Enter');
    await window.executionsPane().getByText('Filter: “dice”').waitFor();
    assert.equal(hands.count, 3);
    await window.screenshot('everyday 1 filter');

    hands = new Hands(window);
    await hands.click(window.execution('dice succeeded'));
    await window.tab('dice.ipynb (output)').waitFor();
    assert.equal(hands.count, 1);
    await window.runCommand('Notebook Executions: Clear Executions Filter');
  });

  it('run a folder: four', async () => {
    const before = (await vscode.records()).length;
    await hands.chooseFromContextMenu(await window.explorerFile('reports'), 'Execute Whole Folder Remotely…');
    await window.quickPickRow('This machine').waitFor();
    await hands.press('Enter');
    await window.page.locator('.monaco-dialog-box').waitFor();
    await hands.press('Enter');
    await window.notification('2 executions succeeded.').waitFor({ timeout: 90_000 });
    await ended(before + 2);
    assert.equal(hands.count, 4);
  });

  it('delete one: one, several: a key each, all old ones: four', async () => {
    await window.openExecutions();
    const row = window.execution('may succeeded');
    await row.hover();
    await hands.click(row.locator('.action-label.codicon-trash'));
    await row.waitFor({ state: 'detached' });
    assert.equal(hands.count, 1);

    // The row after the deleted one takes the focus.
    const focused = window.executionsPane().locator('.monaco-list-row.focused');
    await window.execution('june succeeded').click();
    await window.tab('june.ipynb (output)').waitFor();
    const list = window.executionsPane().locator('.monaco-list');
    await until('the view has the keyboard', async () => {
      await window.runCommand('Notebook Executions: Focus on Notebook Executions View');
      return (await list.and(window.page.locator(':focus')).count()) > 0;
    });
    hands = new Hands(window);
    for (const count of [1, 2]) {
      const label = await focused.getAttribute('aria-label');
      const rows = (await window.executionRows()).length;
      await hands.press('Delete');
      await until('it is gone, and another has the focus', async () => {
        if ((await window.executionRows()).length !== rows - 1 || (await focused.count()) === 0) return false;
        return (await focused.getAttribute('aria-label')) !== label;
      });
      assert.equal(hands.count, count);
    }

    hands = new Hands(window);
    await hands.chooseFromContextMenu(window.executionRow('This machine'), 'Clean Up Executions…');
    await window.quickPickRow('All finished executions').waitFor();
    await hands.press('Enter');
    await window.page.locator('.monaco-dialog-box').waitFor();
    await hands.press('Enter');
    await window.executionsPane().getByText('No notebook has been executed yet.').waitFor();
    assert.equal(hands.count, 4);
  });
});
