import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RunStatus } from '../../src/execution/execution';
import { trackedOf } from '../../src/views/explorer/nodes';
import { CellStatus } from '../../src/views/source/cell-status';
import { FileDecorations } from '../../src/views/source/file-decorations';
import { LatestExecutions } from '../../src/views/source/latest-executions';
import { FakeClock } from '../unit/tracking/fake-clock';
import { notebookText, writeFile } from './support/executions';
import { FakeWindow } from './support/window';

describe('a source notebook', () => {
  let window: FakeWindow;
  let clock: FakeClock;
  let latest: LatestExecutions;
  let status: CellStatus;
  let decorations: FileDecorations;
  let document: vscode.NotebookDocument;

  before(async () => {
    const text = notebookText([{ source: 'a = 1', tags: ['parameters'] }, 'train()', '1 / 0']);
    document = await vscode.workspace.openNotebookDocument(await writeFile('source.ipynb', text));
  });
  beforeEach(() => {
    window = new FakeWindow();
    clock = new FakeClock();
    latest = new LatestExecutions(window.store);
    status = new CellStatus(latest, clock);
    decorations = new FileDecorations(latest);
  });
  afterEach(async () => {
    status.dispose();
    decorations.dispose();
    latest.dispose();
    window.dispose();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  const time = (seconds: number) => new Date(clock.now() + seconds * 1000).toISOString();
  const put = (id: string, state: string, created: number, runStatus: RunStatus = {}) =>
    window.put(id, {
      state,
      createTime: time(created),
      runOptions: { source: document.uri.toString() },
      runStatus: { startTime: time(created), ...runStatus },
    });
  /** An output has an additional cell for the parameters. */
  const running: RunStatus = {
    progress: { totalCells: 4, completedCells: 2, cell: { index: 2, id: 'cell-1', startTime: time28() } },
  };
  function time28(): string {
    return new Date(new FakeClock().now() - 28_000).toISOString();
  }
  const failure: RunStatus = {
    cause: 'cellError',
    cell: { index: 3, id: 'cell-2', errorName: 'KeyError $(x)', errorValue: "'price'" },
  };
  const items = () =>
    document.getCells().map((cell) => status.provideCellStatusBarItems(cell).map(({ text }) => text));
  const badge = () => decorations.provideFileDecoration(document.uri);

  it('shows which cell runs and for how long, and then which one failed', () => {
    assert.deepEqual(items(), [['$(symbol-parameter) Parameters'], [], []]);
    assert.equal(badge(), undefined);
    const { key } = put('a', 'RUNNING', -60, running);
    assert.deepEqual(items(), [['$(symbol-parameter) Parameters'], ['$(sync~spin) running 28 s'], []]);
    assert.deepEqual([badge()?.badge, badge()?.tooltip], ['▸', 'Notebook execution: Running']);
    const [item] = status.provideCellStatusBarItems(document.cellAt(1));
    assert.ok(item !== undefined && typeof item.command === 'object');
    assert.equal(trackedOf(item.command.arguments?.[0])?.key, key);
    assert.equal(item.command.arguments?.[1], 2, 'the cell of the output');

    put('a', 'FAILED', -60, failure);
    assert.deepEqual(items(), [['$(symbol-parameter) Parameters'], [], ['$(error) KeyError $ (x)']]);
    assert.equal(badge()?.badge, '✗');
    assert.match(badge()?.tooltip ?? '', /^The last notebook execution failed\. Cell 4 failed: KeyError/);
    put('b', 'SUCCEEDED', -5);
    assert.deepEqual(items().slice(1), [[], []]);
    assert.equal(badge(), undefined);
  });

  it('shows its latest execution, regardless of the order of updates, and the previous one when that is deleted', () => {
    const newest = put('new', 'SUCCEEDED', -10);
    put('old', 'FAILED', -100, failure);
    assert.equal(badge(), undefined);
    window.store.remove(window.store.begin(), newest.service.id, newest.execution.name);
    assert.equal(badge()?.badge, '✗');
    assert.deepEqual(items()[2], ['$(error) KeyError $ (x)']);
  });

  it('redraws the elapsed time only while it is visible and changes', async () => {
    let drawn = 0;
    status.onDidChangeCellStatusBarItems(() => drawn++);
    put('a', 'RUNNING', -60, running);
    assert.deepEqual([drawn, clock.waits()], [0, []]);
    await vscode.window.showNotebookDocument(document);
    put('a', 'RUNNING', -60, { ...running, peakMemoryBytes: 1 });
    assert.deepEqual(clock.waits(), [1000]);
    const before = drawn;
    await clock.advance(2000);
    assert.equal(drawn, before + 2);
    put('a', 'SUCCEEDED', -60);
    await clock.advance(1000);
    assert.deepEqual(clock.waits(), []);
  });
});
