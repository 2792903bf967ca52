import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile as writeText } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import type { Execution } from '../../src/execution/execution';
import { ExecutionStore } from '../../src/tracking/execution-store';
import { LogChannels } from '../../src/views/log-channels';
import { until } from '../support/until';
import { FakeClock } from '../unit/tracking/fake-clock';
import { ScriptedService } from '../unit/tracking/scripted-service';
import { ended, notebookText, withSettings, workspaceFolder } from './support/executions';
import type { Person } from './support/person';
import { suiteOfCommands } from './support/suite';

const SCHEME = 'notebook-execution';
const command = (name: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(`notebookExecutions.${name}`, ...args);

describe('documents of executions', () => {
  let service: EmbeddedExecutionService;
  let person: Person;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never' }, (parts) => {
    ({ service, person } = parts);
  });

  /** Runs a notebook as another window would, and lets this one know of it. */
  async function run(cells: string[], parameters = ''): Promise<Execution> {
    const id = `t${randomUUID()}`;
    const execution = await service.create(
      id,
      {
        displayName: 'documents',
        executionTemplate: { kernelSpec: 'python3', ...(parameters === '' ? {} : { parameters }) },
        runOptions: {
          workingDirectory: workspaceFolder().fsPath,
          environment: process.env as Record<string, string>,
        },
      },
      { notebook: new TextEncoder().encode(notebookText(cells)) },
    );
    await command('refresh');
    return execution;
  }
  async function runToEnd(cells: string[], parameters?: string): Promise<Execution> {
    const execution = await ended(service, (await run(cells, parameters)).name);
    await command('refresh');
    return execution;
  }
  /** What the tree hands to a command; the commands go by the key alone. */
  const row = ({ name }: Execution) => ({ kind: 'execution', tracked: { key: `embedded|${name}` } });
  const shownNotebook = () =>
    until('one of our notebooks is shown', () =>
      vscode.window.activeNotebookEditor?.notebook.uri.scheme === SCHEME
        ? vscode.window.activeNotebookEditor
        : undefined,
    );
  const outputText = (notebook: vscode.NotebookDocument) =>
    notebook
      .getCells()
      .flatMap(({ outputs }) => outputs.flatMap(({ items }) => items))
      .map(({ data }) => new TextDecoder().decode(data))
      .join('');

  it('opens the output in the notebook editor, and nobody can write it', async () => {
    const execution = await runToEnd(['print(6 * 7)']);
    await command('openOutput', row(execution));
    const { notebook } = await shownNotebook();
    assert.equal(notebook.notebookType, 'jupyter-notebook');
    assert.match(outputText(notebook), /42/);
    const { permissions, size } = await vscode.workspace.fs.stat(notebook.uri);
    assert.equal(permissions, vscode.FilePermission.Readonly);
    assert.equal(size, (await vscode.workspace.fs.readFile(notebook.uri)).length);
    assert.equal(vscode.workspace.fs.isWritableFileSystem(SCHEME), false);
    await assert.rejects(async () => vscode.workspace.fs.writeFile(notebook.uri, new Uint8Array()));
    await assert.rejects(async () => vscode.workspace.fs.delete(notebook.uri));
  });

  it('opens two outputs, one of them asked for twice, at once without a complaint', async () => {
    const [one, other] = [await runToEnd(['print(1)']), await runToEnd(['print(2)'])];
    await Promise.all([one, one, other, one].map((each) => command('openOutput', row(each))));
    assert.deepEqual(person.complaints, []);
    const names = () =>
      vscode.workspace.notebookDocuments
        .filter(({ uri }) => uri.scheme === SCHEME)
        .map(({ uri }) => uri.query);
    await until('both are open', () =>
      [one, other].every(({ name }) =>
        names().some((each) => each.includes(encodeURIComponent(name.split('/').at(-1) ?? ''))),
      ),
    );
  });

  it('opens the input as it was submitted', async () => {
    const execution = await runToEnd(['print(alpha)'], 'alpha: 0.5');
    await command('openInput', row(execution));
    const { notebook } = await shownNotebook();
    assert.equal(notebook.cellCount, 1);
    assert.equal(notebook.cellAt(0).document.getText(), 'print(alpha)');
    assert.equal(outputText(notebook), '');
  });

  it('shows results as they come, and leaves focus and selection where they are', async () => {
    const go = vscode.Uri.joinPath(workspaceFolder(), `go-${randomUUID()}`).fsPath;
    const wait = `import pathlib, time\nwhile not pathlib.Path(${JSON.stringify(go)}).exists(): time.sleep(0.05)`;
    const execution = await run(["print('first')", wait, "print('second')"]);
    await until('the first cell is done', async () => {
      const { runStatus } = await service.get(execution.name);
      return (runStatus?.progress?.completedCells ?? 0) >= 1;
    });
    await command('refresh');
    await command('openOutput', row(execution));
    const editor = await shownNotebook();
    const { notebook } = editor;
    await until('the first output is there', () => outputText(notebook).includes('first'));
    assert.doesNotMatch(outputText(notebook), /second/);
    editor.selections = [new vscode.NotebookRange(1, 2)];
    const other = await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ content: 'here I write' }),
      { viewColumn: vscode.ViewColumn.Beside },
    );
    await writeText(go, '');
    await until('the last output is there', () => outputText(notebook).includes('second'));
    assert.equal(vscode.window.activeTextEditor, other);
    assert.deepEqual(
      editor.selections.map(({ start, end }) => [start, end]),
      [[1, 2]],
    );
    assert.equal(notebook.isDirty, false);
  });

  it('opens a failed output at the cell that failed, and its source cell in the input', async () => {
    const execution = await runToEnd(["print('a')", "print('b')", '1 / 0'], 'alpha: 1');
    assert.equal(execution.runStatus?.cell?.index, 3, 'one cell was inserted for the parameters');
    await command('openFailedCell', row(execution));
    const failed = await shownNotebook();
    await until('the cell is selected', () => failed.selection.start === 3);
    await command('openSourceCell', row(execution));
    const source = await until('the input is shown', () =>
      vscode.window.activeNotebookEditor === failed ? undefined : vscode.window.activeNotebookEditor,
    );
    await until('the cell is selected', () => source.selection.start === 2);
    assert.equal(source.notebook.cellAt(2).document.getText(), '1 / 0');
  });

  it('compares the output with the input, and two outputs, in the notebook diff', async () => {
    const [one, other] = [await runToEnd(['print(1)']), await runToEnd(['print(2)'])];
    const diff = () =>
      until('a diff is shown', () => {
        const input: unknown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
        return input instanceof vscode.TabInputNotebookDiff ? input : undefined;
      });
    await command('compareWithInput', row(one));
    const withInput = await diff();
    assert.match(withInput.original.path, /input/);
    assert.match(withInput.modified.path, /output/);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await command('compareOutputs', row(other), [row(other), row(one)]);
    const outputs = await diff();
    assert.ok(outputs.original.query.includes(encodeURIComponent(one.name)), 'the older one on the left');
    assert.ok(outputs.modified.query.includes(encodeURIComponent(other.name)));
  });

  describe('a large output', () => {
    let execution: Execution;
    let reset: () => Promise<void>;
    before(async () => {
      // In lines: the oldest supported VS Code takes half a minute to draw one of this length.
      reset = await withSettings({ 'notebookExecutions.largeOutputSize': 0.1 });
      execution = await runToEnd(["print('begin' + ('x' * 99 + '\\n') * 2000 + 'end')"]);
    });
    after(() => reset());

    it('is asked about before it is opened', async () => {
      await command('openOutput', row(execution));
      const message = await person.message(/The output of \S+ is \d+ KB/);
      assert.deepEqual(message.buttons, ['Open Trimmed', 'Download…', 'Open All']);
      assert.equal(vscode.window.activeNotebookEditor, undefined);
    });

    it('is opened trimmed', async () => {
      person.willPress(/The output of/, 'Open Trimmed');
      await command('openOutput', row(execution));
      const { notebook } = await shownNotebook();
      const text = outputText(notebook);
      assert.match(text, /^begin(?:x{99}\n)+x*\n?… \d+ KB not shown\./);
      assert.doesNotMatch(text, /end$/);
    });

    it('is opened whole', async () => {
      person.willPress(/The output of/, 'Open All');
      await command('openOutput', row(execution));
      const { notebook } = await shownNotebook();
      assert.match(outputText(notebook), /begin(?:x{99}\n){2000}end/);
    });
  });

  it('of an execution that is gone are not found', async () => {
    const execution = await runToEnd(['1']);
    await command('openOutput', row(execution));
    const { uri } = (await shownNotebook()).notebook;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await service.delete(execution.name);
    await command('refresh');
    await assert.rejects(async () => vscode.workspace.fs.stat(uri), { code: 'FileNotFound' });
  });

  it('of addresses that are none are not found', async () => {
    for (const address of ['/x', '/x?kind=secret&service=embedded&name=a', '/x?kind=output']) {
      const uri = vscode.Uri.parse(`${SCHEME}:${address}`);
      await assert.rejects(async () => vscode.workspace.fs.stat(uri), { code: 'FileNotFound' });
    }
  });
});

describe('the kernel’s log', () => {
  it('is shown to its end, also what was written while it was shown', async () => {
    const clock = new FakeClock();
    const store = new ExecutionStore();
    const scripted = new ScriptedService();
    let log = 'first\n';
    scripted.readLog = (_execution?: unknown, offset = 0) =>
      Promise.resolve({ text: log.slice(offset, offset + 4), nextOffset: Math.min(log.length, offset + 4) });
    let shown = '';
    const channel = {
      append: (text: string) => (shown += text),
      appendLine: (text: string) => (shown += `${text}\n`),
      show: () => undefined,
      dispose: () => undefined,
    };
    const original = Reflect.get(vscode.window, 'createOutputChannel') as unknown;
    assert.ok(Reflect.set(vscode.window, 'createOutputChannel', () => channel));
    try {
      const channels = new LogChannels(store, clock);
      store.addService(scripted);
      const tracked = store.apply(store.begin(), scripted, scripted.put('a'));
      await channels.show(tracked);
      assert.equal(shown, 'first\n');
      log += 'second\n';
      await clock.pass(1000);
      assert.equal(shown, 'first\nsecond\n');
      await channels.show(tracked);
      assert.equal(shown, 'first\nsecond\n', 'shown again, not read again');
      log += 'last\n';
      store.apply(store.begin(), scripted, scripted.put('a', { state: 'FAILED' }));
      await clock.pass(1000);
      assert.equal(shown, 'first\nsecond\nlast\n');
      assert.deepEqual(clock.waits(), [], 'nothing follows a log that has ended');
      channels.dispose();
    } finally {
      Reflect.set(vscode.window, 'createOutputChannel', original);
    }
  });
});
