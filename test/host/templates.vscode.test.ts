import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { until } from '../support/until';
import {
  allNames,
  ended,
  notebookText,
  textOf,
  withSettings,
  workspaceFolder,
  writeFile,
} from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

describe('templates', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never', 'files.autoSave': 'off' }, (parts) => {
    ({ service, user } = parts);
  });

  /** Asserts that the command shows this message, asks nothing before, and creates nothing. */
  async function refuses(uri: vscode.Uri, text: RegExp, button?: string): Promise<void> {
    const before = await allNames(service);
    await run('execute', uri);
    const message = await user.message(text);
    assert.equal(message.kind, 'error');
    if (button !== undefined) assert.ok(message.buttons.includes(button), message.buttons.join(' | '));
    assert.deepEqual(await allNames(service), before);
  }

  let restore: (() => Promise<void>) | undefined;
  const templates = async (list: unknown): Promise<void> => {
    restore = await withSettings({ 'notebookExecutions.templates': list });
  };
  afterEach(async () => {
    await restore?.();
    restore = undefined;
  });

  it('shows unusable templates with the reason, and repeats it when one is chosen', async () => {
    await templates([
      { name: 'misspelt', service: 'embedded', runOptions: { timout: 5 } },
      { name: 'typed wrong', service: 'embedded', runOptions: { timeout: 'long' } },
      { service: 'embedded' },
      { name: 'half', service: 'vertex' },
    ]);
    const uri = await writeFile('a.ipynb', notebookText(['1']));
    user.willPick((pick) => {
      assert.match(
        pick.row('misspelt').detail ?? '',
        /unknown field “runOptions\.timout”; did you mean “timeout”/,
      );
      assert.match(pick.row('typed wrong').detail ?? '', /“runOptions\.timeout” must be of type number/);
      assert.match(pick.row('Template without a name').detail ?? '', /“name” is missing/);
      assert.match(pick.row('half').detail ?? '', /“project” is missing.*“location” is missing/);
      pick.choose('misspelt');
    });
    await refuses(uri, /The template “misspelt” cannot be used.*timout/, 'Edit Templates');
  });

  it('shows how they differ, and marks one whose kernel is missing', async () => {
    await templates([
      {
        name: 'nightly',
        service: 'embedded',
        executionTemplate: { kernelSpec: 'python3' },
        runOptions: { timeout: 21600, maxAttempts: 3, allowErrorNames: ['KeyError'], writeBack: true },
      },
      { name: 'plain', service: 'embedded' },
      { name: 'cobol', service: 'embedded', executionTemplate: { kernelSpec: 'cobol' } },
    ]);
    user.willPick(async (pick) => {
      assert.equal(
        pick.row('nightly').detail,
        'kernel python3 · at most 6 h · up to 3 attempts · continues on KeyError · writes outputs back',
      );
      assert.equal(pick.row('plain').detail, undefined);
      assert.equal(pick.row('cobol').detail, 'kernel cobol');
      const before = pick.active;
      await until('it is marked', () => pick.row('cobol').detail !== 'kernel cobol');
      assert.equal(pick.row('cobol').detail, 'There is no kernel “cobol” on this machine.');
      assert.equal((pick.row('cobol').iconPath as vscode.ThemeIcon).id, 'warning');
      assert.equal((pick.row('nightly').iconPath as vscode.ThemeIcon).id, 'server-process');
      assert.equal(pick.active, before);
      pick.leave();
    });
    await run('execute', await writeFile('differ.ipynb', notebookText(['1'])));
  });

  it('uses its run options and output folder, and preselects the last used template', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-out-'));
    await templates([
      {
        name: 'strict',
        service: 'embedded',
        executionTemplate: { outputNotebookFolder: folder, labels: { team: 'a' } },
        runOptions: {
          timeout: 100,
          allowErrors: true,
          environment: { FLAVOUR: 'vanilla' },
          workingDirectory: '${workspaceFolder}',
        },
      },
    ]);
    const code = ['import os\nprint(os.environ["FLAVOUR"], os.getcwd())', '1/0', 'print("after")'];
    const uri = await writeFile('t.ipynb', notebookText(code));
    user.willPick(
      (pick) => {
        pick.choose('strict');
      },
      (pick) => {
        assert.equal(pick.active, 'strict');
        pick.leave();
      },
    );
    const execution = await ended(service, await run('execute', uri));
    assert.equal(execution.state, 'SUCCEEDED', execution.runStatus?.message);
    assert.equal(execution.runOptions?.timeout, 100);
    assert.deepEqual(execution.executionTemplate?.labels, { team: 'a' });
    assert.ok(execution.outputNotebookFile?.startsWith(vscode.Uri.file(folder).toString()));
    const output = await textOf(service.readOutput(execution));
    assert.ok(output.includes(`vanilla ${workspaceFolder().fsPath}`), output);
    assert.match(output, /after/);
    await run('execute', uri);
  });

  it('refuses parameters that are not a mapping, before any request to the service', async () => {
    await templates([{ name: 'list', service: 'embedded', executionTemplate: { parameters: '- 1\n- 2' } }]);
    user.willPick((pick) => {
      pick.choose('list');
    });
    await refuses(
      await writeFile('p.ipynb', notebookText(['1'])),
      /parameters of the template “list”: Must be a mapping/,
      'Edit Templates',
    );
  });

  it('refuses an output folder that cannot be written', async () => {
    const file = await writeFile('file', 'no folder');
    await templates([
      {
        name: 'nowhere',
        service: 'embedded',
        executionTemplate: { outputNotebookFolder: `${file.fsPath}/below` },
      },
    ]);
    user.willPick((pick) => {
      pick.choose('nowhere');
    });
    await refuses(
      await writeFile('o.ipynb', notebookText(['1'])),
      /output cannot be written to/,
      'Edit Templates',
    );
  });

  it('offers to install a missing ipykernel, and continues', async () => {
    const python = await fakePython();
    await templates([{ name: 'bare python', service: 'embedded', runOptions: { interpreter: python } }]);
    const uri = await writeFile('k.ipynb', notebookText(['print("ran")']));
    // The first try of pip fails.
    const offline = path.join(path.dirname(python), 'offline');
    await fs.writeFile(offline, '');
    user.willPick((pick) => {
      pick.choose('bare python');
    });
    user.willPress(/ipykernel is not installed/, 'Install ipykernel');
    await run('execute', uri);
    await user.message(/could not be installed .*No matching distribution/);
    await fs.rm(offline);
    const before = await allNames(service);
    user.willPick((pick) => {
      pick.choose('bare python');
    });
    user.willPress(/ipykernel is not installed/, 'Install ipykernel');
    await run('execute', uri);
    const { text } = await user.message(/ipykernel is not installed/);
    assert.ok(text.includes(python));
    const name = await until('it is there', async () =>
      (await allNames(service)).find((each) => !before.includes(each)),
    );
    assert.equal((await ended(service, name)).state, 'SUCCEEDED');
  });
});

describe('commands on templates', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  afterEach(async () => {
    // The settings file has an unsaved new entry; save it before the editors are closed.
    await vscode.commands.executeCommand('workbench.action.files.revert');
    for (const name of ['templates', 'defaultTemplate']) {
      const configuration = vscode.workspace.getConfiguration('notebookExecutions');
      await configuration.update(name, undefined, vscode.ConfigurationTarget.Global);
      await configuration.update(name, undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  suiteOfCommands({ 'notebookExecutions.openOutput': 'never' }, (parts) => {
    ({ service, user } = parts);
  });

  it('saveAsTemplate saves how an execution was run; setDefaultTemplate preselects it', async () => {
    const undo = await withSettings({
      'notebookExecutions.templates': [{ name: 'slow', service: 'embedded', runOptions: { cellTimeout: 9 } }],
    });
    user.willPick((pick) => {
      pick.choose('slow');
    });
    const uri = await writeFile('kept.ipynb', notebookText(['1']));
    await ended(service, await run('execute', uri));
    await undo();
    await run('refresh');
    user.willPick(
      (pick) => {
        pick.choose('kept');
      },
      (pick) => {
        pick.choose('For this workspace');
      },
    );
    user.willType((box, check) => {
      assert.equal(box.value, 'kept');
      assert.match(check('') ?? '', /needs a name/);
      assert.match(check('This machine') ?? '', /built-in/);
      return 'my way';
    });
    await run('saveAsTemplate');
    const saved = vscode.workspace
      .getConfiguration('notebookExecutions')
      .inspect('templates')?.workspaceValue;
    assert.deepEqual(saved, [{ name: 'my way', service: 'embedded', runOptions: { cellTimeout: 9 } }]);

    user.willPick((pick) => {
      pick.choose('my way');
    });
    await run('setDefaultTemplate');
    user.willPick((pick) => {
      assert.equal(pick.active, 'my way');
      pick.leave();
    });
    await run('execute', await writeFile('other.ipynb', notebookText(['1'])));
  });

  it('editTemplates opens the settings', async () => {
    await run('editTemplates');
    const input: unknown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputText);
    assert.match(input.uri.path, /settings\.json$/);
  });
});

/** A Python without ipykernel until `-m pip install ipykernel` was called. */
async function fakePython(): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-python-'));
  const real = (process.env['PATH'] ?? '').split(path.delimiter).map((each) => path.join(each, 'python3'));
  let found = '';
  for (const candidate of real) if (found === '' && candidate.includes('.venv')) found = candidate;
  assert.notEqual(found, '', 'The suite runs with .venv on the PATH.');
  const file = path.join(folder, 'python');
  const script = `#!/bin/sh
if [ "$1 $2 $3" = "-m pip install" ]; then
  if [ -f '${folder}/offline' ]; then echo 'No matching distribution found for ipykernel' >&2; exit 1; fi
  touch '${folder}/installed'; exit 0
fi
if [ -f '${folder}/installed' ]; then exec '${found}' "$@"; fi
exec '${found}' -S "$@"
`;
  await fs.writeFile(file, script, { mode: 0o755 });
  return file;
}
