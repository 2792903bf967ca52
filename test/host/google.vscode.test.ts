import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { executionIdOf } from '../../src/execution/execution-name';
import { isTerminal } from '../../src/execution/states';
import { BUCKET, cloudTemplate, CloudDouble, LOCATION, PROJECT } from '../support/google/cloud';
import type { RunResult } from '../support/google/run-notebook';
import { until } from '../support/until';
import {
  activated,
  ended as executed,
  notebookText,
  outsider,
  withSettings,
  workspaceFolder,
  writeFile as writeFixture,
} from './support/executions';
import { Person } from './support/person';
import { run } from './support/suite';

const TEMPLATE = cloudTemplate('host');
/** A word that only the code for Google's services has. */
const GOOGLE_ONLY = 'x-goog-user-project';
const OTHER_TEMPLATE = { ...TEMPLATE, name: 'Old Cloud', service: 'notebooks' };

/** Ends at once; the output is the input, with this error in its second cell where there is one. */
let failure: string | undefined;
const quickRun = (input: Buffer): Promise<RunResult> => {
  const notebook = JSON.parse(input.toString()) as { cells: { outputs: object[] }[] };
  const error = { output_type: 'error', ename: 'ValueError', evalue: failure, traceback: [] };
  if (failure !== undefined) notebook.cells[1]?.outputs.push(error);
  return Promise.resolve({
    state: failure === undefined ? 'SUCCEEDED' : 'FAILED',
    message: failure === undefined ? undefined : 'The notebook failed.',
    output: Buffer.from(JSON.stringify(notebook)),
  });
};

describe('Google Cloud', () => {
  const cloud = new CloudDouble(quickRun);
  let dist: string;
  let person: Person;
  let restore: () => Promise<void>;
  let keyFile: string;

  before(async () => {
    dist = path.join((await activated()).extensionPath, 'dist') + path.sep;
    await cloud.start();
    keyFile = path.join(cloud.folder, 'identity.json');
    const subject = path.join(cloud.folder, 'subject');
    await writeFile(subject, 'subject-token');
    await writeFile(keyFile, cloud.tokens.workloadIdentity(subject));
    restore = await withSettings({
      'notebookExecutions.google.keyFile': keyFile,
      'notebookExecutions.google.endpoints': cloud.endpoints,
      'notebookExecutions.templates': [],
    });
  });
  after(async () => {
    await restore();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await cloud.stop();
  });
  beforeEach(() => {
    person = new Person();
    failure = undefined;
    cloud.vertex.requests.length = 0;
    cloud.storage.requests.length = 0;
  });
  afterEach(() => {
    person.leave();
    assert.deepEqual(cloud.problems, []);
  });

  const notebook = (name: string, ...cells: string[]): Promise<vscode.Uri> =>
    writeFixture(`${name}.ipynb`, notebookText(cells));
  const chooseCloud = (): void => {
    person.willPick((pick) => {
      pick.choose('Cloud');
    });
  };
  const sent = (): string[] => [...cloud.vertex.requests, ...cloud.storage.requests].map(({ id }) => id);
  /** A row of the view, as menus hand it over. */
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
          uri.path.startsWith(`/${executionIdOf(String(name))}/`) &&
          !isClosed,
      ),
    );

  /** Whether the code for Google's services is among the extension's modules that were loaded. */
  async function isLoaded(): Promise<boolean> {
    const files = Object.keys(require.cache).filter((file) => file.startsWith(dist));
    assert.ok(files.includes(`${dist}extension.js`), files.join());
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return texts.some((text) => text.includes(GOOGLE_ONLY));
  }

  it('is not loaded for who runs notebooks on this machine', async () => {
    const undo = await withSettings({ 'notebookExecutions.templates': [] });
    await vscode.commands.executeCommand('notebookExecutions.explorer.focus');
    person.willPick((pick) => {
      pick.choose('This machine');
    });
    const service = outsider();
    await executed(service, await run('execute', await notebook('here', 'print(1)')));
    service.dispose();
    assert.equal(await isLoaded(), false);
    await undo();

    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
    await until('a template of Google Cloud in sight loads it', isLoaded);
  });

  it('says before anything is sent what the service will not use and which files will not be there', async () => {
    const uri = await notebook('local', 'import helpers', 'open("data/sales.csv")');
    const folder = vscode.Uri.joinPath(uri, '..');
    for (const file of ['helpers.py', 'data/sales.csv'])
      await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, file), new Uint8Array());
    const limited = { ...TEMPLATE, runOptions: { cellTimeout: 5 } };
    const undo = await withSettings({ 'notebookExecutions.templates': [limited] });
    chooseCloud();
    assert.equal(await run('execute', uri), undefined);
    const { detail, modal, buttons } = await person.message(/Not everything can be taken to .*Vertex AI/);
    assert.deepEqual([modal, buttons], [true, ['Execute Anyway']]);
    assert.equal(
      detail,
      'The service does not use: runOptions.cellTimeout\n' +
        'These files of the workspace will not be there: helpers, data/sales.csv',
    );
    assert.deepEqual(
      sent().filter((id) => /create|insert/.test(id)),
      [],
    );
    await undo();
    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
  });

  it('executes, opens the output, and leads to console, URI and file (openInConsole, copyOutputUri)', async () => {
    chooseCloud();
    const name = await run('execute', await notebook('penguins', 'print("in the cloud")'));
    assert.match(String(name), /notebookExecutionJobs\/penguins-\w+$/);
    const document = await opened(name);
    assert.equal(document.cellAt(0).document.getText(), 'print("in the cloud")');
    assert.deepEqual(person.complaints, [], 'nothing that is lost, nothing to be warned of');

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
    person.willOpen(target);
    cloud.storage.faults.add(/objects\.get/, { kind: 'slow', milliseconds: 1 });
    await run('download', row(name), [row(name)]);
    const file = vscode.Uri.joinPath(target, 'penguins-output.ipynb').fsPath;
    assert.equal(await readFile(file, 'utf8'), (await cloud.storage.get(uri)).toString());
  });

  it('tells which cell failed, although lists of the service do not say it', async () => {
    failure = 'too small';
    chooseCloud();
    const name = await run('execute', await notebook('fails', '1', 'fail()'));
    const { buttons } = await person.message(/^fails failed\. Cell 2 failed: ValueError: too small$/);
    assert.ok(buttons.includes('Open Output'));
    await ended(name);
  });

  it('makes a template of what Google Cloud lists, and opens the setting at it (newGoogleTemplate)', async () => {
    person.willPick(
      (pick) => {
        assert.deepEqual(pick.labels, ['Vertex AI (Agent Platform)', 'Notebooks API v1']);
        pick.choose('Vertex AI (Agent Platform)');
      },
      (pick) => {
        assert.deepEqual(pick.labels, ['another-project', 'my-project', 'old-project', 'Type Another…']);
        pick.choose('my-project');
      },
      (pick) => {
        assert.ok(pick.labels.includes(LOCATION) && !pick.labels.includes('global'));
        pick.choose(LOCATION);
      },
      (pick) => {
        pick.choose(BUCKET);
      },
      (pick) => {
        assert.deepEqual(pick.labels, ['A machine of type n1-standard-4', 'Default']);
        pick.choose('A machine of type n1-standard-4');
      },
    );
    person.willType((_, check) => {
      assert.ok(check('nobody'));
      assert.equal(check('me@example.com'), undefined);
      return 'me@example.com';
    });
    await run('newGoogleTemplate');
    const name = `Vertex AI, ${PROJECT}, ${LOCATION}`;
    const templates = vscode.workspace.getConfiguration('notebookExecutions').get<unknown[]>('templates');
    assert.deepEqual(templates?.at(-1), {
      name,
      service: 'vertex',
      project: PROJECT,
      location: LOCATION,
      executionTemplate: {
        masterType: 'n1-standard-4',
        outputNotebookFolder: `gs://${BUCKET}/notebook-executions`,
      },
      runOptions: { vertex: { executionUser: 'me@example.com' } },
    });
    const editor = vscode.window.activeTextEditor;
    assert.match(editor?.document.fileName ?? '', /settings\.json$/);
    assert.equal(editor?.document.getText(editor.selection), JSON.stringify(name));
    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
  });

  it('lets the person type what may not be listed', async () => {
    const denied = { error: { code: 403, status: 'PERMISSION_DENIED', message: 'No.', details: [] } };
    cloud.projects.faults.add(/list/, { kind: 'answer', status: 403, body: denied });
    person.willPick((pick) => {
      pick.choose('Notebooks API v1');
    });
    person.willType((box) => {
      assert.match(box.prompt ?? '', /denies the permission/);
      return undefined;
    });
    await run('newGoogleTemplate');
  });

  it('tells missing credentials once, with the command that mends them, and goes on by itself', async () => {
    const environment = { ...process.env };
    const send = globalThis.fetch;
    const { createTerminal } = vscode.window;
    const gcloud = path.join(cloud.folder, 'gcloud');
    const typed: string[] = [];
    await mkdir(gcloud, { recursive: true });
    process.env['CLOUDSDK_CONFIG'] = gcloud;
    process.env['METADATA_SERVER_DETECTION'] = 'none';
    delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    globalThis.fetch = cloud.tokens.fetch;
    // A terminal that signs in as gcloud does, and closes.
    Reflect.set(vscode.window, 'createTerminal', (name: string) => {
      const closed = new vscode.EventEmitter<void>();
      return createTerminal({
        name,
        pty: {
          onDidWrite: new vscode.EventEmitter<string>().event,
          onDidClose: closed.event,
          open: () => undefined,
          close: () => undefined,
          handleInput: (text: string) => {
            typed.push(text.trim());
            const file = path.join(gcloud, 'application_default_credentials.json');
            void writeFile(file, cloud.tokens.personalCredentials()).then(() => {
              closed.fire();
            });
          },
        },
      });
    });
    try {
      await vscode.commands.executeCommand('notebookExecutions.explorer.focus');
      await withSettings({
        'notebookExecutions.google.keyFile': '',
        'notebookExecutions.templates': [TEMPLATE, OTHER_TEMPLATE],
      });
      const { buttons } = await person.message(/There are no Google Cloud credentials/);
      assert.deepEqual(buttons, ['Sign In', 'Show Details']);
      cloud.vertex.requests.length = 0;
      await run('refresh');
      await run('refresh');
      assert.equal(person.messages.length, 1, 'two services, asked again and again, and one message');
      assert.deepEqual(sent(), []);

      // The keys come back and vanish again: that is news.
      await withSettings({ 'notebookExecutions.google.keyFile': keyFile });
      await until('the service answers', () => sent().some((id) => id.endsWith('.list')));
      person.messages.length = 0;
      person.willPress(/There are no Google Cloud credentials/, 'Sign In');
      await withSettings({ 'notebookExecutions.google.keyFile': '' });
      await person.message(/There are no Google Cloud credentials/);
      cloud.vertex.requests.length = 0;
      cloud.notebooks.requests.length = 0;
      await until(
        'both services answer without anybody asking',
        () => cloud.vertex.count(/\.list$/) > 0 && cloud.notebooks.count(/\.list$/) > 0,
      );
      assert.deepEqual(typed, ['gcloud auth application-default login']);
      assert.equal(person.messages.length, 1);
    } finally {
      process.env = environment;
      globalThis.fetch = send;
      Reflect.set(vscode.window, 'createTerminal', createTerminal);
      await withSettings({
        'notebookExecutions.google.keyFile': keyFile,
        'notebookExecutions.templates': [TEMPLATE],
      });
    }
  });

  it('tells what a template lacks, with a button to the templates', async () => {
    const { masterType: _, ...executionTemplate } = TEMPLATE.executionTemplate;
    await withSettings({ 'notebookExecutions.templates': [{ ...TEMPLATE, executionTemplate }] });
    chooseCloud();
    assert.equal(await run('execute', await notebook('lacks', '1')), undefined);
    const { buttons } = await person.message(/The template needs executionTemplate\.masterType/);
    assert.ok(buttons.includes('Edit Templates'), buttons.join());
    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
  });

  it('tells a key file that is not accepted, with a button to the setting', async () => {
    await withSettings({ 'notebookExecutions.google.keyFile': '/no/such.json' });
    chooseCloud();
    assert.equal(await run('execute', await notebook('nokey', '1')), undefined);
    const { buttons } = await person.message(/The key file \/no\/such\.json is not accepted/);
    assert.deepEqual(buttons, ['Open Settings', 'Show Details']);
    await withSettings({ 'notebookExecutions.google.keyFile': keyFile });
  });
});
