import assert from 'node:assert/strict';
import { copyExamples, removeWorkspace } from '../support/examples';
import { MAIN_EXAMPLE } from '../support/main-job';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

describe('the keyboard alone', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
    // All editors are opened with the keyboard.
    const settings = { 'notebookExecutions.openOutput': 'never', 'notebookExecutions.notify': 'failures' };
    vscode = await VSCode.launch({ vsix: [await packagedExtension()], workspace, settings });
    window = await vscode.openWindow();
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
  });

  async function press(...keys: string[]): Promise<void> {
    for (const key of keys) await window.page.keyboard.press(key);
  }

  /** Runs a command from the palette. */
  async function command(title: string): Promise<void> {
    await press('F1');
    await window.page.locator('.quick-input-widget:visible').waitFor();
    await window.page.keyboard.type(title);
    // Enter accepts the first row: the palette must list this command before those with longer names.
    const first = window.page.locator('.quick-input-list .monaco-list-row').first();
    await until(`the palette offers ${title}`, async () => (await first.innerText()).startsWith(title));
    await press('Enter');
  }

  /** Moves the focus of the Explorer to a file. */
  async function focusFile(name: string): Promise<void> {
    await press('Control+Shift+E');
    const list = window.page.locator('.explorer-folders-view .monaco-list');
    await window.explorerFile(name);
    await press('Home');
    await until(`${name} has the focus`, async () => {
      const texts = await list.locator('.monaco-list-row.focused').allInnerTexts();
      if (texts.some((each) => each.includes(name))) return true;
      await press('ArrowDown');
      return false;
    });
  }

  /** Waits until this number of executions has succeeded. */
  function succeeded(count: number): Promise<unknown> {
    return until(`${String(count)} executions have succeeded`, async () => {
      const records = await vscode.records();
      return records.length === count && records.every(({ state }) => state === 'SUCCEEDED');
    });
  }

  it('does the main job: from the Explorer to the output', async () => {
    await focusFile(MAIN_EXAMPLE.notebook);
    await press('Enter');
    await window.notebookToolbar().getByText('Execute Remotely').waitFor();
    await command('Notebook Executions: Execute Remotely…');
    await window.quickPickRow('This machine').waitFor();
    await press('Enter');
    await succeeded(1);

    await command('Notebook Executions: Focus on Notebook Executions View');
    await window.execution('penguins succeeded').waitFor();
    // A view that is opened for the first time has no rows to focus yet, so focus the side bar.
    await press('Control+0');
    const focused = window.executionsPane().locator('.monaco-list-row.focused');
    await until('the execution has the focus', async () => {
      if (
        (await focused.count()) > 0 &&
        (await focused.getAttribute('aria-label'))?.startsWith('penguins succeeded') === true
      )
        return true;
      await press('ArrowDown');
      return false;
    });
    await press('Enter');
    await window
      .tab(/^penguins/)
      .nth(1)
      .waitFor();
    // The frame of the source remains, so check all frames.
    await until('the output is on the screen', async () => {
      const texts = window.page.frames().map((frame) => frame.getByText(MAIN_EXAMPLE.text));
      const visible = await Promise.all(texts.map((text) => text.isVisible().catch(() => false)));
      return visible.includes(true);
    });
  });

  it('repeats it with the shortcut of Re-run Notebook, wherever the focus is while a notebook is open', async () => {
    // Space opens without leaving the Explorer.
    await focusFile(MAIN_EXAMPLE.notebook);
    await press('Space');
    await press('Control+Alt+Enter');
    await succeeded(2);
    await press('Enter', 'Control+Alt+Enter');
    await succeeded(3);
    assert.deepEqual(await window.notifications(), []);
  });
});
