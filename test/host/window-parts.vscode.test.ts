import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Execution } from '../../src/execution/execution';
import { ExecutionStore, type TrackedExecution } from '../../src/tracking/execution-store';
import { CompletionMessages, type CompletionSettings } from '../../src/views/completion-messages';
import { NO_FILTER } from '../../src/views/explorer/arrangement';
import { ExplorerView } from '../../src/views/explorer/explorer-view';
import { StatusBarItem } from '../../src/views/status-bar';
import { FakeClock } from '../unit/tracking/fake-clock';
import { ScriptedService } from '../unit/tracking/scripted-service';
import { Person } from './support/person';

/** A tree view without a screen: what `createTreeView` answers here. */
class FakeTreeView {
  visible = false;
  badge: vscode.ViewBadge | undefined;
  description: string | undefined;
  message: string | undefined;
  readonly selection = [];
  readonly visibility = new vscode.EventEmitter<{ visible: boolean }>();
  readonly onDidChangeVisibility = this.visibility.event;
  readonly onDidCollapseElement = new vscode.EventEmitter<unknown>().event;
  readonly onDidExpandElement = new vscode.EventEmitter<unknown>().event;
  readonly revealed: unknown[] = [];

  show(visible: boolean): void {
    this.visible = visible;
    this.visibility.fire({ visible });
  }

  reveal(node: unknown): Promise<void> {
    this.revealed.push(node);
    return Promise.resolve();
  }

  dispose(): void {
    this.visibility.dispose();
  }
}

class FakeMemento implements vscode.Memento {
  private readonly values = new Map<string, unknown>();
  keys = (): string[] => [...this.values.keys()];
  get(key: string): undefined {
    return this.values.get(key) as undefined;
  }
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, value);
    return Promise.resolve();
  }
}

describe('parts of the window', () => {
  let store: ExecutionStore;
  let service: ScriptedService;
  const originals = new Map<string, unknown>();

  function replace(name: keyof typeof vscode.window, fake: unknown): void {
    originals.set(name, Reflect.get(vscode.window, name));
    assert.ok(Reflect.set(vscode.window, name, fake));
  }
  const put = (id: string, fields: Partial<Execution> = {}): TrackedExecution =>
    store.apply(store.begin(), service, service.put(id, fields));

  beforeEach(() => {
    store = new ExecutionStore();
    service = new ScriptedService();
    store.addService(service);
  });
  afterEach(() => {
    store.dispose();
    for (const [name, original] of originals) Reflect.set(vscode.window, name, original);
    originals.clear();
  });

  describe('the status-bar item', () => {
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
      replace('createStatusBarItem', () => item);
      view.visible = false;
      bar = new StatusBarItem(store, view);
    });
    afterEach(() => {
      bar.dispose();
    });

    it('counts what is active, opens the view, and is away where there is nothing', () => {
      assert.equal(item.shown, false);
      put('old', { state: 'FAILED' });
      assert.equal(item.shown, false, 'what had failed before is history');
      put('a');
      put('b', { state: 'QUEUED' });
      assert.deepEqual(
        [item.shown, item.text, item.tooltip, item.command],
        [true, '$(sync~spin) 2', '2 notebook executions are active', 'notebookExecutions.explorer.focus'],
      );
      put('a', { state: 'SUCCEEDED' });
      put('b', { state: 'CANCELLED' });
      assert.equal(item.shown, false);
    });

    it('says what has newly failed until the view is seen', () => {
      put('a');
      put('a', { state: 'FAILED' });
      assert.deepEqual(
        [item.shown, item.text, item.accessibilityInformation?.label],
        [true, '$(error) 1', '1 notebook execution has failed'],
      );
      assert.ok(item.backgroundColor !== undefined);
      view.show(true);
      assert.equal(item.shown, false);
    });
  });

  describe('the view', () => {
    const memento = new FakeMemento();
    let tree: FakeTreeView;
    let clock: FakeClock;
    let explorer: ExplorerView;
    let watched: boolean | undefined;

    function open(): void {
      tree = new FakeTreeView();
      clock = new FakeClock();
      replace('createTreeView', () => tree);
      const tracking = {
        store,
        setWatched: (value: boolean) => (watched = value),
        loadMore: () => Promise.resolve(),
      };
      const monitor = {
        info: undefined,
        onDidChange: () => ({ dispose: () => undefined }),
        setWatched: () => undefined,
      };
      explorer = new ExplorerView({ tracking, monitor, clock, memento, describeError: String });
    }
    beforeEach(open);
    afterEach(() => {
      explorer.dispose();
    });

    it('wears a badge with the number of the active ones', () => {
      assert.equal(tree.badge, undefined);
      put('a');
      put('b');
      assert.deepEqual(tree.badge, { value: 2, tooltip: '2 active executions' });
      put('a', { state: 'SUCCEEDED' });
      assert.deepEqual(tree.badge, { value: 1, tooltip: '1 active execution' });
      put('b', { state: 'SUCCEEDED' });
      assert.equal(tree.badge, undefined);
    });

    it('says what is filtered', async () => {
      put('a', { state: 'SUCCEEDED' });
      await explorer.arrange({ filter: { ...NO_FILTER, text: ' price ' } });
      assert.equal(tree.description, 'filtered: price');
      await explorer.arrange({ filter: { ...NO_FILTER, states: ['succeeded'] } });
      assert.equal(tree.description, 'filtered');
      await explorer.arrange({ filter: NO_FILTER });
      assert.equal(tree.description, '');
    });

    it('is arranged after a reload as it was before', async () => {
      await explorer.arrange({ grouping: 'notebook', sorting: 'name', filter: { ...NO_FILTER, text: 'x' } });
      explorer.dispose();
      open();
      const { grouping, sorting, filter } = explorer.arrangement;
      assert.deepEqual([grouping, sorting, filter.text], ['notebook', 'name', 'x']);
      assert.equal(tree.description, 'filtered: x');
      await explorer.arrange({ grouping: 'state', sorting: 'newest', filter: NO_FILTER });
    });

    it('is watched, and its times go on, while it is seen', async () => {
      put('a');
      assert.deepEqual(clock.waits(), []);
      tree.show(true);
      assert.equal(watched, true);
      assert.deepEqual(clock.waits(), [1000]);
      tree.show(false);
      assert.equal(watched, false);
      await clock.pass(1000);
      assert.deepEqual(clock.waits(), []);
    });

    it('reveals an execution, also one behind “Load more”', async () => {
      const all = Array.from({ length: 250 }, (_, index) =>
        put(`e${String(index)}`, {
          state: 'SUCCEEDED',
          createTime: new Date(1e12 - index * 1000).toISOString(),
        }),
      );
      const last = all.at(-1);
      assert.ok(last !== undefined);
      await explorer.reveal(last.key);
      assert.deepEqual(tree.revealed, [explorer.provider.nodeOf(last.key)]);
      const [group] = await explorer.provider.getChildren();
      assert.equal((await explorer.provider.getChildren(group)).length, 250);
    });
  });

  describe('messages at the end', () => {
    let person: Person;
    let settings: CompletionSettings;
    let opened: [string, boolean | undefined][];
    let revealed: string[];
    let messages: CompletionMessages;

    beforeEach(() => {
      person = new Person();
      settings = { openOutput: 'never', notifySuccess: true, notifyFailure: true, endCommand: '' };
      opened = [];
      revealed = [];
      messages = new CompletionMessages({
        documents: {
          open: ({ execution }, options) => {
            opened.push([execution.displayName ?? '', options?.background]);
            return Promise.resolve(undefined);
          },
        },
        explorer: {
          reveal: (key) => {
            revealed.push(key);
            return Promise.resolve();
          },
        },
        settings: () => settings,
        describeError: String,
        log: () => undefined,
      });
    });
    afterEach(() => {
      person.leave();
    });
    const end = (id: string, state = 'SUCCEEDED'): TrackedExecution =>
      put(id, { state, displayName: id, runStatus: { startTime: '2026-01-01T00:00:00Z' } });
    const texts = (): string[] => person.messages.map(({ kind, text }) => `${kind}: ${text}`);

    it('are one for many that end together', async () => {
      await messages.present([end('a'), end('b'), end('c', 'FAILED'), end('d', 'CANCELLED')]);
      assert.deepEqual(texts(), ['error: 3 executions ended: 2 succeeded, 1 failed.']);
    });

    it('offer what can be done with the one that ended', async () => {
      person.willPress(/^b failed/, 'Show Execution');
      const failed = end('b', 'FAILED');
      await messages.present([failed]);
      assert.deepEqual(revealed, [failed.key]);
      person.willPress(/^a succeeded/, 'Open Output');
      await messages.present([end('a')]);
      assert.deepEqual(opened, [['a', false]]);
      assert.deepEqual(person.messages[1]?.buttons, ['Open Output', 'Show Execution']);
    });

    it('are as notebookExecutions.notifySuccess and notebookExecutions.notifyFailure say', async () => {
      settings = { ...settings, notifySuccess: false };
      await messages.present([end('a'), end('b', 'FAILED')]);
      assert.deepEqual(texts(), ['error: b failed.'].slice(0, texts().length));
      assert.match(texts()[0] ?? '', /^error: b failed/);
      settings = { ...settings, notifySuccess: true, notifyFailure: false };
      await messages.present([end('c'), end('d', 'FAILED')]);
      assert.equal(person.messages.length, 2);
      assert.match(texts()[1] ?? '', /^information: c succeeded/);
    });

    it('give way to the outputs themselves, unless these are many', async () => {
      settings = { ...settings, openOutput: 'always' };
      await messages.present([end('a'), end('b')]);
      assert.deepEqual(opened, [
        ['a', true],
        ['b', true],
      ]);
      assert.deepEqual(texts(), []);
      await messages.present(['a', 'b', 'c', 'd'].map((id) => end(id)));
      assert.equal(opened.length, 2);
      assert.deepEqual(texts(), ['information: 4 executions succeeded.']);
      settings = { ...settings, openOutput: 'ask', notifySuccess: false };
      await messages.present([end('e')]);
      assert.match(texts()[1] ?? '', /^information: e succeeded/);
    });

    it('show names of strangers as text in one line, without links', async () => {
      const source = `file:///w/${encodeURIComponent('a"b\n<b>x</b> [y](command:z) אבג')}.ipynb`;
      await messages.present([put('x', { state: 'SUCCEEDED', runOptions: { source } })]);
      assert.match(
        texts()[0] ?? '',
        /^information: \u2068a"b <b>x<\/b> \[y\] \(command:z\) אבג\u2069 succeeded/,
      );
    });
  });
});
