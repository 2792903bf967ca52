import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { StatusBarItem } from '../../src/views/status-bar';
import { FakeClock } from '../unit/tracking/fake-clock';
import { FakeTreeView, FakeWindow } from './support/window';

describe('the status-bar item', () => {
  let window: FakeWindow;
  const item = {
    text: '',
    tooltip: '',
    command: '',
    shown: false,
    accessibilityInformation: undefined as vscode.AccessibilityInformation | undefined,
    backgroundColor: undefined as vscode.ThemeColor | undefined,
    show: () => (item.shown = true),
    hide: () => (item.shown = false),
    dispose: () => undefined,
  };
  const view = new FakeTreeView();
  let bar: StatusBarItem;
  let clock: FakeClock;

  beforeEach(() => {
    window = new FakeWindow();
    window.replace('createStatusBarItem', () => item);
    view.visible = false;
    clock = new FakeClock();
    bar = new StatusBarItem(window.store, view, clock);
  });
  afterEach(() => {
    bar.dispose();
    window.dispose();
  });

  it('counts active executions, opens the view, and is hidden when there are none', () => {
    assert.equal(item.shown, false);
    window.put('old', { state: 'FAILED' });
    assert.equal(item.shown, false, 'what had failed before is history');
    window.put('a');
    window.put('b', { state: 'QUEUED' });
    assert.deepEqual(
      [item.shown, item.text, item.tooltip, item.command],
      [true, '$(sync~spin) 2', '2 notebook executions are active', 'notebookExecutions.explorer.focus'],
    );
    window.put('a', { state: 'SUCCEEDED' });
    window.put('b', { state: 'CANCELLED' });
    assert.equal(item.shown, false);
  });

  it('shows the cells and time of a single run', async () => {
    window.put('a', {
      displayName: 'sales $(trash)',
      runStatus: {
        startTime: new Date(clock.now() - 28_000).toISOString(),
        progress: { totalCells: 9, completedCells: 3 },
      },
    });
    assert.equal(item.text, '$(sync~spin) sales $ (trash) 3/9 cells · 28 s');
    assert.equal(item.accessibilityInformation?.label, 'The notebook execution sales $ (trash) is running');
    await clock.advance(1000);
    assert.equal(item.text, '$(sync~spin) sales $ (trash) 3/9 cells · 29 s');
    window.put('b', { state: 'QUEUED' });
    assert.equal(item.text, '$(sync~spin) 2');
    assert.deepEqual(clock.waits(), []);
    window.put('a', { state: 'SUCCEEDED' });
    assert.equal(item.text, '$(clock) b Queued');
  });

  it('shows new failures until the view is opened', () => {
    window.put('a');
    window.put('a', { state: 'FAILED' });
    assert.deepEqual(
      [item.shown, item.text, item.accessibilityInformation?.label],
      [true, '$(error) 1', '1 notebook execution has failed'],
    );
    assert.ok(item.backgroundColor !== undefined);
    view.show(true);
    assert.equal(item.shown, false);
  });
});
