import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { executeFromExplorer } from '../support/main-job';
import { NEIGHBOURS, packageSmallExtension } from '../support/small-extension';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

describe('an output next to a kernel of the Jupyter extension', () => {
  let folder: string;
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'nbx-neighbours-'));
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'answer.ipynb'), ['print(6 * 7)']);
    const vsix = [await packagedExtension()];
    for (const neighbour of NEIGHBOURS) vsix.push(await packageSmallExtension(neighbour, folder));
    vscode = await VSCode.launch({ vsix, workspace });
    window = await vscode.openWindow();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await window.screenshot(`failed ${this.currentTest.title}`);
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
    await rm(folder, { recursive: true, force: true });
  });

  const kernel = (name: string) => window.notebookToolbar().getByText(name, { exact: true });
  const numbers = () => window.notebook().locator('.execution-count-label').allInnerTexts();

  it('is read-only: its cells cannot be run, and keep their numbers and results', async () => {
    await executeFromExplorer(window, 'answer.ipynb');
    await window.tab('answer.ipynb (output)').waitFor();
    await window.outputs().getByText('42').waitFor();
    await kernel('Read-Only').waitFor();
    await window.screenshot('output beside Jupyter');
    await window.notebookToolbar().getByText('Run All').click();
    await window.notification('Nothing was run').waitFor();
    await until('its cells are numbered', async () => (await numbers()).join() === '[1]');
    await window.outputs().getByText('42').waitFor();
    assert.equal(await window.outputs().getByText('of the stub kernel').count(), 0);
  });

  it('is read-only also after a reload of the window', async () => {
    // VS Code's own command, which first saves the open editors.
    const loaded = window.page.waitForEvent('load');
    await window.runCommand('Developer: Reload Window');
    await loaded;
    await window.ready();
    await window.outputs().getByText('42').waitFor();
    await kernel('Read-Only').waitFor();
  });

  it('can be copied to a notebook for that kernel', async () => {
    await window.notebookToolbar().getByText('Open a Copy').click();
    await window.tab('Untitled').waitFor();
    await window.runCommand('View: Close Other Editors in Group');
    await window.outputs().getByText('42').waitFor();
    await kernel('Stub Kernel').waitFor();
    await window.notebookToolbar().getByText('Run All').click();
    await window.outputs().getByText('of the stub kernel').waitFor();
  });
});
