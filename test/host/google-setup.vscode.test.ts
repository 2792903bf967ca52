import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { BUCKET, type CloudDouble, LOCATION, PROJECT } from '../support/google/cloud';
import { until } from '../support/until';
import { withSettings } from './support/executions';
import type { TestUser } from './support/test-user';
import { notebook, QuickRuns, sent, suiteOfCloud, TEMPLATE } from './support/cloud';
import { run } from './support/suite';

const OTHER_TEMPLATE = { ...TEMPLATE, name: 'Old Cloud', service: 'notebooks' };

describe('Google Cloud: set-up', () => {
  let cloud: CloudDouble;
  let keyFile: string;
  let user: TestUser;
  suiteOfCloud(new QuickRuns(), (parts) => {
    ({ cloud, keyFile, user } = parts);
  });

  const chooseCloud = (): void => {
    user.willPick((pick) => {
      pick.choose('Cloud');
    });
  };

  it('creates a template from the choices that Google Cloud lists, and opens the setting at it (newGoogleTemplate)', async () => {
    user.willPick(
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
    user.willType((_, check) => {
      assert.ok(check('') && check('nobody'), 'Vertex AI requires an account');
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

  it('lets the user type choices that may not be listed', async () => {
    const denied = { error: { code: 403, status: 'PERMISSION_DENIED', message: 'No.', details: [] } };
    cloud.projects.faults.add(/list/, { kind: 'answer', status: 403, body: denied });
    user.willPick((pick) => {
      pick.choose('Notebooks API v1');
    });
    user.willType((box) => {
      assert.match(box.prompt ?? '', /denied access/);
      return undefined;
    });
    await run('newGoogleTemplate');
  });

  it('reports missing credentials once, with the command that creates them, and continues by itself', async () => {
    const environment = { ...process.env };
    const send = globalThis.fetch;
    const { createTerminal } = vscode.window;
    const gcloud = path.join(cloud.folder, 'gcloud');
    const typed: string[] = [];
    await mkdir(gcloud, { recursive: true });
    await writeFile(path.join(gcloud, 'gcloud'), '', { mode: 0o755 });
    loseCredentials(gcloud);
    process.env['PATH'] = [gcloud, process.env['PATH']].join(path.delimiter);
    globalThis.fetch = cloud.tokens.fetch;
    // A terminal that signs in like gcloud, and closes.
    Reflect.set(vscode.window, 'createTerminal', ({ name = '' }: vscode.TerminalOptions) => {
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
      const { buttons } = await user.message(/There are no Google Cloud credentials/);
      assert.deepEqual(buttons, ['Sign In']);
      cloud.vertex.requests.length = 0;
      await run('refresh');
      await run('refresh');
      assert.equal(user.shownProblems.length, 1, 'two services, asked again and again, and one message');
      assert.deepEqual(sent(cloud), []);

      // The credentials reappear and vanish again: this is reported again.
      await withSettings({ 'notebookExecutions.google.keyFile': keyFile });
      await until('the service answers', () => sent(cloud).some((id) => id.endsWith('.list')));
      user.messages.length = 0;
      user.willPress(/There are no Google Cloud credentials/, 'Sign In');
      await withSettings({ 'notebookExecutions.google.keyFile': '' });
      await user.message(/There are no Google Cloud credentials/);
      cloud.vertex.requests.length = 0;
      cloud.notebooks.requests.length = 0;
      await until(
        'both services answer without anybody asking',
        () => cloud.vertex.count(/\.list$/) > 0 && cloud.notebooks.count(/\.list$/) > 0,
      );
      assert.deepEqual(typed, ['gcloud auth application-default login']);
      assert.equal(user.shownProblems.length, 1);
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

  it('creates a template from typed values when there are no credentials, and says where to get gcloud', async () => {
    const environment = { ...process.env };
    const openExternal = Reflect.get(vscode.env, 'openExternal') as unknown;
    const pages: string[] = [];
    loseCredentials(path.join(cloud.folder, 'nothing'));
    process.env['PATH'] = '/nonexistent';
    await withSettings({ 'notebookExecutions.google.keyFile': '' });
    assert.ok(
      Reflect.set(vscode.env, 'openExternal', (uri: vscode.Uri) => {
        pages.push(uri.toString());
        return Promise.resolve(true);
      }),
    );
    try {
      user.willPick((pick) => {
        pick.choose('Vertex AI (Agent Platform)');
      });
      const typed = ['typed-project', 'europe-west4', 'typed-bucket'];
      user.willType(
        ...typed.map((text) => (box: vscode.InputBoxOptions, check: (text: string) => string | undefined) => {
          assert.match(box.prompt ?? '', /There are no Google Cloud credentials/);
          assert.equal(check(text), undefined);
          return text;
        }),
        () => 'me@example.com',
      );
      await run('newGoogleTemplate');
      const templates = vscode.workspace.getConfiguration('notebookExecutions').get<object[]>('templates');
      const { project, location, executionTemplate } = templates?.at(-1) as {
        project: string;
        location: string;
        executionTemplate: { outputNotebookFolder: string };
      };
      assert.deepEqual([project, location], typed.slice(0, 2));
      assert.equal(executionTemplate.outputNotebookFolder, 'gs://typed-bucket/notebook-executions');

      user.willPress(/gcloud was not found/, 'Open Installation Page');
      await run('refresh');
      await run('signIn');
      await user.message(/gcloud was not found/);
      assert.deepEqual(pages, ['https://cloud.google.com/sdk/docs/install']);
    } finally {
      process.env = environment;
      Reflect.set(vscode.env, 'openExternal', openExternal);
      await withSettings({
        'notebookExecutions.google.keyFile': keyFile,
        'notebookExecutions.templates': [TEMPLATE],
      });
    }
  });

  it('reports what a template lacks, with a button that opens the templates', async () => {
    const { masterType: _, ...executionTemplate } = TEMPLATE.executionTemplate;
    await withSettings({ 'notebookExecutions.templates': [{ ...TEMPLATE, executionTemplate }] });
    chooseCloud();
    assert.equal(await run('execute', await notebook('lacks', '1')), undefined);
    const { buttons } = await user.message(/The template needs executionTemplate\.masterType/);
    assert.ok(buttons.includes('Edit Templates'), buttons.join());
    await withSettings({ 'notebookExecutions.templates': [TEMPLATE] });
  });

  it('reports a key file that cannot be used, with a button that opens the setting', async () => {
    await withSettings({ 'notebookExecutions.google.keyFile': '/no/such.json' });
    chooseCloud();
    assert.equal(await run('execute', await notebook('nokey', '1')), undefined);
    const { buttons } = await user.message(/The key file \/no\/such\.json cannot be used: .*ENOENT/);
    assert.deepEqual(buttons.slice(0, 1), ['Open Settings']);
    await withSettings({ 'notebookExecutions.google.keyFile': keyFile });
  });
});

/** Like a machine on which the user has not signed in. */
function loseCredentials(configuration: string): void {
  process.env['CLOUDSDK_CONFIG'] = configuration;
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
}
