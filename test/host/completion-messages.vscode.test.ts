import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { type TrackedExecution } from '../../src/tracking/execution-store';
import { CompletionMessages } from '../../src/views/notifications/completion-messages';
import {
  completionSettings,
  type CompletionSettings,
} from '../../src/views/notifications/completion-settings';
import { FakeWindow } from './support/window';
import { TestUser } from './support/test-user';

describe('messages when executions end', () => {
  let window: FakeWindow;
  let user: TestUser;
  let settings: CompletionSettings;
  /** Names of opened outputs, and whether they opened automatically. */
  let opened: [string, boolean][];
  let inUse: boolean;
  let revealed: string[];
  let messages: CompletionMessages;

  beforeEach(() => {
    window = new FakeWindow();
    user = new TestUser();
    settings = { openOutput: 'never', notify: 'all', endCommand: '' };
    opened = [];
    inUse = false;
    revealed = [];
    messages = new CompletionMessages({
      documents: {
        open: ({ execution }, options) => {
          if (options?.mayShow?.() !== false)
            opened.push([execution.displayName ?? '', options?.mayShow !== undefined]);
          return Promise.resolve(undefined);
        },
      },
      editor: { givesWayTo: () => !inUse },
      explorer: {
        reveal: (key) => {
          revealed.push(key);
          return Promise.resolve();
        },
      },
      settings: () => settings,
      log: () => undefined,
    });
  });
  afterEach(() => {
    user.leave();
    window.dispose();
  });
  const end = (id: string, state = 'SUCCEEDED'): TrackedExecution =>
    window.put(id, { state, displayName: id, runStatus: { startTime: '2026-01-01T00:00:00Z' } });
  const present = (executions: TrackedExecution[], batch = false): Promise<void> =>
    messages.present({ executions, batch });
  const texts = (): string[] => user.messages.map(({ kind, text }) => `${kind}: ${text}`);

  it('are combined for many that end together', async () => {
    await present([end('a'), end('b'), end('c', 'FAILED'), end('d', 'CANCELLED')]);
    assert.deepEqual(texts(), ['error: 3 executions ended: 2 succeeded, 1 failed: c.']);
  });

  it('offer actions for the execution that ended', async () => {
    user.willPress(/^b failed/, 'Show Execution');
    const failed = end('b', 'FAILED');
    await present([failed]);
    assert.deepEqual(revealed, [failed.key]);
    user.willPress(/^a succeeded/, 'Open Output');
    await present([end('a')]);
    assert.deepEqual(opened, [['a', false]]);
    assert.deepEqual(user.messages[1]?.buttons, ['Open Output', 'Show Execution']);
  });

  it('follow notebookExecutions.notify', async () => {
    settings = { ...settings, notify: 'failures' };
    await present([end('a'), end('b', 'FAILED')]);
    assert.deepEqual(texts(), ['error: b failed.'].slice(0, texts().length));
    assert.match(texts()[0] ?? '', /^error: b failed/);
    settings = { ...settings, notify: 'successes' };
    await present([end('c'), end('d', 'FAILED')]);
    assert.equal(user.messages.length, 2);
    assert.match(texts()[1] ?? '', /^information: c succeeded/);
  });

  it('follow notebookExecutions.notifySuccess and notebookExecutions.notifyFailure while notify is not set', async () => {
    const configuration = vscode.workspace.getConfiguration('notebookExecutions');
    const set = async (name: string, value: unknown): Promise<void> =>
      configuration.update(name, value, vscode.ConfigurationTarget.Global);
    const before = ['notify', 'notifySuccess', 'notifyFailure'].map(
      (name) => [name, configuration.inspect(name)?.globalValue] as const,
    );
    try {
      const found: string[] = [];
      for (const notify of [undefined, 'none', 'no such value']) {
        await set('notify', notify);
        for (const success of [true, false]) {
          for (const failure of [true, false]) {
            await set('notifySuccess', success);
            await set('notifyFailure', failure);
            found.push(completionSettings().notify);
          }
        }
      }
      const expected = ['all', 'successes', 'failures', 'none'];
      assert.deepEqual(found, [...expected, ...expected.map(() => 'none'), ...expected.map(() => 'all')]);
    } finally {
      for (const [name, value] of before) await set(name, value);
    }
  });

  it('are replaced by the output itself, unless several end together', async () => {
    settings = { ...settings, openOutput: 'always', notify: 'failures' };
    await present([end('a')]);
    assert.deepEqual(opened, [['a', true]]);
    assert.deepEqual(texts(), []);
    await present(['b', 'c'].map((id) => end(id)));
    assert.equal(opened.length, 1);
    assert.deepEqual(texts(), ['information: 2 executions succeeded.']);
    settings = { ...settings, openOutput: 'ask' };
    await present([end('e')]);
    assert.match(texts()[1] ?? '', /^information: e succeeded/);
  });

  it('offer the output when the user is working in the active editor', async () => {
    settings = { ...settings, openOutput: 'always', notify: 'failures' };
    inUse = true;
    user.willPress(/^a succeeded/, 'Open Output');
    await present([end('a')]);
    assert.deepEqual(opened, [['a', false]]);
  });

  it('open no output for a batch, however many of it remain to be reported, and list failures', async () => {
    settings = { ...settings, openOutput: 'always' };
    await present([end('a'), end('b', 'CANCELLED')], true);
    assert.deepEqual(opened, []);
    assert.match(texts()[0] ?? '', /^information: a succeeded/);
    const ids = Array.from({ length: 7 }, (_, index) => `bad ${String(index)}`);
    user.willPress(/7 failed/, 'Show Failed…');
    user.willPick((pick) => {
      assert.deepEqual([...pick.labels].sort(), ids);
      pick.choose('bad 6');
    });
    await present([end('c'), ...ids.map((id) => end(id, 'FAILED'))], true);
    assert.equal(
      texts()[1],
      'error: 8 executions ended: 1 succeeded, 7 failed: bad 0, bad 1, bad 2, bad 3, bad 4, ….',
    );
    assert.deepEqual(opened, [['bad 6', false]]);
  });

  it('lead from a failure to the notebook', async () => {
    const source = { runOptions: { source: 'file:///w/x.ipynb' } };
    const buttons = async (cell?: { index: number; errorName: string }): Promise<string[] | undefined> => {
      const runStatus = { startTime: '2026-01-01T00:00:00Z', ...(cell === undefined ? {} : { cell }) };
      await present([window.put('x', { state: 'FAILED', runStatus, ...source })]);
      return user.messages.at(-1)?.buttons.slice();
    };
    assert.deepEqual(await buttons({ index: 1, errorName: 'KeyError' }), [
      'Open Output',
      'Go to Source Cell',
      'Show Execution',
    ]);
    assert.deepEqual(await buttons(), ['Open Output', 'Open Notebook', 'Show Execution']);
  });

  it('show names of notebooks as text in one line, without links', async () => {
    const source = `file:///w/${encodeURIComponent('a"b\n<b>x</b> [y](command:z) אבג')}.ipynb`;
    await present([window.put('x', { state: 'SUCCEEDED', runOptions: { source } })]);
    assert.match(
      texts()[0] ?? '',
      /^information: \u2068a"b <b>x<\/b> \[y\] \(command:z\) אבג\u2069 succeeded/,
    );
  });
});
