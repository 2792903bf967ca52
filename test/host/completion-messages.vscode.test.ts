import assert from 'node:assert/strict';
import { type TrackedExecution } from '../../src/tracking/execution-store';
import { CompletionMessages, type CompletionSettings } from '../../src/views/completion-messages';
import { FakeWindow } from './support/window';
import { Person } from './support/person';

describe('messages at the end', () => {
  let window: FakeWindow;
  let person: Person;
  let settings: CompletionSettings;
  let opened: [string, boolean | undefined][];
  let revealed: string[];
  let messages: CompletionMessages;

  beforeEach(() => {
    window = new FakeWindow();
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
    window.dispose();
  });
  const end = (id: string, state = 'SUCCEEDED'): TrackedExecution =>
    window.put(id, { state, displayName: id, runStatus: { startTime: '2026-01-01T00:00:00Z' } });
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
    await messages.present([window.put('x', { state: 'SUCCEEDED', runOptions: { source } })]);
    assert.match(
      texts()[0] ?? '',
      /^information: \u2068a"b <b>x<\/b> \[y\] \(command:z\) אבג\u2069 succeeded/,
    );
  });
});
