import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace } from '../support/examples';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

describe('submission through the window', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  beforeEach(async () => {
    workspace = await copyExamples();
    const templates = [
      { name: 'Long runs', service: 'embedded', runOptions: { timeout: 3600 } },
      { name: 'Broken', service: 'embedded', runOptions: { timout: 1 } },
      { name: 'Cloud', service: 'vertex', project: 'my-project', location: 'us-central1' },
    ];
    vscode = await VSCode.launch({
      vsix: [await packagedExtension()],
      workspace,
      settings: { 'notebookExecutions.templates': templates },
    });
    window = await vscode.openWindow();
    window.expectError('There are no Google Cloud credentials.');
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);

    await vscode.stop();
    await removeWorkspace(workspace);
  });

  /** Chooses a parameter, and waits until its question has taken the place of the list. */
  async function edit(parameter: string): Promise<void> {
    await window.pick(parameter);
    await window.quickPickRow('Add Parameter…').waitFor({ state: 'hidden' });
  }

  it('asks for template, run options and parameters, and executes with them', async () => {
    await window.chooseFromContextMenu(await window.explorerFile('training.ipynb'), 'Execute Remotely');
    await window.quickPickRow('Long runs').waitFor();
    await window.screenshot('submission 1 template');
    assert.match(await window.quickPickRow('Broken').innerText(), /did you mean “timeout”/);

    // The gear of a row.
    await window.quickPickRow('Long runs').hover();
    await window.quickPickRow('Long runs').locator('.action-label.codicon-settings-gear').click();
    await window.quickPickRow('Use These Options').waitFor();
    await window.screenshot('submission 2 run options');
    await window.pick('Use These Options');

    await window.quickPickRow('seconds_per_epoch').waitFor();
    await window.screenshot('submission 3 parameters');
    await edit('epochs');
    await window.page.locator('.quick-input-widget .quick-input-box input').fill('many');
    await window.page.getByText('Must be a whole number.').waitFor();
    await window.screenshot('submission 4 value');
    await window.enter('2');
    await edit('seconds_per_epoch');
    await window.enter('0.2');
    await edit('optimizer');
    await window.pick('momentum');
    await window.quickPickRow('with 3 parameters set').waitFor();
    await window.screenshot('submission 5 changed');
    await window.pick('Execute');

    await window.notebook().waitFor({ timeout: 60_000 });
    // It may lie below what is on the screen.
    await window.outputs().getByText('Trained for 2 epochs').waitFor({ state: 'attached' });
    const [record] = await vscode.records();
    assert.equal(record?.state, 'SUCCEEDED');

    // Re-run Notebook repeats it at once.
    await (await window.explorerFile('training.ipynb')).dblclick();
    await window.tab(/^training\.ipynb$/).waitFor();
    await window.screenshot('submission 6 toolbar');
    await window.notebookToolbar().getByText('Execute Remotely').waitFor();
    assert.equal(await window.notebookToolbar().getByText('Re-run Notebook').count(), 0, 'in the overflow');
    await window.chooseFromMenu(window.notebookToolbar().getByLabel('More Actions'), 'Re-run Notebook');
    const both = await until('it was executed again', async () => {
      const records = await vscode.records();
      return records.length === 2 && records.every(({ state }) => state === 'SUCCEEDED')
        ? records
        : undefined;
    });
    assert.equal(both.length, 2);
  });

  it('tells what is wrong with a notebook, with nothing started', async () => {
    await writeFile(
      path.join(workspace, 'aa [x](command:workbench.action.quit) $(bug).ipynb'),
      '{"cells": 1}',
    );
    const file = await window.explorerFile('aa [x]');
    await window.chooseFromContextMenu(file, 'Execute Remotely');
    const toast = window.notification(/is JSON, but not a notebook/).first();
    await toast.waitFor();
    await window.screenshot('submission 7 bad notebook');
    // Its name is text: no link, no icon.
    assert.equal(await toast.locator('.notification-list-item-message a').count(), 0);
    assert.equal((await vscode.records()).length, 0);
  });

  it('executes nothing in a workspace that is not trusted', async () => {
    await vscode.stop();
    vscode = await VSCode.launch({
      vsix: [await packagedExtension()],
      workspace,
      workspaceTrust: true,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
    });
    window = await vscode.openWindow();
    await window.chooseFromContextMenu(await window.explorerFile('penguins.ipynb'), 'Execute Remotely');
    await window
      .notification(/only be executed in trusted workspaces/)
      .first()
      .waitFor();
    await window.openExecutions();
    await window.screenshot('submission 8 not trusted');
    assert.equal((await vscode.records()).length, 0);
    assert.ok(!(await readFile(path.join(workspace, 'penguins.ipynb'), 'utf8')).includes('120 penguins'));
  });

  it('filters the view, and says what is filtered (notebookExecutions.filtering)', async () => {
    await window.openExecutions();
    await window.screenshot('submission 9 empty view');
    await window.runCommand('Notebook Executions: Filter Executions…');
    await window.quickPickRow('Failed').waitFor();
    await window.screenshot('submission 10 filter');
    await window.enter('nothing like it');
    assert.ok(
      (await window.commandsFor('Clear Executions Filter')).some((label) =>
        label.includes('Clear Executions Filter'),
      ),
    );
    await window.runCommand('Notebook Executions: Clear Executions Filter');
    await until('the command is gone', async () =>
      (await window.commandsFor('Notebook Executions: ')).every(
        (label) => !label.includes('Clear Executions Filter'),
      ),
    );
  });
});
