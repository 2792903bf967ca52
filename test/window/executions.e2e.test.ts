import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { doMainJob, executeFromExplorer } from '../support/main-job';
import { kill } from '../support/processes';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';
import { suiteOfWindow } from './suite';

/** Continues when a file `go` appears next to the notebook. */
const WAITS = [
  "print('it waits')",
  "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)",
  "print('it went on')",
];

describe('executions through the window', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'waits.ipynb'), WAITS);
    await writeNotebook(path.join(workspace, 'fails.ipynb'), ["print('before')", '1 / 0', "print('never')"]);
    await writeNotebook(path.join(workspace, 'endless.ipynb'), [
      "print('it runs')",
      'import time\ntime.sleep(3600)',
    ]);
  });
  after(async () => {
    await removeWorkspace(workspace);
  });
  suiteOfWindow(
    () => Promise.resolve({ workspace }),
    (parts) => {
      ({ vscode, window } = parts);
    },
  );

  it('runs a notebook from the right click to the opened output', async () => {
    const history = await doMainJob(vscode, window, async (name) => {
      await window.screenshot(`main job ${name}`);
    });
    assert.deepEqual(
      history.map(({ state }) => state),
      ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED'],
    );
    assert.deepEqual(await window.notifications(), []);
  });

  it('shows which cell of a notebook failed, and opens its output', async () => {
    await executeFromExplorer(window, 'fails.ipynb');
    await window.notification(/fails failed\. Cell 2 failed: ZeroDivisionError: division by zero/).waitFor();
    await window.openExecutions();
    await window.execution('fails failed').waitFor();
    await window.answerNotification(/fails failed/, 'Open Output');
    await window.notebook().waitFor();
    await window.outputs().getByText('before').waitFor();
    await window.outputs().getByText('ZeroDivisionError').first().waitFor();
    assert.equal(await window.outputs().getByText('never').count(), 0);
  });

  it('cancels a running notebook and keeps its outputs', async () => {
    await executeFromExplorer(window, 'endless.ipynb');
    await window.openExecutions();
    await window.execution('endless is running. 1 of 2 cells done.').waitFor();
    await window.chooseFromContextMenu(window.execution('endless is running'), 'Cancel');
    await window.execution('endless was cancelled').waitFor();
    await window.chooseFromContextMenu(window.execution('endless was cancelled'), 'Open Output');
    await window.outputs().getByText('it runs').waitFor();
  });

  it('shows the same executions in two windows and opens the output only where it was submitted', async () => {
    await rm(path.join(workspace, 'go'), { force: true });
    const one = window;
    const other = await vscode.openWindow();
    await other.openExecutions();
    await executeFromExplorer(one, 'waits.ipynb');
    await one.openExecutions();
    await one.execution('waits is running. 1 of 3 cells done.').waitFor();
    await other.execution('waits is running. 1 of 3 cells done.').waitFor();
    await writeFile(path.join(workspace, 'go'), '');
    await one.tab(/waits/).waitFor();
    await one.execution('waits succeeded').waitFor();
    await other.execution('waits succeeded').waitFor();
    assert.equal(await other.tab(/waits/).count(), 0);
    assert.deepEqual(await other.notifications(), []);
  });
});

describe('an execution without a window', () => {
  let workspace: string;
  let vscode: VSCode;
  const windows: Workbench[] = [];

  before(async () => {
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'waits.ipynb'), WAITS);
    vscode = await VSCode.launch({ vsix: [await packagedExtension()], workspace });
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      for (const [index, window] of windows.entries())
        await window.screenshot(`failed ${this.currentTest.title} ${String(index)}`).catch(() => undefined);
    }
  });

  async function openWindow(): Promise<Workbench> {
    const window = await vscode.openWindow();
    windows.push(window);
    return window;
  }

  it('finishes when the window and its extension host are gone, and a new window reports it once', async () => {
    const first = await openWindow();
    await executeFromExplorer(first, 'waits.ipynb');
    await first.openExecutions();
    await first.execution('waits is running. 1 of 3 cells done.').waitFor();
    const [host] = vscode.extensionHostPids();
    await first.close();
    assert.ok(host !== undefined);
    kill(host);
    await until('the extension host is gone', () => !vscode.extensionHostPids().includes(host));

    await writeFile(path.join(workspace, 'go'), '');
    await until('the execution has ended', async () => (await vscode.records()).at(0)?.state === 'SUCCEEDED');

    const second = await openWindow();
    await second.tab(/waits/).waitFor();
    await second.outputs().getByText('it went on').waitFor();

    const third = await openWindow();
    await third.openExecutions();
    await third.execution('waits succeeded').waitFor();
    assert.equal(await third.tab(/waits/).count(), 0);
    assert.deepEqual(await third.notifications(), []);
  });
});
