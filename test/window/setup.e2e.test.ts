import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { VENV_BIN } from '../support/python';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

/** A Python that does not accept packages (PEP 668): Debian's and Ubuntu's own, without ipykernel. */
const SYSTEM = '/usr/bin/python3';

describe('a Python of the operating system', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'where.ipynb'), ['import sys; print(sys.prefix)']);
    vscode = await VSCode.launch({
      vsix: [await packagedExtension()],
      workspace,
      env: { PATH: '/usr/bin:/bin' },
    });
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

  it('is named when ipykernel is missing, and is replaced by an environment of the workspace', async () => {
    const pane = window.executionsPane();
    await window.openExecutions();
    for (const text of [
      SYSTEM,
      'Install ipykernel',
      'Create .venv in This Workspace',
      'Select Another Python…',
    ])
      await window.executionRow(text).first().waitFor();
    await window.screenshot('setup 1 no ipykernel');
    await window.resizeSideBar(170);
    await window.screenshot('setup 2 no ipykernel, 170 px');
    await window.resizeSideBar(400);
    await window.screenshot('setup 3 no ipykernel, 400 px');

    await window.executionRow('Install ipykernel').click();
    const refused = `Packages cannot be installed in ${SYSTEM}: it belongs to the operating system.`;
    await window.notification(refused).waitFor();
    await window.screenshot('setup 4 belongs to the operating system');
    await window.answerNotification(refused, 'Create .venv in This Workspace');
    await window
      .notification(/Creating .*\.venv/)
      .first()
      .waitFor();
    await window.screenshot('setup 5 creating');
    await window.notification(/Notebooks can be executed with .*\.venv/).waitFor({ timeout: 180_000 });
    await pane.getByText('No notebook has been executed yet.').waitFor();
    await window.screenshot('setup 6 can be executed');
  });

  it('is replaced by the environment: the pick shows it, and the notebook runs in it', async () => {
    await window.chooseFromContextMenu(await window.explorerFile('where.ipynb'), 'Execute Remotely');
    await window
      .quickPickRow('This machine')
      .filter({ hasText: /\.venv \(3\.\d+\.\d+\)/ })
      .waitFor();
    await window.screenshot('setup 7 which Python');
    await window.pickLabel('This machine');
    await window.tab('where.ipynb (output)').waitFor();
    await window.outputs().getByText(path.join(workspace, '.venv')).waitFor();
  });

  it('is replaced by a new environment from the button of a refused submission, which then continues', async () => {
    await rm(path.join(workspace, '.venv'), { recursive: true });
    await vscode.changeSettings({
      'notebookExecutions.templates': [
        { name: 'System', service: 'embedded', runOptions: { interpreter: SYSTEM } },
      ],
    });
    await window.chooseFromContextMenu(await window.explorerFile('where.ipynb'), 'Execute Remotely');
    await window.pick('System');
    const refused = `${SYSTEM} cannot run notebooks`;
    await window.notification(refused).waitFor();
    await window.screenshot('setup 8 refused');
    await window.answerNotification(refused, 'Create .venv in This Workspace');
    await window.openExecutions();
    await window.execution('where succeeded').nth(1).waitFor({ timeout: 180_000 });
    assert.ok(existsSync(path.join(workspace, '.venv/bin/python')));
  });
}).timeout(600_000);

describe('a Python of the operating system, with uv', () => {
  let folder: string;
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'nbx-uv-'));
    await symlink(path.join(VENV_BIN, 'uv'), path.join(folder, 'uv'));
    workspace = await copyExamples();
    vscode = await VSCode.launch({
      vsix: [await packagedExtension()],
      workspace,
      env: { PATH: `${folder}:/usr/bin:/bin` },
    });
    window = await vscode.openWindow();
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
  });

  it('gets an environment from uv, without pip, in which notebooks run', async () => {
    await window.openExecutions();
    await window.executionRow('Create .venv in This Workspace').click();
    await window.notification(/Notebooks can be executed with .*\.venv/).waitFor({ timeout: 180_000 });
    assert.match(await readFile(path.join(workspace, '.venv/pyvenv.cfg'), 'utf8'), /^uv = /m);
    assert.ok(!existsSync(path.join(workspace, '.venv/bin/pip')));
    await writeNotebook(path.join(workspace, 'where.ipynb'), ['import sys; print(sys.prefix)']);
    await window.chooseFromContextMenu(await window.explorerFile('where.ipynb'), 'Execute Remotely');
    await window.pick('This machine');
    await window.tab('where.ipynb (output)').waitFor();
    await window.outputs().getByText(path.join(workspace, '.venv')).waitFor();
  });
}).timeout(600_000);
