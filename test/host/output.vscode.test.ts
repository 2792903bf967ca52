import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile as writeText } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import type { Execution } from '../../src/execution/execution';
import { notebookData, originalOutput } from '../../src/views/output/notebook-data';
import { OUTPUT_NOTEBOOK } from '../../src/views/output/output-uri';
import { until } from '../support/until';
import { FakeClock } from '../unit/tracking/fake-clock';
import { ScriptedService } from '../unit/tracking/scripted-service';
import {
  allNames,
  ended,
  notebookText,
  shipped,
  withSettings,
  workspaceFolder,
  writeFile,
} from './support/executions';
import type { TestUser } from './support/test-user';
import { suiteOfCommands } from './support/suite';

const SCHEME = 'notebook-execution';
const command = (name: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(`notebookExecutions.${name}`, ...args);

describe('documents of executions', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never' }, (parts) => {
    ({ service, user } = parts);
  });

  /** Runs a notebook like another window would, and updates this one. */
  async function run(
    cells: string[],
    parameters = '',
    source?: vscode.Uri,
    text = notebookText(cells),
    options: object = {},
  ): Promise<Execution> {
    const id = `t${randomUUID()}`;
    const execution = await service.create(
      id,
      {
        displayName: 'documents',
        executionTemplate: {
          ...('interpreter' in options ? {} : { kernelSpec: 'python3' }),
          ...(parameters === '' ? {} : { parameters }),
        },
        runOptions: {
          workingDirectory: workspaceFolder().fsPath,
          environment: process.env as Record<string, string>,
          ...(source === undefined ? {} : { source: source.toString() }),
          ...options,
        },
      },
      { notebook: new TextEncoder().encode(text) },
    );
    await command('refresh');
    return execution;
  }
  async function runToEnd(...what: Parameters<typeof run>): Promise<Execution> {
    const execution = await ended(service, (await run(...what)).name);
    await command('refresh');
    return execution;
  }
  /** The argument that the tree passes to a command; commands use only its key. */
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

  it('opens the output read-only in the notebook editor', async () => {
    const execution = await runToEnd(['print(6 * 7)']);
    await command('openOutput', row(execution));
    const { notebook } = await shownNotebook();
    assert.equal(notebook.notebookType, OUTPUT_NOTEBOOK);
    assert.match(outputText(notebook), /42/);
    const { permissions, size } = await vscode.workspace.fs.stat(notebook.uri);
    assert.equal(permissions, vscode.FilePermission.Readonly);
    assert.equal(size, (await vscode.workspace.fs.readFile(notebook.uri)).length);
    assert.equal(vscode.workspace.fs.isWritableFileSystem(SCHEME), false);
    await assert.rejects(async () => vscode.workspace.fs.writeFile(notebook.uri, new Uint8Array()));
    await assert.rejects(async () => vscode.workspace.fs.delete(notebook.uri));
  });

  it('shows for each cell whether it succeeded, and its start and end time', async () => {
    const execution = await runToEnd(['import time\ntime.sleep(0.2)', '1 / 0', "print('never')"]);
    await command('openOutput', row(execution));
    const { notebook } = await shownNotebook();
    const summaries = notebook.getCells().map(({ executionSummary }) => executionSummary);
    assert.deepEqual(
      summaries.map((summary) => summary?.success),
      [true, false, undefined],
    );
    const { startTime = 0, endTime = 0 } = summaries[0]?.timing ?? {};
    assert.ok(endTime - startTime >= 200, `${String(startTime)} to ${String(endTime)}`);
    assert.ok(startTime >= Date.parse(execution.createTime ?? ''));
    assert.equal(summaries[2]?.timing, undefined);
  });

  it('runs no cell of an output, says so, and leaves it unchanged', async () => {
    const execution = await runToEnd(['print(6 * 7)', '1 + 1']);
    await command('openOutput', row(execution));
    const { notebook } = await shownNotebook();
    const numbers = () => notebook.getCells().map((cell) => cell.executionSummary?.executionOrder);
    assert.deepEqual(numbers(), [1, 2]);
    await vscode.commands.executeCommand('notebook.execute', notebook.uri);
    const { buttons } = await user.message(/^Nothing was run/);
    assert.deepEqual(buttons, ['Re-run', 'Open a Copy']);
    await until('the cells have their numbers again', () => numbers().join() === '1,2');
    assert.equal(outputText(notebook), '42\n2');
    assert.equal(notebook.isDirty, false);
  });

  it('re-runs the execution instead of cells of its output', async () => {
    const execution = await runToEnd(['print(1)']);
    await command('openOutput', row(execution));
    const { notebook } = await shownNotebook();
    const before = await allNames(service);
    user.willPress(/^Nothing was run/, 'Re-run');
    await vscode.commands.executeCommand('notebook.execute', notebook.uri);
    const again = await until('it runs once more', async () =>
      (await allNames(service)).find((name) => !before.includes(name)),
    );
    assert.equal((await ended(service, again)).state, 'SUCCEEDED');
  });

  it('opens a copy of an output as a Jupyter notebook, with all its outputs', async () => {
    const execution = await runToEnd(['print(6 * 7)']);
    await command('openOutput', row(execution));
    const { notebook } = await shownNotebook();
    user.willPress(/^Nothing was run/, 'Open a Copy');
    await vscode.commands.executeCommand('notebook.execute', notebook.uri);
    const copy = await until('the copy is shown', () => {
      const shown = vscode.window.activeNotebookEditor?.notebook;
      return shown?.isUntitled === true ? shown : undefined;
    });
    assert.equal(copy.notebookType, 'jupyter-notebook');
    assert.equal(outputText(copy), '42\n');
    assert.deepEqual(copy.metadata['metadata'], notebook.metadata['metadata']);
    const [cell, original] = [copy.cellAt(0), notebook.cellAt(0)];
    assert.equal(cell.executionSummary?.executionOrder, 1);
    assert.equal(cell.document.getText(), 'print(6 * 7)');
    assert.deepEqual(cell.metadata, original.metadata);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('opens a copy of the input that is shown', async () => {
    await command('openInput', row(await runToEnd(['print(1)'])));
    await shownNotebook();
    await command('openCopy');
    const copy = await until('the copy is shown', () => {
      const shown = vscode.window.activeNotebookEditor?.notebook;
      return shown?.isUntitled === true ? shown : undefined;
    });
    assert.equal(copy.cellAt(0).document.getText(), 'print(1)');
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('saves the output whose toolbar was used, as a valid notebook', async () => {
    const executions = [await runToEnd(['print(1)']), await runToEnd(['print(2)'])];
    await command('openOutput', row(executions[0] ?? assert.fail()));
    const notebookUri = (await shownNotebook()).notebook.uri;
    const target = vscode.Uri.joinPath(workspaceFolder(), `saved-${randomUUID()}.ipynb`);
    user.willOpen(target);
    await command('saveOutputAs', { notebookEditor: { notebookUri } });
    assert.deepEqual(
      await vscode.workspace.fs.readFile(target),
      await vscode.workspace.fs.readFile(notebookUri),
    );
    assert.deepEqual(user.picks, []);
  });

  it('exports the output as a report, without the values of secret parameters', async () => {
    const execution = await runToEnd(
      ['print(f"{api_token} and {alpha} in <b>colour</b>")'],
      'alpha: 0.5\napi_token: hunter-22',
    );
    const target = vscode.Uri.joinPath(workspaceFolder(), `report-${randomUUID()}.html`);
    const reportWith = async (choice: string): Promise<string> => {
      user.willPick((pick) => {
        assert.deepEqual(pick.labels, ['With Code', 'Without Code', 'With Interactive Charts']);
        pick.choose(choice);
      });
      user.willOpen(target);
      await command('exportReport', row(execution));
      return new TextDecoder().decode(await vscode.workspace.fs.readFile(target));
    };
    const report = await reportWith('With Code');
    const message = await user.message(/^The report was saved as report-.*\.html\.$/);
    assert.ok(message.buttons.includes('Reveal'));
    assert.match(report, /default-src 'none'/);
    assert.match(report, /•••••••• and 0\.5 in &lt;b&gt;colour/);
    assert.match(report, /class="source"/);
    assert.doesNotMatch(report, /hunter|<script/);
    assert.doesNotMatch(await reportWith('Without Code'), /class="source"|hunter/);
    assert.match(await reportWith('With Interactive Charts'), /script-src/);
  });

  it('opens two outputs at once without an error, one of them requested twice', async () => {
    const [one, other] = [await runToEnd(['print(1)']), await runToEnd(['print(2)'])];
    await Promise.all([one, one, other, one].map((each) => command('openOutput', row(each))));
    assert.deepEqual(user.shownProblems, []);
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
    assert.equal(notebook.notebookType, OUTPUT_NOTEBOOK);
    assert.equal(notebook.cellCount, 1);
    assert.equal(notebook.cellAt(0).document.getText(), 'print(alpha)');
    assert.equal(outputText(notebook), '');
  });

  it('shows results as they arrive, and keeps focus and selection', async () => {
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
    // The editor reports selections a moment after they were set.
    await until('the second cell is selected still', () => editor.selection.start === 1);
    assert.equal(editor.selections.length, 1);
    assert.equal(notebook.isDirty, false);
  });

  it('opens a failed output at the cell that failed', async () => {
    const execution = await runToEnd(["print('a')", "print('b')", '1 / 0'], 'alpha: 1');
    assert.equal(execution.runStatus?.cell?.index, 3, 'one cell was inserted for the parameters');
    await command('openFailedCell', row(execution));
    const failed = await shownNotebook();
    await until('the cell is selected', () => failed.selection.start === 3);
  });

  describe('lead to the editable notebook', () => {
    const cells = ["print('a')", "print('b')", '1 / 0'];
    const shownCell = (uri: vscode.Uri) =>
      until('a cell of the notebook is selected', () => {
        const editor = vscode.window.activeNotebookEditor;
        return editor?.notebook.uri.toString() === uri.toString() && editor.selection.start > 0
          ? editor.notebook.cellAt(editor.selection.start).document.getText()
          : undefined;
      });

    it('at the failed cell, wherever it is now', async () => {
      const uri = await writeFile('moved.ipynb', notebookText(cells));
      const execution = await runToEnd(cells, 'alpha: 1', uri);
      const moved = JSON.parse(notebookText(cells)) as { cells: { id: string; source: string }[] };
      const [first, ...others] = moved.cells;
      moved.cells = [...others, first ?? assert.fail()];
      for (const cell of moved.cells) cell.source += ' # mended';
      await writeText(uri.fsPath, JSON.stringify(moved));
      await command('openSourceCell', row(execution));
      assert.equal(await shownCell(uri), '1 / 0 # mended');
      assert.equal(vscode.window.activeNotebookEditor?.notebook.notebookType, 'jupyter-notebook');
    });

    it('by the text of the cell in formats without ids', async () => {
      const old = JSON.parse(notebookText(cells)) as { nbformat_minor: number; cells: { id?: string }[] };
      old.nbformat_minor = 4;
      for (const cell of old.cells) delete cell.id;
      const uri = await writeFile('old.ipynb', JSON.stringify(old));
      const execution = await runToEnd(cells, 'alpha: 1', uri, JSON.stringify(old));
      old.cells.unshift({ ...old.cells[0] });
      await writeText(uri.fsPath, JSON.stringify(old));
      await command('openNotebook', row(execution));
      assert.equal(await shownCell(uri), '1 / 0');
    });

    it('or to the submitted copy, when the notebook is gone', async () => {
      const uri = await writeFile('gone.ipynb', notebookText(cells));
      const execution = await runToEnd(cells, '', uri);
      await vscode.workspace.fs.delete(uri);
      user.willPress(/gone is no longer where it was submitted from/, 'Open Input');
      await command('openNotebook', row(execution));
      assert.match((await shownNotebook()).notebook.uri.path, /gone\.ipynb \(input\)$/);
    });
  });

  it('are distinguished by the time in their folder, which VS Code shows for equal names', async () => {
    const uri = await writeFile('same.ipynb', notebookText(['1']));
    const execution = await runToEnd(['1'], '', uri);
    await command('openOutput', row(execution));
    const { path } = (await shownNotebook()).notebook.uri;
    const [, day, time] = /^\/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\/same\.ipynb \(output\)$/.exec(path) ?? [];
    assert.equal(
      new Date(`${String(day)}T${String(time)}`).getTime(),
      Math.floor(Date.parse(execution.createTime ?? '') / 1000) * 1000,
    );
  });

  it('as copies use the Python of the execution as their kernel, which is passed to Jupyter', async () => {
    const jupyter = vscode.extensions.getExtension<{ opened: [string, { id: string; path: string }][] }>(
      'ms-toolsai.jupyter',
    );
    const api = await jupyter?.activate();
    const python = process.env['PATH']?.split(':').map((folder) => `${folder}/python`) ?? [];
    const [interpreter] = python.filter((file) => existsSync(file));
    assert.ok(api !== undefined && interpreter !== undefined);
    const execution = await ended(
      service,
      (await run(['1'], '', undefined, undefined, { interpreter })).name,
    );
    await command('refresh');
    await command('openOutput', row(execution));
    await shownNotebook();
    await command('openCopy');
    const copy = vscode.window.activeNotebookEditor?.notebook.uri.toString();
    await until('Jupyter is told', () => api.opened.some(([uri]) => uri === copy));
    assert.equal(api.opened.find(([uri]) => uri === copy)?.[1].path, interpreter);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('as copies use the kernelspec of the execution, when it differs from the notebook’s', async () => {
    const metadata = { kernelspec: { name: 'other', display_name: 'Other', language: 'python' } };
    const execution = await runToEnd(['1'], '', undefined, notebookText(['1'], metadata));
    await command('openOutput', row(execution));
    await shownNotebook();
    await command('openCopy');
    const copy = vscode.window.activeNotebookEditor?.notebook.metadata['metadata'] as {
      kernelspec: { name: string };
    };
    assert.equal(copy.kernelspec.name, 'python3');
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
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
      // In lines: the oldest supported VS Code takes half a minute to render a line of this length.
      reset = await withSettings({ 'notebookExecutions.largeOutputSize': 0.1 });
      execution = await runToEnd(["print('begin' + ('x' * 99 + '\\n') * 2000 + 'end')"]);
    });
    after(() => reset());

    it('asks before it is opened', async () => {
      await command('openOutput', row(execution));
      const message = await user.message(/The output of \S+ is \d+ KB/);
      assert.deepEqual(message.buttons, ['Open Trimmed', 'Download…', 'Open All']);
      assert.equal(vscode.window.activeNotebookEditor, undefined);
    });

    it('is opened trimmed', async () => {
      user.willPress(/The output of/, 'Open Trimmed');
      await command('openOutput', row(execution));
      const { notebook } = await shownNotebook();
      assert.equal(notebook.notebookType, OUTPUT_NOTEBOOK);
      const text = outputText(notebook);
      assert.match(text, /^begin(?:x{99}\n)+x*\n?… \d+ KB not shown\./);
      assert.doesNotMatch(text, /end$/);
    });

    it('is opened whole', async () => {
      user.willPress(/The output of/, 'Open All');
      await command('openOutput', row(execution));
      const { notebook } = await shownNotebook();
      assert.match(outputText(notebook), /begin(?:x{99}\n){2000}end/);
    });
  });

  it('of a deleted execution are not found', async () => {
    const execution = await runToEnd(['1']);
    await command('openOutput', row(execution));
    const { uri } = (await shownNotebook()).notebook;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await service.delete(execution.name);
    await command('refresh');
    await assert.rejects(async () => vscode.workspace.fs.stat(uri), { code: 'FileNotFound' });
  });

  it('of invalid addresses are not found', async () => {
    for (const address of ['/x', '/x?kind=secret&service=embedded&name=a', '/x?kind=output']) {
      const uri = vscode.Uri.parse(`${SCHEME}:${address}`);
      await assert.rejects(async () => vscode.workspace.fs.stat(uri), { code: 'FileNotFound' });
    }
  });
});

describe('notebooks of executions', () => {
  it('are parsed like VS Code parses .ipynb', async () => {
    const data = {
      'text/plain': 'a figure',
      'image/png': 'iVBORw0KGgo=',
      'image/svg+xml': ['<svg>\n', '</svg>'],
      'application/vnd.plotly.v1+json': { data: [{ x: [1, 2] }] },
      'application/vnd.load.v0+json': '',
      'text/html': ['<b>\n', 'bold</b>'],
      'application/x-own': 'unknown',
    };
    const outputs = [
      { output_type: 'stream', name: 'stdout', text: ['one\n', 'two\n'] },
      { output_type: 'stream', name: 'stderr', text: 'three' },
      { output_type: 'display_data', data, metadata: { 'image/png': { width: 10 } } },
      { output_type: 'execute_result', data: { 'text/plain': '2' }, metadata: {}, execution_count: 7 },
      { output_type: 'error', ename: 'E', evalue: 'e', traceback: ['first', 'last'] },
    ];
    const attachments = { 'a.png': { 'image/png': 'iVBORw0KGgo=' } };
    const code = { cell_type: 'code', metadata: {}, source: '', outputs: [], execution_count: null };
    const cells = [
      { ...code, id: 'one', metadata: { tags: ['x'] }, source: ['1\n', '2'], outputs, execution_count: 7 },
      { ...code, id: 'two', metadata: { vscode: { languageId: 'sql' } }, source: 'select 1' },
      { cell_type: 'markdown', id: 'three', metadata: {}, source: '# Title', attachments },
      { cell_type: 'raw', id: 'four', metadata: { format: 'x' }, source: 'as it is' },
    ];
    for (const metadata of [
      { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' }, widgets: { a: 0.5 } },
      { language_info: { name: 'C#' } },
    ]) {
      const text = JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 });
      const content = new TextEncoder().encode(text);
      const theirs = await vscode.commands.executeCommand<vscode.NotebookData>(
        'vscode.executeDataToNotebook',
        'jupyter-notebook',
        content,
      );
      assert.deepEqual(comparable(notebookData(content)), comparable(theirs));
    }
  });

  it('show the fallback of a widget, or a note that it is not live, and keep it for a copy', () => {
    const view = { 'application/vnd.jupyter.widget-view+json': { model_id: 'x', version_major: 2 } };
    const output = (data: object) => ({ output_type: 'display_data', data, metadata: {} });
    const outputs = [
      output({ ...view, 'text/plain': 'IntSlider(value=5)' }),
      output({ ...view, 'text/plain': 'a figure', 'text/html': '<b>figure</b>' }),
    ];
    const cell = { cell_type: 'code', id: 'a', metadata: {}, source: '', outputs, execution_count: 1 };
    const text = JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 });
    const shown = notebookData(new TextEncoder().encode(text)).cells[0]?.outputs ?? [];
    const items = (each: readonly vscode.NotebookCellOutput[]) =>
      each.map((one) => one.items.map(({ mime, data }) => [mime, new TextDecoder().decode(data)]));
    assert.deepEqual(items(shown), [
      [
        [
          'text/plain',
          'IntSlider(value=5)\n\nWidgets are not live in an output. To use this one, choose Open a Copy and run the cells.',
        ],
      ],
      [
        ['text/html', '<b>figure</b>'],
        ['text/plain', 'a figure'],
      ],
    ]);
    assert.deepEqual(
      items(shown.map(originalOutput)).map((each) => each.map(([mime]) => mime)),
      outputs.map(({ data }) =>
        Object.keys(data).sort((one, other) => Number(one === 'text/plain') - Number(other === 'text/plain')),
      ),
    );
  });

  it('contain cell times in the format of nbclient and papermill', () => {
    const cell = { cell_type: 'code', source: '1', outputs: [], execution_count: 1 };
    const error = { output_type: 'error', ename: 'E', evalue: 'e', traceback: [] };
    const nbclient = {
      'iopub.execute_input': '2026-01-01T00:00:01Z',
      'shell.execute_reply': '2026-01-01T00:00:03Z',
    };
    // papermill's times have no zone and are UTC.
    const papermill = { start_time: '2026-01-01T00:00:01.5', end_time: '2026-01-01T00:00:02' };
    const cells = [
      { ...cell, id: 'a', metadata: { execution: nbclient } },
      { ...cell, id: 'b', metadata: { execution: nbclient }, outputs: [error] },
      { ...cell, id: 'c', metadata: { papermill: { ...papermill, status: 'failed' } } },
      { ...cell, id: 'd', metadata: { papermill: { start_time: null, end_time: null, status: 'pending' } } },
      { ...cell, id: 'e', metadata: { papermill: 'x', execution: 7 } },
    ];
    const text = JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });
    const start = Date.UTC(2026, 0, 1);
    const executionOrder = 1;
    assert.deepEqual(
      notebookData(new TextEncoder().encode(text)).cells.map(({ executionSummary }) => executionSummary),
      [
        { executionOrder, success: true, timing: { startTime: start + 1000, endTime: start + 3000 } },
        { executionOrder, success: false, timing: { startTime: start + 1000, endTime: start + 3000 } },
        { executionOrder, success: false, timing: { startTime: start + 1500, endTime: start + 2000 } },
        { executionOrder },
        { executionOrder },
      ],
    );
  });

  function comparable({ cells, metadata }: vscode.NotebookData): unknown {
    const { cells: _, indentAmount: __, ...others } = metadata ?? {};
    const all = cells.map((cell) => ({
      ...{ kind: cell.kind, value: cell.value, languageId: cell.languageId, metadata: cell.metadata },
      executionSummary: cell.executionSummary ?? {},
      outputs: (cell.outputs ?? []).map((output) => ({
        metadata: output.metadata,
        items: output.items.map(({ mime, data }) => [mime, Buffer.from(data).toString('latin1')]),
      })),
    }));
    return JSON.parse(JSON.stringify({ cells: all, metadata: others }));
  }
});

describe('the kernel’s log', () => {
  it('is shown to its end, including text written while it is open', async () => {
    const clock = new FakeClock();
    const { ExecutionStore, LogChannels } = shipped();
    const store = new ExecutionStore();
    const scripted = new ScriptedService();
    let log = '';
    scripted.readLog = (_execution?: unknown, from = '') => {
      const text = log.slice(Number(from), Number(from) + 4);
      return Promise.resolve({ text, next: text === '' ? from : String(Number(from) + text.length) });
    };
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
      const empty = 'The log is empty so far.\n';
      assert.equal(shown, empty);
      await clock.advance(3000);
      assert.equal(shown, empty, 'said once');
      log += 'first\n';
      await clock.advance(1000);
      assert.equal(shown, `${empty}first\n`);
      log += 'second\n';
      await clock.advance(1000);
      assert.equal(shown, `${empty}first\nsecond\n`);
      await channels.show(tracked);
      assert.equal(shown, `${empty}first\nsecond\n`, 'shown again, not read again');
      log += 'last\n';
      store.apply(store.begin(), scripted, scripted.put('a', { state: 'FAILED' }));
      await clock.advance(1000);
      assert.equal(shown, `${empty}first\nsecond\nlast\n`);
      assert.deepEqual(clock.waits(), [], 'nothing follows a log that has ended');
      channels.dispose();
    } finally {
      Reflect.set(vscode.window, 'createOutputChannel', original);
    }
  });
});
