import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace } from '../support/examples';
import { doMainJob, executeFromExplorer } from '../support/main-job';
import { ROOT } from '../support/paths';
import { VSCode, type LaunchOptions } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

describe('the first run', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  async function launch(options: Partial<LaunchOptions>, width = 1280): Promise<void> {
    vscode = await VSCode.launch({ vsix: [await packagedExtension()], workspace, ...options });
    window = await vscode.openWindow({ width });
  }

  beforeEach(async () => {
    workspace = await copyExamples();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
    await vscode.stop();
    await removeWorkspace(workspace);
  });

  it('starts nothing by itself, and does the main job in the oldest supported VS Code', async () => {
    await launch({ version: 'oldest' });
    assert.ok((await window.activationTime('Notebook Executions')) >= 0);
    assert.ok(!existsSync(vscode.dataDirectory), 'a service was started');
    await window.page.keyboard.press('Control+w');
    const history = await doMainJob(vscode, window, async (name) => {
      await window.screenshot(`oldest ${name}`);
    });
    assert.equal(history.at(-1)?.state, 'SUCCEEDED');
  });

  it('shows what is missing and offers a fix: service, Python, filter (notebookExecutions.welcome)', async () => {
    // A directory without Python, and a file that is not Node.
    await launch({
      env: { PATH: '/nonexistent' },
      settings: { 'notebookExecutions.nodePath': '/bin/false' },
    });
    const pane = window.executionsPane();
    await window.activity('Notebook Executions').click();
    await pane.getByText('The execution service of this machine could not be started.').waitFor();
    await window.screenshot('welcome service not started');

    await vscode.changeSettings({ 'notebookExecutions.nodePath': '' });
    await window.answerNotification('takes effect after a reload', 'Reload Window');
    await pane.getByText('No Python was found').waitFor();
    await window.screenshot('welcome no python');

    // The same Python, but not its environment.
    const venv = path.join(workspace, '.venv');
    await mkdir(path.join(venv, 'bin'), { recursive: true });
    await symlink(path.join(ROOT, '.venv/bin/python'), path.join(venv, 'bin/python'));
    await pane.getByRole('button', { name: 'Check Again' }).click();
    await window.executionRow('Install ipykernel').waitFor();
    await window.executionRow(/\.venv.*lacks ipykernel/).waitFor();
    await window.screenshot('welcome no ipykernel');

    await rm(venv, { recursive: true });
    await symlink(path.join(ROOT, '.venv'), venv);
    await window.executionRow('Check Again').click();
    await pane.getByText('No notebook has been executed yet.').waitFor();
    await window.screenshot('welcome empty');

    await executeFromExplorer(window, 'penguins.ipynb');
    await window.openExecutions();
    await window.execution('penguins').waitFor();
    await window.runCommand('Notebook Executions: Filter Executions…');
    await window.enter('nothing like it');
    await pane.getByText('No execution matches the filter.').waitFor();
    await window.screenshot('welcome filtered');
    await pane.getByRole('button', { name: 'Clear Filter' }).click();
    await window.execution('penguins').waitFor();
  });

  it('shows that Google Cloud cannot be reached, and what to do', async () => {
    const keyFile = path.join(workspace, 'identity.json');
    // No server listens there.
    const nobody = 'http://127.0.0.1:9/';
    await writeFile(
      keyFile,
      JSON.stringify({
        type: 'external_account',
        audience: 'nobody',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: nobody,
        credential_source: { file: keyFile },
      }),
    );
    const cloud = { name: 'Cloud', service: 'vertex', project: 'my-project', location: 'us-central1' };
    await launch({
      settings: {
        'notebookExecutions.google.keyFile': keyFile,
        'notebookExecutions.google.endpoints': { aiplatform: nobody },
        'notebookExecutions.templates': [cloud],
      },
    });
    const pane = window.executionsPane();
    await window.activity('Notebook Executions').click();
    await pane.getByText('The executions on Google Cloud could not be listed').waitFor();
    for (const name of ['Try Again', 'Show Extension Log', 'Edit Templates', 'Execute a Notebook Remotely'])
      await pane.getByRole('button', { name }).waitFor();
    await window.resizeSideBar(200);
    await window.screenshot('welcome cloud fails');
  });

  it('guides through five steps to an executed example', async () => {
    // Wide enough for the pictures.
    await launch({}, 1700);
    await window.runCommand('Welcome: Open Walkthrough...');
    await window.pick('Get Started with Notebook Executions');
    const steps = window.page.locator('.getting-started-step');
    await steps.first().waitFor();
    assert.equal(await steps.count(), 5);
    for (const title of [
      'Executions keep running',
      'A Python',
      'Parameters',
      'Templates',
      'Execute an example',
    ]) {
      await steps.filter({ hasText: title }).first().click();
      await window.screenshot(`walkthrough ${title}`);
    }
    await window.page.getByRole('button', { name: 'Execute the Example Notebook' }).click();
    await window.quickPickRow('This machine').waitFor();
    await window.screenshot('walkthrough templates pick');
    await window.pickLabel('This machine');
    await window.quickPickRow('throws').waitFor();
    await window.screenshot('walkthrough parameters pick');
    await window.pick('Execute');
    await window.tab('dice.ipynb (output)').waitFor();
    // The walkthrough has its own frame, like outputs.
    await window.runCommand('View: Close Other Editors in Group');
    await window.outputs().getByText('6000 throws of 2 dice, most often 7').waitFor();
    await window.openExecutions();
    await window.screenshot('walkthrough output');
  });
});
