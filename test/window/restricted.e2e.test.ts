import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { COMMAND_IDS } from '../../src/commands/command-map';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { executeFromExplorer } from '../support/main-job';
import { processesWithEnvironment } from '../support/processes';
import { packageSmallExtension, type SmallExtension } from '../support/small-extension';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

/** Programs that the extension starts or might start, planted in the workspace. */
const PROGRAMS = ['python', 'python3', 'pip', 'uv', 'node', 'bash', 'sh', 'gcloud'];

/** Limit for one command, in milliseconds. Only a command that hangs reaches it. */
const COMMAND_LIMIT_MS = 60_000;

/**
 * Runs each of our commands separately, for a notebook and for an execution, and dismisses all prompts and
 * notifications until the command has ended. Writes to a file which commands were run, and which did not end.
 */
const runner = (report: string, id: string): SmallExtension => ({
  id: 'test.runner',
  untrusted: true,
  activationEvents: ['onStartupFinished'],
  code: `const { commands, workspace, Uri } = require('vscode');
const { writeFileSync } = require('node:fs');
exports.activate = () => void commands.registerCommand('test.runAll', async () => {
  const notebook = Uri.joinPath(workspace.workspaceFolders[0].uri, 'trap.ipynb');
  const row = { tracked: { key: ${JSON.stringify(id)} } };
  const ran = [];
  for (const command of ${JSON.stringify(COMMAND_IDS)}) {
    for (const args of [[], [notebook, [notebook]], [row, [row]]]) {
      let ended = false;
      const end = () => { ended = true; };
      const running = commands.executeCommand(command, ...args).then(end, end);
      const limit = Date.now() + ${String(COMMAND_LIMIT_MS)};
      while (!ended && Date.now() < limit) {
        await commands.executeCommand('workbench.action.closeQuickOpen');
        await commands.executeCommand('notifications.clearAll');
        // Until it has ended, or asks the next question, which no event announces.
        await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      ran.push([command, ended]);
    }
  }
  writeFileSync(${JSON.stringify(report)}, JSON.stringify(ran));
});`,
  contributes: { commands: [{ command: 'test.runAll', title: 'Run All of Them' }] },
});

describe('a workspace that is not trusted', () => {
  let folder: string;
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  const launch = async (vsix: readonly string[], trusted: boolean): Promise<void> => {
    vscode = await VSCode.launch({
      vsix,
      workspace,
      home: path.join(folder, 'home'),
      workspaceTrust: !trusted,
      settings: {
        'security.workspace.trust.startupPrompt': 'never',
        'notebookExecutions.openOutput': 'never',
        'notebookExecutions.notify': 'failures',
      },
    });
    window = await vscode.openWindow();
  };

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'nbx-r-'));
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'trap.ipynb'), ['1']);
  });
  after(async () => {
    await vscode.stop();
    await rm(folder, { recursive: true, force: true });
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
  });

  it('runs nothing of the workspace, whichever command is used', async () => {
    // An execution from the time when the workspace was trusted.
    await launch([await packagedExtension()], true);
    await executeFromExplorer(window, 'trap.ipynb');
    await window.openExecutions();
    await window.execution('trap succeeded').waitFor();
    const [record] = await vscode.records();
    await vscode.stop();

    // Since then, files that would leave a trace if they were run or read.
    const traces = path.join(folder, 'traces');
    await mkdir(traces);
    for (const directory of ['.venv/bin', 'venv/bin', '.']) {
      await mkdir(path.join(workspace, directory), { recursive: true });
      for (const program of PROGRAMS) {
        const script = `#!/bin/sh\necho "$0 $*" >> '${path.join(traces, program)}'\nexit 1\n`;
        await writeFile(path.join(workspace, directory, program), script, { mode: 0o755 });
      }
    }
    await writeFile(path.join(workspace, '.venv/pyvenv.cfg'), 'home = /usr/bin\n');
    await writeFile(path.join(workspace, '.env'), 'OF_THE_WORKSPACE=yes\n');
    await mkdir(path.join(workspace, '.vscode'), { recursive: true });
    const interpreter = path.join(workspace, '.venv/bin/python');
    await writeFile(
      path.join(workspace, '.vscode/settings.json'),
      JSON.stringify({
        'notebookExecutions.nodePath': path.join(workspace, 'node'),
        'notebookExecutions.endCommand': path.join(workspace, 'sh'),
        'notebookExecutions.defaultTemplate': 'Trap',
        'notebookExecutions.templates': [{ name: 'Trap', service: 'embedded', runOptions: { interpreter } }],
        'python.envFile': '${workspaceFolder}/.env',
      }),
    );

    const report = path.join(folder, 'report.json');
    const id = `embedded|projects/local/locations/local/executions/${record?.id ?? ''}`;
    const extensions = [await packagedExtension(), await packageSmallExtension(runner(report, id), folder)];
    await launch(extensions, false);
    await window.openExecutions();
    await window.execution('trap succeeded').waitFor();
    await window.screenshot('restricted 1');
    // Each refusal is an error; the next test checks their text.
    window.expectError(/./);
    await window.runCommand('Run All of Them');
    const seen = new Set<string>();
    await until(
      'all commands were run',
      async () => {
        for (const { command } of processesWithEnvironment('OF_THE_WORKSPACE', 'yes')) seen.add(command);
        if (await window.page.locator('.monaco-dialog-box').isVisible())
          await window.page.keyboard.press('Escape');
        return existsSync(report);
      },
      480_000,
    );
    const ran = JSON.parse(readFileSync(report, 'utf8')) as [string, boolean][];
    assert.deepEqual(
      COMMAND_IDS.filter((command) => !ran.some(([each]) => each === command)),
      [],
    );
    assert.deepEqual(
      ran.filter(([, ended]) => !ended),
      [],
      'commands that did not end',
    );
    assert.deepEqual(await readdir(traces), [], 'programs of the workspace that were run');
    assert.deepEqual([...seen], [], 'processes with the workspace’s .env');
    assert.deepEqual(
      (await vscode.records()).map((each) => each.id),
      [],
      'deleted, and none was made',
    );
  });

  it('executes no notebook', async () => {
    await window.chooseFromContextMenu(await window.explorerFile('penguins.ipynb'), 'Execute Remotely');
    await window
      .notification(/only be executed in trusted workspaces/)
      .first()
      .waitFor();
    await window.openExecutions();
    await window.screenshot('restricted 2');
    assert.equal((await vscode.records()).length, 0);
    assert.ok(!(await readFile(path.join(workspace, 'penguins.ipynb'), 'utf8')).includes('120 penguins'));
  });

  it('says so, with a button to trust it', async () => {
    for (const command of ['Install ipykernel', 'Select Python…', 'Execute the Example Notebook']) {
      await window.runCommand('Notifications: Clear All Notifications');
      await window.runCommand(`Notebook Executions: ${command}`);
      await window.notification('Notebooks can only be executed in trusted workspaces.').waitFor();
    }
    await window.answerNotification('Notebooks can only be executed', 'Manage Workspace Trust');
    await window.page.getByText('You are in Restricted Mode').waitFor();
  });
}).timeout(600_000);
