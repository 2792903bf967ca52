import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { StatusBarItem } from '../../src/views/status-bar';
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

  beforeEach(() => {
    window = new FakeWindow();
    window.replace('createStatusBarItem', () => item);
    view.visible = false;
    bar = new StatusBarItem(window.store, view);
  });
  afterEach(() => {
    bar.dispose();
    window.dispose();
  });

  it('counts what is active, opens the view, and is away where there is nothing', () => {
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

  it('says what has newly failed until the view is seen', () => {
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
