import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { NO_FILTER } from '../../src/views/explorer/arrangement';
import type { ExplorerView } from '../../src/views/explorer/explorer-view';
import { until } from '../support/until';
import { FakeClock } from '../unit/tracking/fake-clock';
import { shipped } from './support/executions';
import { FakeTreeView, FakeWindow } from './support/window';

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

describe('the view of executions', () => {
  let window: FakeWindow;
  const memento = new FakeMemento();
  let tree: FakeTreeView;
  let clock: FakeClock;
  let explorer: ExplorerView;
  let watched: boolean | undefined;
  let loadMore: () => Promise<void>;
  let search: (filter: string, services: readonly string[]) => Promise<void>;

  function open(): void {
    loadMore = () => Promise.resolve();
    search = () => loadMore();
    tree = new FakeTreeView();
    clock = new FakeClock();
    window.replace('createTreeView', () => tree);
    const tracking = {
      store: window.store,
      setWatched: (value: boolean) => (watched = value),
      loadMore: () => loadMore(),
      search: (filter: string, services: readonly string[]) => search(filter, services),
    };
    const monitor = {
      info: undefined,
      onDidChange: () => ({ dispose: () => undefined }),
      setWatched: () => undefined,
    };
    explorer = new (shipped().ExplorerView)({ tracking, monitor, clock, memento });
  }
  beforeEach(() => {
    window = new FakeWindow();
    open();
  });
  afterEach(() => {
    explorer.dispose();
    window.dispose();
  });

  it('has a badge with the number of active executions', () => {
    assert.equal(tree.badge, undefined);
    window.put('a');
    window.put('b');
    assert.deepEqual(tree.badge, { value: 2, tooltip: '2 active executions' });
    window.put('a', { state: 'SUCCEEDED' });
    assert.deepEqual(tree.badge, { value: 1, tooltip: '1 active execution' });
    window.put('b', { state: 'SUCCEEDED' });
    assert.equal(tree.badge, undefined);
  });

  it('shows the active filter', async () => {
    window.put('a', { state: 'SUCCEEDED' });
    await explorer.arrange({ filter: { ...NO_FILTER, text: ' price ' } });
    // The welcome text of an empty view shows it; a message would hide that text.
    assert.equal(tree.message, '');
    window.put('price', { state: 'SUCCEEDED' });
    assert.equal(tree.message, 'Filter: “price”');
    await explorer.arrange({ filter: { ...NO_FILTER, text: 'a', states: ['succeeded', 'failed'] } });
    assert.equal(tree.message, 'Filter: “a”, Failed, Succeeded');
    await explorer.arrange({ filter: { ...NO_FILTER, services: ['embedded'] } });
    assert.equal(tree.message, '');
    await explorer.arrange({ filter: NO_FILTER });
    assert.equal(tree.message, '');
  });

  it('searches the services with a filter until it has found enough, and shows how far it searched', async () => {
    const pages = 30;
    const page = (from: number) => ({
      executions: Array.from({ length: 100 }, (_, index) => ({
        name: `projects/p/locations/l/executions/e${String(from + index)}`,
        state: 'SUCCEEDED',
        createTime: new Date(1e12 - (from + index) * 1000).toISOString(),
        displayName: index % 10 === 0 ? 'price' : 'other',
      })),
      nextPageToken: from + 100 < pages * 100 ? String(from + 100) : undefined,
    });
    const { service } = window.put('e0', { state: 'SUCCEEDED' });
    window.store.applyFirstPage(window.store.begin(), service, page(0));
    loadMore = () => {
      const token = window.store.status(service.id)?.nextPageToken ?? assert.fail();
      window.store.applyOlderPage(window.store.begin(), service, page(Number(token)));
      return Promise.resolve();
    };
    await explorer.arrange({ filter: { ...NO_FILTER, text: 'price' } });
    assert.equal(explorer.provider.shownCount, 10, 'nobody looks');
    assert.equal(tree.message, 'Filter: “price”. Searched: the newest 100 executions.');
    tree.show(true);
    await until('it has found a hundred', () => explorer.provider.shownCount === 100);
    assert.equal(tree.message, 'Filter: “price”. Searched: the newest 1000 executions.');
    await explorer.showMore(undefined);
    await until('it has found two hundred', () => explorer.provider.shownCount === 200);
    await explorer.showMore(undefined);
    await until('it has searched all', () => explorer.provider.shownCount === 300);
    assert.equal(tree.message, 'Filter: “price”');
    await explorer.arrange({ filter: NO_FILTER });
  });

  it('lets a service with filters search, and shows its matches and their count', async () => {
    const executions = Array.from({ length: 120 }, (_, index) => ({
      name: `projects/p/locations/l/executions/e${String(index)}`,
      state: 'FAILED',
      createTime: new Date(1e12 - index * 1000).toISOString(),
      displayName: 'price',
    }));
    const { service } = window.put('e0', { state: 'SUCCEEDED' });
    const filtering = { ...service, capabilities: { ...service.capabilities, filters: true } as const };
    window.store.removeService(service.id);
    window.store.addService(filtering);
    window.store.applyFirstPage(window.store.begin(), filtering, { executions: [], nextPageToken: 'older' });
    const filters: string[] = [];
    search = (filter) => {
      filters.push(filter);
      const start = window.store.status(service.id)?.search?.nextPageToken === 'rest' ? 100 : 0;
      const found = filter === 'state = (FAILED)' ? executions.slice(start, start + 100) : [];
      const nextPageToken = found.length === 100 ? 'rest' : undefined;
      window.store.applyFound(window.store.begin(), filtering, filter, { executions: found, nextPageToken });
      return Promise.resolve();
    };
    tree.show(true);
    for (const [filter, expected] of [
      [{ text: 'Price (this', states: ['failed'] }, 'state = (FAILED) AND "price" AND "(this"'],
      [{ text: 'machine "a*' }, '("machine" OR template = "This machine") AND "\\"a\\*"'],
    ] as const) {
      await explorer.arrange({ filter: { ...NO_FILTER, ...filter } });
      await until('it has searched', () => filters.includes(expected));
    }
    await explorer.arrange({ filter: { ...NO_FILTER, states: ['failed'] } });
    await until('it has found a hundred', () => explorer.provider.shownCount === 100);
    assert.equal(tree.message, 'Filter: Failed. Shown: the newest 100 that match.');
    await explorer.showMore(undefined);
    await until('it has found all', () => explorer.provider.shownCount === 120);
    assert.equal(tree.message, 'Filter: Failed');
    assert.ok(!explorer.provider.isPartial);
    assert.equal(filters.filter((filter) => filter === 'state = (FAILED)').length, 2);
    await explorer.arrange({ filter: NO_FILTER });
    assert.ok(explorer.provider.isPartial);
  });

  it('keeps its arrangement after a reload', async () => {
    await explorer.arrange({ grouping: 'notebook', sorting: 'name', filter: { ...NO_FILTER, text: 'x' } });
    explorer.dispose();
    open();
    const { grouping, sorting, filter } = explorer.arrangement;
    assert.deepEqual([grouping, sorting, filter.text], ['notebook', 'name', 'x']);
    window.put('x');
    assert.equal(tree.message, 'Filter: “x”');
    await explorer.arrange({ grouping: 'state', sorting: 'newest', filter: NO_FILTER });
  });

  it('polls and updates its times while it is visible', async () => {
    window.put('a');
    assert.deepEqual(clock.waits(), []);
    tree.show(true);
    assert.equal(watched, true);
    assert.deepEqual(clock.waits(), [1000]);
    tree.show(false);
    assert.equal(watched, false);
    await clock.advance(1000);
    assert.deepEqual(clock.waits(), []);
  });

  it('selects a row after a deletion: the next one of the group, or else the one before', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id, index) =>
      window.put(id, { state: 'SUCCEEDED', createTime: new Date(1e12 - index * 1000).toISOString() }),
    );
    assert.ok(a && b && c);
    window.put('other', { state: 'FAILED' });
    assert.equal(explorer.neighbourOf([a.key]), b.key);
    assert.equal(explorer.neighbourOf([c.key]), b.key);
    assert.equal(explorer.neighbourOf([a.key, b.key]), c.key);
    assert.equal(explorer.neighbourOf([a.key, b.key, c.key]), undefined);
  });

  it('reveals an execution, also one behind “Load more”', async () => {
    const all = Array.from({ length: 250 }, (_, index) =>
      window.put(`e${String(index)}`, {
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
