import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace } from '../support/examples';
import { until } from '../support/until';
import type { VSCode } from '../support/vscode';
import type { Workbench } from '../support/workbench';
import { suiteOfWindow } from './suite';

describe('submission through the window', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
  });
  after(async () => {
    await removeWorkspace(workspace);
  });
  const templates = [
    { name: 'Long runs', service: 'embedded', runOptions: { timeout: 3600 } },
    { name: 'Broken', service: 'embedded', runOptions: { timout: 1 } },
    { name: 'Cloud', service: 'vertex', project: 'my-project', location: 'us-central1' },
  ];
  suiteOfWindow(
    () => Promise.resolve({ workspace, settings: { 'notebookExecutions.templates': templates } }),
    (parts) => {
      ({ vscode, window } = parts);
      window.expectError('There are no Google Cloud credentials.');
    },
  );

  /** Chooses a parameter, and waits until its input box has replaced the list. */
  async function edit(parameter: string): Promise<void> {
    await window.pick(parameter);
    await window.quickPickRow('Add Parameter…').waitFor({ state: 'hidden' });
  }

  it('asks for template, run options and parameters, and executes with them', async () => {
    const before = (await vscode.records()).length;
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

    await window.notebook().waitFor();
    // It may be outside the visible part.
    await window.outputs().getByText('Trained for 2 epochs').waitFor({ state: 'attached' });
    assert.deepEqual(
      (await vscode.records()).slice(before).map(({ state }) => state),
      ['SUCCEEDED'],
    );

    // Re-run Notebook repeats it immediately.
    await (await window.explorerFile('training.ipynb')).dblclick();
    await window.tab(/^training\.ipynb$/).waitFor();
    await window.screenshot('submission 6 toolbar');
    await window.notebookToolbar().getByText('Execute Remotely').waitFor();
    assert.equal(await window.notebookToolbar().getByText('Re-run Notebook').count(), 0, 'in the overflow');
    await window.chooseFromMenu(window.notebookToolbar().getByLabel('More Actions'), 'Re-run Notebook');
    await until('it was executed again', async () => {
      const states = (await vscode.records()).slice(before).map(({ state }) => state);
      return states.join() === 'SUCCEEDED,SUCCEEDED';
    });
    await window.tab('training.ipynb (output)').nth(1).waitFor();
  });

  it('shows what is wrong with a notebook, and starts nothing', async () => {
    const before = (await vscode.records()).length;
    await writeFile(
      path.join(workspace, 'aa [x](command:workbench.action.quit) $(bug).ipynb'),
      '{"cells": 1}',
    );
    const file = await window.explorerFile('aa [x]');
    await window.chooseFromContextMenu(file, 'Execute Remotely');
    const toast = window.notification(/is JSON, but not a notebook/).first();
    await toast.waitFor();
    await window.screenshot('submission 7 bad notebook');
    // Its name is plain text: no link, no icon.
    assert.equal(await toast.locator('.notification-list-item-message a').count(), 0);
    assert.equal((await vscode.records()).length, before);
  });

  it('filters the view, and shows the filter (notebookExecutions.filtering)', async () => {
    await window.openExecutions();
    await window.screenshot('submission 8 view');
    await window.runCommand('Notebook Executions: Filter Executions…');
    await window.quickPickRow('Failed').waitFor();
    await window.screenshot('submission 9 filter');
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
