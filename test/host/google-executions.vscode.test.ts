import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { isTerminal } from '../../src/execution/states';
import { type CloudDouble, LOCATION, PROJECT } from '../support/google/cloud';
import { until } from '../support/until';
import {
  activated,
  ended as executed,
  notebookText,
  otherClient,
  withSettings,
  workspaceFolder,
} from './support/executions';
import type { TestUser } from './support/test-user';
import { notebook, QuickRuns, sent, suiteOfCloud, TEMPLATE } from './support/cloud';
import { run } from './support/suite';

/** A word that occurs only in the code for Google's services. */
const GOOGLE_ONLY = 'x-goog-user-project';

describe('Google Cloud: executions', () => {
  const runs = new QuickRuns();
  let cloud: CloudDouble;
  let keyFile: string;
  let user: TestUser;
  suiteOfCloud(runs, (parts) => {
    ({ cloud, keyFile, user } = parts);
  });

  const chooseCloud = (): void => {
    user.willPick((pick) => {
      pick.choose('Cloud');
    });
  };
  /** A row of the view, as menus pass it. */
  const row = (name: unknown): object => ({
    tracked: { key: `vertex/${PROJECT}/${LOCATION}|${String(name)}` },
  });
  const ended = (name: unknown): Promise<boolean> =>
    until(`${String(name)} has ended`, async () => {
      const service = cloud.google({ keyFile }).service('vertex', PROJECT, LOCATION);
      return isTerminal((await service.get(String(name))).state);
    });
  /** The document of an execution's output, once it is open. */
  const opened = async (name: unknown): Promise<vscode.NotebookDocument> =>
    until('the output is open', () =>
      vscode.workspace.notebookDocuments.find(
        ({ uri, isClosed }) =>
          uri.scheme === 'notebook-execution' &&
          new URLSearchParams(uri.query).get('name') === name &&
          !isClosed,
      ),
    );

  /** Whether the code for Google's services is among the extension's modules that were loaded. */
  async function isLoaded(): Promise<boolean> {
    const dist = path.join((await activated()).extensionPath, 'dist') + path.sep;
    const files = Object.keys(require.cache).filter((file) => file.startsWith(dist));
    assert.ok(files.includes(`${dist}extension.js`), files.join());
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return texts.some((text) => text.includes(GOOGLE_ONLY));
  }

  it('is not loaded when notebooks run only on this machine', async () => {
    const undo = await withSettings({ 'notebookExecutions.templates': [] });
    await vscode.commands.executeCommand('notebookExecutions.explorer.focus');
    user.willPick((pick) => {
      pick.choose('This machine');
    });
    const service = otherClient();
    await executed(service, await run('execute', await notebook('here', 'print(1)')));
    service.dispose();
    assert.equal(await isLoaded(), false);
    await undo();

    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
    await until('a template of Google Cloud in sight loads it', isLoaded);
  });

  it('reports before submission which settings the service ignores and which files are missing there', async () => {
    const uri = await notebook('local', 'import helpers', 'open("data/sales.csv")');
    const folder = vscode.Uri.joinPath(uri, '..');
    for (const file of ['helpers.py', 'data/sales.csv'])
      await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, file), new Uint8Array());
    const limited = { ...TEMPLATE, runOptions: { cellTimeout: 5 } };
    const undo = await withSettings({ 'notebookExecutions.templates': [limited] });
    chooseCloud();
    assert.equal(await run('execute', uri), undefined);
    const { detail, modal, buttons } = await user.message(
      /Vertex AI, .*cannot run this exactly as set up here/,
    );
    assert.deepEqual([modal, buttons], [true, ['Execute Anyway']]);
    assert.equal(
      detail,
      'Ignored by the service: runOptions.cellTimeout\n' +
        'These modules and files of the workspace will be missing: helpers, data/sales.csv',
    );
    assert.deepEqual(
      sent(cloud).filter((id) => /create|insert/.test(id)),
      [],
    );
    await undo();
    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
  });

  it('executes, opens the output, and opens console, URI and file (openInConsole, copyOutputUri)', async () => {
    chooseCloud();
    const name = await run('execute', await notebook('penguins', 'print("in the cloud")'));
    assert.match(String(name), /notebookExecutionJobs\/penguins-\w+$/);
    const document = await opened(name);
    assert.equal(document.cellAt(0).document.getText(), 'print("in the cloud")');
    assert.deepEqual(user.shownProblems, [], 'nothing that is lost, nothing to be warned of');

    await run('copyOutputUri', row(name));
    const uri = await vscode.env.clipboard.readText();
    assert.match(uri, /^gs:\/\/notebook-bucket\/host\/penguins-\w+\/.*penguins.*\.ipynb$/);
    assert.match((await cloud.storage.get(uri)).toString(), /in the cloud/);

    const pages: string[] = [];
    const { openExternal } = vscode.env;
    Reflect.set(vscode.env, 'openExternal', (page: vscode.Uri) => pages.push(page.toString(true)));
    await run('openInConsole', row(name));
    Reflect.set(vscode.env, 'openExternal', openExternal);
    assert.deepEqual(pages, [
      `https://console.cloud.google.com/vertex-ai/colab/execution-jobs?project=${PROJECT}&region=${LOCATION}`,
    ]);

    const target = vscode.Uri.joinPath(workspaceFolder(), 'downloaded');
    await vscode.workspace.fs.createDirectory(target);
    user.willOpen(target);
    cloud.storage.faults.add(/objects\.get/, { kind: 'slow', milliseconds: 1 });
    await run('download', row(name), [row(name)]);
    const file = vscode.Uri.joinPath(target, 'penguins-output.ipynb').fsPath;
    assert.equal(await readFile(file, 'utf8'), (await cloud.storage.get(uri)).toString());
  });

  it('re-runs an execution of another client, and first lists what it cannot repeat (rerun)', async () => {
    const { name } = cloud.vertex.addElsewhere('nightly-7', {
      displayName: 'nightly',
      gcsOutputUri: 'gs://notebook-bucket/theirs',
      serviceAccount: 'theirs@my-project.iam.gserviceaccount.com',
      kernelName: 'python3',
      labels: { 'aiplatform.googleapis.com/colab_enterprise_entry_service': 'workbench', team: 'growth' },
      customEnvironmentSpec: { machineSpec: { machineType: 'n1-highmem-4' } },
      directNotebookSource: {
        content: Buffer.from(notebookText(['print("nightly")'])).toString('base64'),
      },
    });
    const ours = name.replace(/projects\/\d+/, `projects/${PROJECT}`);
    await ended(ours);
    await run('refresh');
    user.willPress(/cannot run this exactly as set up here/, 'Execute Anyway');
    const again = await run('rerun', row(ours));
    const { detail } = await user.message(/cannot run this exactly as set up here/);
    assert.equal(detail, 'Not repeated of the earlier execution: workbenchRuntime');
    const job = cloud.vertex.jobs.get(String(again).split('/').at(-1) ?? '')?.job;
    assert.deepEqual(
      [
        job?.labels?.['team'],
        job?.['kernelName'],
        job?.serviceAccount,
        job?.customEnvironmentSpec?.machineSpec,
      ],
      ['growth', 'python3', 'theirs@my-project.iam.gserviceaccount.com', { machineType: 'n1-highmem-4' }],
    );
    await ended(again);
  });

  it('connects to Google Cloud through the proxy of the environment', async () => {
    // The editor applies its own proxy settings to requests. Google's library reads the variable itself.
    const { HTTPS_PROXY } = process.env;
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
    let name: unknown;
    try {
      chooseCloud();
      name = await run('execute', await notebook('proxied', 'print(1)'));
      assert.deepEqual(user.shownProblems, []);
    } finally {
      if (HTTPS_PROXY === undefined) delete process.env['HTTPS_PROXY'];
      else process.env['HTTPS_PROXY'] = HTTPS_PROXY;
    }
    await ended(name);
  });

  it('shows which cell failed, although lists of the service do not contain it', async () => {
    runs.error = 'too small';
    chooseCloud();
    const name = await run('execute', await notebook('fails', '1', 'fail()'));
    const { buttons } = await user.message(/^fails failed\. Cell 2 failed: ValueError: too small$/);
    assert.ok(buttons.includes('Open Output'));
    await ended(name);
  });
});
