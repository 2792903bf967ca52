import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { BUCKET, cloudTemplate, CloudDouble } from '../support/google/cloud';
import { DELAYS } from '../support/google/job-run';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

const TEMPLATE = cloudTemplate('window');

describe('Google Cloud through the window', () => {
  const cloud = new CloudDouble();
  const delays = { ...DELAYS };
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    await cloud.start();
    workspace = await copyExamples();
    const file = (name: string): string => path.join(cloud.folder, name);
    await writeFile(file('subject'), 'subject-token');
    await writeFile(file('identity.json'), cloud.tokens.workloadIdentity(file('subject')));
    await writeNotebook(path.join(workspace, 'forecast.ipynb'), [
      "print('computed elsewhere')",
      `import pathlib, time\nwhile not pathlib.Path(${JSON.stringify(file('go'))}).exists(): time.sleep(0.05)`,
    ]);
    vscode = await VSCode.launch({
      vsix: [await packagedExtension()],
      workspace,
      settings: {
        'notebookExecutions.google.keyFile': file('identity.json'),
        'notebookExecutions.google.endpoints': cloud.endpoints,
        'notebookExecutions.templates': [TEMPLATE],
      },
    });
    window = await vscode.openWindow();
  });
  after(async () => {
    Object.assign(DELAYS, delays);
    await vscode.stop();
    await cloud.stop();
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
  });

  it('runs a notebook from the right click to the output in Cloud Storage', async () => {
    const gates = { queued: gate(), pending: gate() };
    Object.assign(DELAYS, { queued: gates.queued.opened, pending: gates.pending.opened });
    await window.chooseFromContextMenu(await window.explorerFile('forecast.ipynb'), 'Execute Remotely');
    await window.quickPickRow('Cloud').waitFor();
    await window.screenshot('google 1 template');
    await window.pick('Cloud');
    await window.openExecutions();
    await window.execution('forecast is waiting').waitFor();
    await window.screenshot('google 2 queued');
    gates.queued.open();
    await window.execution('forecast is starting its kernel').waitFor();
    gates.pending.open();
    await window.execution('forecast is running').waitFor();
    await window.screenshot('google 3 running');
    await writeFile(path.join(cloud.folder, 'go'), '');
    await window.tab(/forecast/).waitFor();
    await window.outputs().getByText('computed elsewhere').waitFor();
    await window.execution('forecast succeeded').waitFor();
    await window.screenshot('google 4 output');
    const outputs = (await cloud.storage.names(BUCKET)).filter((name) => name.startsWith('window/forecast-'));
    assert.equal(outputs.length, 1);
    assert.deepEqual(await window.notifications(), []);
    assert.deepEqual(cloud.problems, []);
  });

  it('offers the choices of Google Cloud, and marks executions of other clients', async () => {
    const menu = await window.contextMenuOf(window.execution('forecast succeeded'));
    for (const entry of ['Open Output', 'Open in Google Cloud Console', 'Copy gs:// URI'])
      assert.ok(menu.includes(entry), menu.join());
    Object.assign(DELAYS, delays);
    cloud.vertex.addElsewhere('nightly', {
      displayName: 'nightly report',
      gcsOutputUri: `gs://${BUCKET}/theirs`,
      directNotebookSource: {
        content: (await readFile(path.join(workspace, 'forecast.ipynb'))).toString('base64'),
      },
    });
    await window.runCommand('Notebook Executions: Refresh Executions');
    const row = window.executionRow(/nightly report.*created elsewhere/);
    await row.waitFor();
    await window.screenshot('google 5 created elsewhere');
    assert.deepEqual(cloud.problems, []);
  });
});

/** An event that the test triggers. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    opened,
    open: () => {
      open();
    },
  };
}
