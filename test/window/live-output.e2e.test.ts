import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { executeFromExplorer } from '../support/main-job';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

const FILL = "print('\\n'.join(map(str, range(25))))";
/** Continues when a file of this name appears next to the notebook. */
const waitFor = (name: string) =>
  `import pathlib, time\nwhile not pathlib.Path('${name}').exists(): time.sleep(0.05)\nprint('${name} is there')`;

describe('the output of a running execution', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'live.ipynb'), [
      FILL,
      waitFor('one'),
      FILL,
      FILL,
      waitFor('two'),
      FILL,
      waitFor('three'),
      '1 / 0',
    ]);
    await writeNotebook(path.join(workspace, 'endless.ipynb'), ["print('it runs')", waitFor('never')]);
    const settings = { 'notebookExecutions.maxConcurrentExecutions': 2 };
    vscode = await VSCode.launch({ vsix: [await packagedExtension()], workspace, settings });
    window = await vscode.openWindow();
    window.expectError('live failed. Cell 8 failed: ZeroDivisionError');
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await window.screenshot(`failed ${this.currentTest.title}`);
  });

  /** The native status icons of cells on the screen: `success`, `error`, `executing`. */
  const signs = (state: string) =>
    window.notebook().locator(`.cell-statusbar-container .codicon-notebook-state-${state}`);

  /** Whether a cell with this text is on the screen. */
  const onScreen = async (text: string) =>
    (await window.notebook().locator('.monaco-list-row', { hasText: text }).count()) > 0;

  it('shows the running cell, scrolls with it while the output is visible, and ends with ticks, a cross and times', async () => {
    await executeFromExplorer(window, 'live.ipynb');
    await window.openExecutions();
    const running = window.execution('live is running. 1 of 8 cells done.');
    await running.waitFor();
    await running.click();
    await window.tab(/live.*output/).waitFor();
    await signs('executing').waitFor();
    await window.screenshot('live output');
    await writeFile(path.join(workspace, 'one'), '');
    await until('the cell that runs now is in view', async () => {
      return (await onScreen("'two'")) && (await signs('executing').count()) === 1;
    });
    await window.screenshot('live output followed');

    await window.notebook().hover();
    // Scrolls more than once, because rendering may move the view.
    let atTop = 0;
    await until('the user is at the top', async () => {
      await window.page.mouse.wheel(0, -2000);
      atTop = (await onScreen("'one'")) && (await signs('executing').count()) === 0 ? atTop + 1 : 0;
      return atTop === 5;
    });
    await writeFile(path.join(workspace, 'two'), '');
    await window.execution('live is running. 6 of 8 cells done.').waitFor();
    await writeFile(path.join(workspace, 'three'), '');
    await window.execution('live failed').waitFor();
    await until('no cell runs any more', async () => (await signs('executing').count()) === 0);
    assert.ok(await onScreen("'one'"), 'the view has stayed where the user was');
    await signs('success').first().waitFor();

    await until('the user is at the end', async () => {
      await window.page.mouse.wheel(0, 2000);
      return (await signs('error').count()) === 1;
    });
    await window.screenshot('live output failed');
    assert.equal(await window.page.locator('.tab.dirty').count(), 0);
  });

  it('keeps running when it is closed, and the stop button of a cell cancels it', async () => {
    await executeFromExplorer(window, 'endless.ipynb');
    await window.openExecutions();
    const running = window.execution('endless is running. 1 of 2 cells done.');
    await running.waitFor();
    await running.click();
    await signs('executing').waitFor();
    await window.runCommand('View: Close All Editors');

    // The source shows it, too.
    const file = await window.explorerFile('endless.ipynb');
    await file.dblclick();
    await window
      .notebook()
      .getByText(/running \d/)
      .waitFor();
    await file.locator('.monaco-icon-label[aria-label*="Notebook execution: Running"]').waitFor();
    await window.page.locator('.statusbar-item', { hasText: /endless 1\/2 cells · \d/ }).waitFor();
    await window.screenshot('live source');
    await window.runCommand('View: Close All Editors');
    await window.openExecutions();
    await running.click();
    await signs('executing').waitFor();
    assert.equal(
      (await vscode.records()).find(({ state }) => state === 'CANCELLED'),
      undefined,
    );
    const stop = window.notebook().locator('.run-button-container .codicon-notebook-stop');
    // A cell ignores clicks while it is rendered.
    await until('the execution is cancelled', async () => {
      if (await stop.isVisible()) await stop.click({ timeout: 5000 }).catch(() => undefined);
      return (await vscode.records()).some(({ cancelTime }) => cancelTime !== undefined);
    });
    await window.execution('endless was cancelled').waitFor();
    await until('no cell runs any more', async () => (await signs('executing').count()) === 0);
  });

  it('marks the failed cell of the source notebook, and opens the output at it', async () => {
    const file = await window.explorerFile('live.ipynb');
    await file.dblclick();
    await file.locator('.monaco-icon-label[aria-label*="The last notebook execution failed"]').waitFor();
    await window.notebook().hover();
    const failure = window.notebook().getByText('ZeroDivisionError');
    await until('the cell is on the screen', async () => {
      await window.page.mouse.wheel(0, 2000);
      return failure.isVisible();
    });
    await window.screenshot('live source failed');
    await failure.click();
    await window.tab(/live.*output/).waitFor();
    await window.page.locator('.statusbar-item', { hasText: 'Cell 8 of 8' }).waitFor();
  });

  it('is compared with its input by results, ignoring values that differ in every run', async () => {
    await window.runCommand('View: Close All Editors');
    await window.openExecutions();
    await window.chooseFromContextMenu(window.execution('live failed'), 'Compare Output with Input');
    const diff = window.page.locator('.notebook-text-diff-editor');
    await diff.getByText('Outputs changed').first().waitFor();
    await window.screenshot('live compared');
    assert.equal(await diff.getByText('Metadata changed').count(), 0);
    await window.runCommand('View: Close All Editors');
  });

  it('marks the cell from which parameters are read', async () => {
    await (await window.explorerFile('training.ipynb')).dblclick();
    await window.tab(/^training\.ipynb$/).waitFor();
    const mark = window.notebook().locator('.cell-status-item', { hasText: /^\s*Parameters$/ });
    await mark.waitFor();
    await window.screenshot('live parameters mark');
    await mark.click();
    await mark.waitFor({ state: 'detached' });
  });
});
