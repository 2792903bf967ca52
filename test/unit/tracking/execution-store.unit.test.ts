import assert from 'node:assert/strict';
import { ExecutionStore, type StoreChange } from '../../../src/tracking/execution-store';
import { nameOf, ScriptedService } from './scripted-service';

describe('ExecutionStore', () => {
  const service = new ScriptedService();
  let store: ExecutionStore;
  let changes: Record<keyof StoreChange, string[]>[];

  beforeEach(() => {
    store = new ExecutionStore();
    store.addService(service);
    changes = [];
    store.onDidChange(({ added, changed, removed }) => {
      const ids = (list: StoreChange['added']) =>
        list.map(({ execution }) => `${execution.name.split('/').at(-1) ?? ''}:${execution.state}`);
      changes.push({ added: ids(added), changed: ids(changed), removed: ids(removed) });
    });
  });

  const time = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`;
  const execution = (id: string, state: string, extra: object = {}) => ({
    name: nameOf(id),
    state,
    createTime: time(0),
    ...extra,
  });
  const apply = (id: string, state: string, extra: object = {}) =>
    store.apply(store.begin(), service, execution(id, state, extra));
  const stateOf = (id: string) => store.find(service.id, nameOf(id))?.execution.state;

  it('fires one event for each answer, and none for an answer with nothing new', () => {
    const page = { executions: [execution('a', 'RUNNING'), execution('b', 'SUCCEEDED')] };
    store.applyFirstPage(store.begin(), service, page);
    store.applyFirstPage(store.begin(), service, structuredClone(page));
    store.applyFirstPage(store.begin(), service, {
      executions: [execution('a', 'FAILED'), execution('c', 'QUEUED')],
    });
    assert.deepEqual(changes, [
      { added: ['a:RUNNING', 'b:SUCCEEDED'], changed: [], removed: [] },
      { added: ['c:QUEUED'], changed: ['a:FAILED'], removed: ['b:SUCCEEDED'] },
    ]);
  });

  it('creates a new object for a changed execution and keeps the old one unchanged', () => {
    const before = apply('a', 'RUNNING');
    const after = apply('a', 'SUCCEEDED');
    assert.equal(before.execution.state, 'RUNNING');
    assert.equal(store.get(before.key), after);
  });

  it('keeps executions of the same name on two services separate', () => {
    const other = new ScriptedService('other');
    store.addService(other);
    apply('a', 'RUNNING');
    store.apply(store.begin(), other, execution('a', 'FAILED'));
    assert.equal(stateOf('a'), 'RUNNING');
    assert.equal(store.all().length, 2);
    assert.deepEqual(
      store.activeOnes().map((tracked) => tracked.service.id),
      ['test'],
    );
  });

  describe('order', () => {
    it('ignores a late answer that is older than the known state', () => {
      const early = store.begin();
      const late = store.begin();
      store.apply(late, service, execution('a', 'RUNNING'));
      store.apply(early, service, execution('a', 'QUEUED'));
      assert.equal(stateOf('a'), 'RUNNING');
    });

    it('does not remove what was created after the list was asked for', () => {
      const list = store.begin();
      apply('new', 'SUCCEEDED');
      store.applyFirstPage(list, service, { executions: [] });
      assert.equal(stateOf('new'), 'SUCCEEDED');
    });

    it('does not bring back what was removed after the list was asked for', () => {
      apply('a', 'SUCCEEDED');
      const list = store.begin();
      store.remove(store.begin(), service.id, nameOf('a'));
      store.applyFirstPage(list, service, { executions: [execution('a', 'SUCCEEDED')] });
      assert.equal(stateOf('a'), undefined);
      apply('a', 'QUEUED', { createTime: time(5) });
      assert.equal(stateOf('a'), 'QUEUED', 'the same id may be used again');
    });

    it('remembers the last thousand removals, each from its latest report', () => {
      const remove = (id: string) => {
        store.remove(store.begin(), service.id, nameOf(id));
      };
      remove('a');
      remove('b');
      const late = store.begin();
      remove('a');
      for (let index = 0; index < 999; index++) remove(`x${String(index)}`);
      store.apply(late, service, execution('a', 'SUCCEEDED'));
      assert.equal(stateOf('a'), undefined);
      remove('y');
      store.apply(late, service, execution('a', 'SUCCEEDED'));
      assert.equal(stateOf('a'), 'SUCCEEDED');
    });

    it('does not remove anything because of an answer older than the known state', () => {
      const get = store.begin();
      apply('a', 'RUNNING');
      store.remove(get, service.id, nameOf('a'));
      assert.equal(stateOf('a'), 'RUNNING');
    });
  });

  describe('terminal states', () => {
    for (const state of ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED']) {
      it(`${state} is final for its attempt`, () => {
        apply('a', state);
        for (const other of ['RUNNING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'SOMETHING_NEW'])
          apply('a', other);
        assert.equal(stateOf('a'), state);
      });
    }

    it('accepts changes of a finished execution that do not affect its state', () => {
      apply('a', 'SUCCEEDED');
      apply('a', 'SUCCEEDED', { outputNotebookFile: 'file:///out.ipynb' });
      assert.equal(store.find('test', nameOf('a'))?.execution.outputNotebookFile, 'file:///out.ipynb');
    });

    it('is replaced by the next attempt, and never by an earlier one', () => {
      apply('a', 'FAILED', { runStatus: { attempt: 1 } });
      apply('a', 'RUNNING', { runStatus: { attempt: 2 } });
      assert.equal(stateOf('a'), 'RUNNING');
      apply('a', 'FAILED', { runStatus: { attempt: 1 } });
      assert.equal(stateOf('a'), 'RUNNING');
    });

    it('accepts every final state after CANCELLING', () => {
      apply('a', 'CANCELLING');
      apply('a', 'SUCCEEDED');
      assert.equal(stateOf('a'), 'SUCCEEDED');
    });

    it('keeps an unknown state', () => {
      apply('a', 'SOMETHING_NEW');
      assert.equal(stateOf('a'), 'SOMETHING_NEW');
      assert.equal(store.activeOnes().length, 0);
    });
  });

  describe('pages', () => {
    const page = (from: number, to: number, nextPageToken?: string) => ({
      executions: Array.from({ length: to - from }, (_, index) =>
        execution(`e${String(from + index)}`, 'SUCCEEDED', { createTime: time(59 - from - index) }),
      ),
      nextPageToken,
    });

    it('keeps older executions that the first page does not contain', () => {
      store.applyFirstPage(store.begin(), service, page(0, 3, '3'));
      store.applyOlderPage(store.begin(), service, page(3, 6, '6'));
      store.applyFirstPage(store.begin(), service, page(0, 3, '3'));
      assert.equal(store.all().length, 6);
      assert.equal(store.status('test')?.nextPageToken, '6', 'the first page does not turn back the pages');
    });

    it('removes executions that the first page should contain and does not', () => {
      store.applyFirstPage(store.begin(), service, page(0, 4, '4'));
      const { executions } = page(0, 4);
      store.applyFirstPage(store.begin(), service, {
        executions: executions.filter((_, i) => i !== 1),
        nextPageToken: '4',
      });
      assert.equal(stateOf('e1'), undefined);
      assert.equal(store.all().length, 3);
    });

    it('leaves active executions that are missing from a list to a get', () => {
      apply('a', 'RUNNING');
      store.applyFirstPage(store.begin(), service, { executions: [] });
      assert.equal(stateOf('a'), 'RUNNING');
    });
  });

  it('keeps the executions of a service that fails, and reports the failure', () => {
    apply('a', 'RUNNING');
    const error = new Error('offline');
    store.fail(service, error);
    assert.equal(store.all().length, 1);
    assert.equal(store.status('test')?.error, error);
    store.succeed(service);
    assert.equal(store.status('test')?.error, undefined);
  });

  it('hides executions without forgetting them', () => {
    const { key } = apply('a', 'RUNNING');
    store.setHidden(key, true);
    assert.deepEqual([store.get(key), store.all(), store.activeOnes()], [undefined, [], []]);
    apply('a', 'SUCCEEDED');
    store.setHidden(key, false);
    assert.equal(stateOf('a'), 'SUCCEEDED');
    assert.deepEqual(changes.slice(1), [
      { added: [], changed: [], removed: ['a:RUNNING'] },
      { added: ['a:SUCCEEDED'], changed: [], removed: [] },
    ]);
  });

  it('forgets a removed service and ignores its later answers', () => {
    apply('a', 'RUNNING');
    store.removeService('test');
    assert.deepEqual(changes.at(-1), { added: [], changed: [], removed: ['a:RUNNING'] });
    store.fail(service, new Error('late'));
    assert.deepEqual(store.statuses(), []);
  });

  it('applies a page to 10,000 executions without iterating over all of them', () => {
    let looks = 0;
    const counted = Object.defineProperty(new ScriptedService('counted'), 'id', {
      get: () => {
        looks += 1;
        return 'counted';
      },
    });
    store.addService(counted);
    const old = (id: string) => execution(id, 'SUCCEEDED', { createTime: time(1) });
    store.applyOlderPage(store.begin(), counted, {
      executions: Array.from({ length: 10_000 }, (_, index) => old(`e${String(index)}`)),
    });
    const active = (state: string) => execution('active', state, { createTime: time(9) });
    store.apply(store.begin(), counted, active('RUNNING'));
    changes.length = 0;
    looks = 0;
    const page = { executions: [active('SUCCEEDED')], nextPageToken: '1' };
    store.applyFirstPage(store.begin(), counted, page);
    store.applyKnownPage(store.begin(), counted, page, Date.parse(time(9)));
    assert.equal(store.knowsOlder('counted', Date.parse(time(9))), true);
    assert.deepEqual(changes, [{ added: [], changed: ['active:SUCCEEDED'], removed: [] }]);
    assert.ok(looks < 100, `${String(looks)} executions were looked at`);
  });

  it('moves an execution to its new place when it reuses the name of an earlier one', () => {
    const at = (minute: number) => execution('a', 'SUCCEEDED', { createTime: time(minute) });
    store.apply(store.begin(), service, at(1));
    store.apply(store.begin(), service, at(5));
    assert.equal(store.knowsOlder(service.id, Date.parse(time(3))), false);
    const page = { executions: [execution('b', 'SUCCEEDED', { createTime: time(4) })], nextPageToken: '1' };
    store.applyFirstPage(store.begin(), service, page);
    assert.equal(stateOf('a'), undefined, 'the page reaches down to 4, and does not name it');
  });

  it('removes executions that a page covers also when several have the same time, and forgets their time', () => {
    const at = (id: string, minute: number) => execution(id, 'SUCCEEDED', { createTime: time(minute) });
    store.applyOlderPage(store.begin(), service, {
      executions: [
        at('a', 3),
        at('b', 3),
        at('c', 3),
        at('d', 1),
        execution('e', 'FAILED', { createTime: '' }),
      ],
    });
    store.applyKnownPage(store.begin(), service, { executions: [at('d', 1)], nextPageToken: '1' }, Infinity);
    assert.deepEqual(changes.at(-1)?.removed.sort(), ['a:SUCCEEDED', 'b:SUCCEEDED', 'c:SUCCEEDED']);
    assert.equal(store.knowsOlder(service.id, Date.parse(time(3))), true);
    store.remove(store.begin(), service.id, nameOf('d'));
    assert.equal(store.knowsOlder(service.id, Infinity), false);
    assert.equal(store.isEmpty, false);
    // Its creation time is unknown: it is removed only if the page contains all executions.
    store.applyFirstPage(store.begin(), service, { executions: [] });
    assert.equal(store.isEmpty, true);
  });
});
