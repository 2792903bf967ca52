import assert from 'node:assert/strict';
import type { Execution } from '../../../src/execution/execution';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import {
  DEFAULT_ARRANGEMENT,
  NO_FILTER,
  parseArrangement,
  type Arrangement,
} from '../../../src/views/explorer/arrangement';
import { ExecutionTree, type Redraw } from '../../../src/views/explorer/execution-tree';
import { nameOf, ScriptedService } from '../tracking/scripted-service';

describe('ExecutionTree', () => {
  const service = new ScriptedService();
  const order = ['active', 'SUCCEEDED', 'FAILED'];
  let store: ExecutionStore;
  let tree: ExecutionTree;
  let redraws: Redraw[];

  beforeEach(() => {
    store = new ExecutionStore();
    store.addService(service);
    redraws = [];
    tree = new ExecutionTree(DEFAULT_ARRANGEMENT, {
      now: () => Date.parse('2026-01-02T00:00:00Z'),
      stateGroup: ({ execution: { state } }) =>
        state === 'RUNNING' || state === 'QUEUED' ? 'active' : state,
      templateLabel: (name) => (name === 'Large' ? 'Very Large' : name),
      groupOf: (grouping, { execution }) => {
        if (grouping === 'none') return 'all';
        if (grouping === 'template') return execution.runOptions?.templateName ?? '';
        return execution.state === 'RUNNING' || execution.state === 'QUEUED' ? 'active' : execution.state;
      },
      compareGroups: (_grouping, one, other) => order.indexOf(one.id) - order.indexOf(other.id),
    });
    store.onDidChange((change) => {
      redraws.push(tree.apply(change, () => store.all()));
    });
  });

  const put = (id: string, state: string, minute = 0, more: Partial<Execution> = {}) =>
    store.apply(store.begin(), service, {
      name: nameOf(id),
      state,
      createTime: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`,
      runOptions: { source: `file:///w/${id}.ipynb` },
      ...more,
    });
  const shown = () =>
    Object.fromEntries(
      tree.groups.map(({ id, members }) => [
        id,
        members.map(({ tracked }) => tracked.execution.name.split('/').at(-1)),
      ]),
    );
  const arrange = (change: Partial<Arrangement>) => {
    tree.rebuild({ ...DEFAULT_ARRANGEMENT, ...change }, store.all());
  };
  const namesOf = (redraw: Redraw) =>
    redraw?.map((node) => (node.kind === 'group' ? node.id : node.tracked.execution.name.split('/').at(-1)));

  it('groups executions, newest first, without empty groups', () => {
    put('old', 'SUCCEEDED', 1);
    put('new', 'SUCCEEDED', 5);
    put('middle', 'SUCCEEDED', 3);
    put('running', 'RUNNING', 4);
    assert.deepEqual(shown(), { active: ['running'], SUCCEEDED: ['new', 'middle', 'old'] });
  });

  it('redraws only the row that changed', () => {
    put('a', 'RUNNING');
    put('b', 'RUNNING');
    put('a', 'RUNNING', 0, { displayName: 'changed' });
    assert.deepEqual(namesOf(redraws.at(-1)), ['a']);
  });

  it('redraws the two groups that an execution moves between, but not its row', () => {
    put('a', 'RUNNING');
    put('b', 'RUNNING');
    put('c', 'FAILED');
    put('a', 'FAILED');
    assert.deepEqual(namesOf(redraws.at(-1))?.sort(), ['FAILED', 'active']);
  });

  it('redraws a group without the rows in it', () => {
    for (const id of ['a', 'b', 'c']) put(id, 'RUNNING');
    put('d', 'FAILED');
    const createTime = '2026-01-01T00:00:00Z';
    const running = (id: string) => ({ name: nameOf(id), state: 'RUNNING', createTime, displayName: 'x' });
    store.applyOlderPage(store.begin(), service, {
      executions: [running('b'), { name: nameOf('a'), state: 'FAILED' }, running('c')],
    });
    assert.deepEqual(namesOf(redraws.at(-1))?.sort(), ['FAILED', 'active']);
  });

  it('redraws everything when a group appears or disappears', () => {
    put('a', 'RUNNING');
    assert.equal(redraws.at(-1), undefined);
    put('b', 'RUNNING');
    assert.notEqual(redraws.at(-1), undefined);
    put('b', 'FAILED');
    assert.equal(redraws.at(-1), undefined);
    store.remove(store.begin(), service.id, nameOf('b'));
    assert.equal(redraws.at(-1), undefined);
    assert.deepEqual(shown(), { active: ['a'] });
  });

  it('redraws everything when one group replaces another', () => {
    put('a', 'RUNNING');
    put('a', 'FAILED');
    assert.equal(redraws.at(-1), undefined);
    assert.deepEqual(shown(), { FAILED: ['a'] });
  });

  it('redraws nothing for executions that the filter hides', () => {
    arrange({ filter: { ...NO_FILTER, text: 'sales' } });
    put('sales', 'RUNNING');
    put('other', 'RUNNING');
    assert.deepEqual(redraws.at(-1), []);
    assert.deepEqual(shown(), { active: ['sales'] });
  });

  it('keeps the node of an execution that changes, moves, or is arranged differently', () => {
    const { key } = put('a', 'RUNNING');
    const node = tree.get(key);
    put('a', 'FAILED');
    assert.equal(tree.get(key), node);
    arrange({ sorting: 'name' });
    assert.equal(tree.get(key), node);
    assert.equal(node?.tracked.execution.state, 'FAILED');
  });

  it('keeps the initial folding of a group, which is folded when large', () => {
    const group = () => tree.groups[0];
    store.applyOlderPage(store.begin(), service, {
      executions: Array.from({ length: 250 }, (_, i) => ({
        name: nameOf(`e${String(i)}`),
        state: 'SUCCEEDED',
      })),
    });
    assert.equal(group()?.collapsed, true);
    assert.equal(group()?.limit, 200);
    const large = group();
    if (large !== undefined) tree.showMore(large);
    put('new', 'SUCCEEDED');
    assert.equal(group()?.limit, 400);
    arrange({ sorting: 'name' });
    assert.equal(group()?.limit, 400);
  });

  it('one change among 10,000 updates one row', () => {
    store.applyOlderPage(store.begin(), service, {
      executions: Array.from({ length: 10_000 }, (_, i) => ({
        name: nameOf(`e${String(i)}`),
        state: i === 5000 ? 'RUNNING' : 'SUCCEEDED',
      })),
    });
    const nodes = new Set(tree.groups.flatMap(({ members }) => members));
    store.apply(store.begin(), service, { name: nameOf('e5000'), state: 'RUNNING', displayName: 'x' });
    assert.deepEqual(namesOf(redraws.at(-1)), ['e5000']);
    assert.ok(tree.groups.flatMap(({ members }) => members).every((node) => nodes.has(node)));
  });

  describe('sorts', () => {
    beforeEach(() => {
      const took = (seconds: number) => ({
        runStatus: {
          startTime: '2026-01-01T01:00:00Z',
          endTime: `2026-01-01T01:00:${String(seconds).padStart(2, '0')}Z`,
        },
      });
      put('part10', 'SUCCEEDED', 1, took(5));
      put('Part2', 'SUCCEEDED', 2, took(30));
      put('part2', 'SUCCEEDED', 3, took(1));
    });

    it('by name in natural order, the newest of equal names first', () => {
      arrange({ sorting: 'name' });
      assert.deepEqual(shown(), { SUCCEEDED: ['part2', 'Part2', 'part10'] });
    });

    it('by duration, the longest first', () => {
      arrange({ sorting: 'duration' });
      assert.deepEqual(shown(), { SUCCEEDED: ['Part2', 'part10', 'part2'] });
    });

    it('inserts new executions in order', () => {
      arrange({ sorting: 'name' });
      put('part5', 'SUCCEEDED');
      assert.deepEqual(shown(), { SUCCEEDED: ['part2', 'Part2', 'part5', 'part10'] });
    });
  });

  describe('filters', () => {
    beforeEach(() => {
      put('sales-report', 'SUCCEEDED', 1, {
        runOptions: { source: 'file:///w/a.ipynb', templateName: 'Large' },
      });
      put('b', 'FAILED', 2, {
        runStatus: { cell: { index: 1, errorName: 'KeyError', errorValue: "'price'" } },
      });
      put('c', 'RUNNING', 3);
    });

    for (const [what, filter, ids] of [
      ['by words, all of which must occur', { text: ' VERY sales ' }, ['sales-report']],
      ['by words: all must occur', { text: 'large b' }, []],
      ['by the error', { text: 'keyerror price' }, ['b']],
      ['by the notebook', { text: 'c' }, ['sales-report', 'b', 'c']],
      ['by state', { states: ['FAILED', 'active'] }, ['b', 'c']],
      ['by service', { services: ['other'] }, []],
      ['by all at once', { text: 'c', states: ['active'], services: ['test'] }, ['c']],
    ] as const) {
      it(what, () => {
        arrange({ filter: { ...NO_FILTER, ...structuredClone(filter) } });
        assert.deepEqual(Object.values(shown()).flat().sort(), [...ids].sort());
      });
    }
  });

  it('regroups', () => {
    put('a', 'RUNNING', 1, { runOptions: { templateName: 'T' } });
    put('b', 'FAILED', 2, { runOptions: { templateName: 'T' } });
    arrange({ grouping: 'template' });
    // Running executions come before finished ones, even newer ones.
    assert.deepEqual(shown(), { T: ['a', 'b'] });
    arrange({ grouping: 'none' });
    assert.deepEqual(shown(), { all: ['a', 'b'] });
  });
});

describe('parseArrangement', () => {
  it('accepts a stored value', () => {
    const stored: Arrangement = {
      version: 1,
      grouping: 'notebook',
      sorting: 'name',
      filter: { text: 'x', states: ['failed'], services: [] },
    };
    assert.deepEqual(parseArrangement(JSON.parse(JSON.stringify(stored))), stored);
  });

  for (const stored of [undefined, 'x', { version: 2 }, { ...DEFAULT_ARRANGEMENT, grouping: 'colour' }]) {
    it(`uses the default for ${stored === undefined ? 'nothing' : JSON.stringify(stored)}`, () => {
      assert.deepEqual(parseArrangement(stored), DEFAULT_ARRANGEMENT);
    });
  }
});
