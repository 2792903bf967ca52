import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { DEFAULT_ARRANGEMENT, NO_FILTER } from '../../src/views/explorer/arrangement';
import { trackedOf } from '../../src/views/explorer/nodes';
import { nameOf } from '../unit/tracking/scripted-service';
import { Tree } from './support/tree';

describe('the tree of executions', () => {
  let tree: Tree;

  beforeEach(() => {
    tree = new Tree();
  });
  afterEach(() => {
    tree.dispose();
  });

  it('shows groups with counts, newest first, and a description in each row', async () => {
    tree.put('train', {
      createTime: tree.time(-10),
      runStatus: { startTime: tree.time(-65), progress: { totalCells: 20, completedCells: 7 } },
    });
    tree.put('waits', { state: 'QUEUED', createTime: tree.time(-20) });
    tree.put('good', {
      state: 'SUCCEEDED',
      runStatus: { startTime: '2025-12-24T12:00:00Z', endTime: '2025-12-24T12:00:12Z' },
    });
    tree.put('bad', {
      state: 'FAILED',
      runStatus: { cause: 'cellError', cell: { index: 4, errorName: 'KeyError', errorValue: "'price'" } },
    });
    tree.put('future', { state: 'HIBERNATING' });
    tree.list();
    const lines = await tree.shown();
    assert.deepEqual(lines, [
      'Active 2',
      '  train 7/20 cells · 1 min 05 s · Large machine',
      '  waits Queued · Large machine',
      'Failed 1',
      '  bad KeyError · Large machine',
      'Succeeded 1',
      '  good December 24, 2025 · 12 s · Large machine',
      'Unknown 1',
      '  future HIBERNATING · Large machine',
    ]);
  });

  it('is empty without executions, after every service has answered', async () => {
    tree.store.addService(tree.service);
    const roots = tree.provider.getChildren();
    tree.store.applyFirstPage(tree.store.begin(), tree.service, { executions: [] });
    assert.deepEqual(await roots, []);
  });

  it('shows that a service fails, with a way to retry, and keeps the known executions', async () => {
    tree.put('a');
    tree.list();
    tree.store.fail(tree.service, new Error('offline'));
    assert.deepEqual(await tree.shown(undefined, 0), ['Unexpected error: offline', 'Active 1']);
    const [error] = await tree.provider.getChildren();
    assert.ok(error);
    assert.equal(tree.provider.getTreeItem(error).command?.command, 'notebookExecutions.refresh');
    tree.store.succeed(tree.service);
    assert.deepEqual(await tree.shown(undefined, 0), ['Active 1']);
  });

  describe('redraws', () => {
    it('only the row that changed', async () => {
      tree.put('a');
      tree.put('b');
      tree.list();
      await tree.shown();
      tree.replace('a', { runStatus: { progress: { totalCells: 2, completedCells: 1 } } });
      assert.deepEqual(tree.fired, [[tree.provider.nodeOf(`test|${nameOf('a')}`)]]);
    });

    it('nothing when an answer contains nothing new', async () => {
      tree.put('a');
      tree.list();
      await tree.shown();
      tree.store.applyFirstPage(tree.store.begin(), tree.service, {
        executions: [...tree.service.executions.values()],
      });
      assert.deepEqual(tree.fired, []);
    });

    it('an elapsed time only while it is visible and its text changes', async () => {
      tree.put('running', { runStatus: { startTime: tree.time(-5) } });
      tree.put('ended', { state: 'SUCCEEDED' });
      tree.list();
      tree.provider.redrawElapsed(() => true);
      assert.deepEqual(tree.fired, [], 'never drawn, not seen');
      await tree.shown();
      await tree.clock.advance(100);
      tree.provider.redrawElapsed(() => true);
      assert.deepEqual(tree.fired, [], 'reads the same');
      await tree.clock.advance(1000);
      tree.provider.redrawElapsed(() => false);
      assert.deepEqual(tree.fired, [], 'the group is folded');
      tree.provider.redrawElapsed(() => true);
      assert.deepEqual(tree.fired, [[tree.provider.nodeOf(`test|${nameOf('running')}`)]]);
    });
  });

  it('does not redraw a row while its tooltip is open, because redrawing closes the tooltip', async () => {
    tree.put('running', { runStatus: { startTime: tree.time(-5) } });
    tree.list();
    const item = await tree.rowOf('running');
    assert.match((item.tooltip as vscode.MarkdownString).value, /Duration/);
    for (let second = 0; second < 9; second++) {
      await tree.clock.advance(1000);
      tree.provider.redrawElapsed(() => true);
    }
    assert.deepEqual(tree.fired, []);
    await tree.clock.advance(1000);
    tree.provider.redrawElapsed(() => true);
    assert.equal(tree.fired.length, 1);
    await tree.rowOf('running');
    tree.replace('running', { state: 'SUCCEEDED' });
    assert.equal(tree.fired.length, 2, 'a change is shown at once');
  });

  describe('text that changes with time', () => {
    it('is current in an unfolded row, whose lines stay the same', async () => {
      tree.put('running', {
        executionTemplate: { parameters: 'a: 1' },
        runStatus: { startTime: tree.time(-5), progress: { totalCells: 2, completedCells: 1 } },
      });
      tree.list();
      await tree.shown(undefined, 3);
      const node = tree.provider.nodeOf(`test|${nameOf('running')}`);
      assert.ok(node);
      const { details } = node;
      for (const seconds of [6, 7, 8]) {
        await tree.clock.advance(1000);
        tree.provider.redrawElapsed(() => true);
        assert.deepEqual(tree.fired.at(-1), [node]);
        assert.equal(
          (await tree.shown(undefined, 2)).filter((line) => line.includes(` ${String(seconds)} s`)).length,
          2,
          'the row and the line below it',
        );
        assert.ok(node.details.every((detail, index) => detail === details[index]));
      }
    });

    it('shows how long ago an execution ended, once a minute', async () => {
      const endTime = tree.time(-30);
      tree.put('ended', { state: 'SUCCEEDED', runStatus: { startTime: tree.time(-40), endTime } });
      tree.list();
      assert.match((await tree.shown()).join(), /ended now · 10 s/);
      tree.provider.redrawElapsed(() => true);
      assert.deepEqual(tree.fired, []);
      await tree.clock.advance(300_000);
      tree.provider.redrawElapsed(() => true);
      assert.deepEqual(tree.fired, [[tree.provider.nodeOf(`test|${nameOf('ended')}`)]]);
      assert.match((await tree.shown()).join(), /ended 5m ago · 10 s/);
    });
  });

  describe('the queue', () => {
    const description = async (id: string) => String((await tree.rowOf(id)).description);
    beforeEach(() => {
      Object.assign(tree.service.capabilities, { queuesInOrder: true });
      tree.put('old', { state: 'SUCCEEDED', createTime: tree.time(-90) });
      tree.put('runs', { createTime: tree.time(-80) });
      tree.put('first', { state: 'QUEUED', createTime: tree.time(-70) });
      tree.put('second', { state: 'QUEUED', createTime: tree.time(-60) });
    });

    it('is in the order of execution, with up-to-date positions', async () => {
      tree.list();
      const labels = (await tree.shown()).map((line) => line.replace(/^( *\S+).*/, '$1'));
      assert.deepEqual(labels, ['Active', '  runs', '  first', '  second', 'Succeeded', '  old']);
      assert.match(await description('second'), /^2 of 2 in the queue/);
      assert.match(
        (await tree.rowOf('second')).accessibilityInformation?.label ?? '',
        /^second is waiting\. It is number 2 of 2 in the queue\./,
      );
      tree.replace('first', { state: 'RUNNING' });
      tree.fired.length = 0;
      tree.provider.redrawElapsed(() => true);
      assert.ok(tree.fired[0]?.includes(tree.provider.nodeOf(`test|${nameOf('second')}`) ?? assert.fail()));
      assert.match(await description('second'), /^1 of 1 in the queue/);
    });

    it('has no positions when unknown older executions may wait', async () => {
      tree.store.addService(tree.service);
      const executions = ['second', 'first'].map(
        (id) => tree.service.executions.get(nameOf(id)) ?? assert.fail(),
      );
      tree.store.applyFirstPage(tree.store.begin(), tree.service, { executions, nextPageToken: 'next' });
      assert.doesNotMatch(await description('second'), / of /);
      const older = [tree.service.executions.get(nameOf('old')) ?? assert.fail()];
      tree.store.applyOlderPage(tree.store.begin(), tree.service, {
        executions: older,
        nextPageToken: 'next',
      });
      assert.match(await description('second'), /^2 of 2 in the queue/);
    });
  });

  describe('large lists', () => {
    const fill = (count: number) => {
      tree.store.addService(tree.service);
      tree.store.applyOlderPage(tree.store.begin(), tree.service, {
        executions: Array.from({ length: count }, (_, i) => ({
          name: nameOf(`e${String(i)}`),
          state: 'SUCCEEDED',
          createTime: tree.time(-i),
        })),
      });
      tree.fired.length = 0;
    };

    it('are folded at first and show more on demand', async () => {
      fill(450);
      const [group] = await tree.provider.getChildren();
      assert.ok(group?.kind === 'group');
      const item = tree.provider.getTreeItem(group);
      assert.equal(item.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
      assert.equal(item.description, '450');
      const rows = await tree.provider.getChildren(group);
      assert.equal(rows.length, 201);
      const more = rows.at(-1);
      assert.ok(more?.kind === 'more');
      assert.equal(tree.provider.getTreeItem(more).command?.command, 'notebookExecutions.loadMore');
      tree.provider.showMore(group);
      assert.deepEqual(tree.fired, [[group]]);
      assert.equal((await tree.provider.getChildren(group)).length, 401);
    });

    it('of 10,000 rows redraw one row for one change', async () => {
      fill(10_000);
      const [group] = await tree.provider.getChildren();
      assert.ok(group !== undefined);
      await tree.provider.getChildren(group);
      tree.store.apply(tree.store.begin(), tree.service, {
        name: nameOf('e5'),
        state: 'SUCCEEDED',
        createTime: tree.time(-5),
        displayName: 'changed',
      });
      assert.deepEqual(
        tree.fired.map((nodes) => nodes?.map((node) => trackedOf(node)?.execution.name)),
        [[nameOf('e5')]],
      );
    });

    it('ask the service for older executions if it has them', async () => {
      tree.store.addService(tree.service);
      tree.store.applyFirstPage(tree.store.begin(), tree.service, {
        executions: [tree.put('a')],
        nextPageToken: 'next',
      });
      tree.store.apply(tree.store.begin(), tree.service, tree.put('b', { state: 'SUCCEEDED' }));
      // Active executions are always complete.
      assert.deepEqual(await tree.shown(undefined, 0), ['Active 1', 'Succeeded 1+', 'Load more…']);
      const [, group] = await tree.provider.getChildren();
      assert.equal(
        tree.provider.getTreeItem(group ?? assert.fail()).accessibilityInformation?.label,
        'Succeeded, at least 1 executions',
      );
    });
  });

  describe('arranged', () => {
    beforeEach(() => {
      tree.put('b', {
        runOptions: { source: 'file:///w/b.ipynb', templateName: 'T2' },
        createTime: tree.time(-1),
      });
      tree.put('a', {
        runOptions: { source: 'file:///w/a.ipynb' },
        createTime: tree.time(-2),
        state: 'FAILED',
      });
      tree.put('a2', {
        runOptions: { source: 'file:///w/a.ipynb', templateName: 'T10' },
        createTime: tree.time(-3),
      });
      tree.list();
    });
    const labels = async () => (await tree.shown()).map((line) => line.replace(/^( *\S+).*/, '$1'));

    it('by notebook', async () => {
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'notebook' });
      assert.deepEqual(await labels(), ['a', '  a', '  a', 'b', '  b']);
      assert.deepEqual(tree.fired, [undefined]);
    });

    it('by names from notebooks, as text in one line', async () => {
      const source = `file:///w/${encodeURIComponent('c"\n<b>x</b>\u202eאבג')}.ipynb`;
      tree.put('c', { runOptions: { source, templateName: 'T\n[y](command:z)' } });
      tree.list();
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'notebook' });
      assert.ok((await tree.shown(undefined, 0)).includes('\u2068c" <b>x</b>אבג\u2069 1'));
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'template' });
      assert.ok((await tree.shown(undefined, 0)).includes('T [y](command:z) 1'));
    });

    it('by template', async () => {
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'template' });
      assert.deepEqual(await tree.shown(undefined, 0), ['T2 1', 'T10 1', 'Without a Template 1']);
    });

    it('by day, active ones first', async () => {
      const hour = 3600;
      const days = [0, 1, 3, 400].map((day) => {
        const noon = new Date(tree.clock.now());
        noon.setHours(0, 1, 0, 0);
        noon.setDate(noon.getDate() - day);
        return noon;
      });
      days.forEach((day, index) => {
        const endTime = new Date(day.getTime() + hour * 1000).toISOString();
        tree.put(`d${String(index)}`, {
          state: 'SUCCEEDED',
          createTime: day.toISOString(),
          runStatus: { startTime: day.toISOString(), endTime },
        });
      });
      tree.service.executions.delete(nameOf('a'));
      tree.list();
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'day' });
      const headings = await tree.shown(undefined, 0);
      assert.deepEqual(headings.slice(0, 3), ['Active 2', 'Today 1', 'Yesterday 1']);
      assert.match(headings[3] ?? '', /^[A-Z][a-z]+day 1$/);
      assert.match(headings[4] ?? '', /\b20\d\d 1$/);
      assert.match(String((await tree.rowOf('d2')).description), /^1:01\sAM · 1 h/);
    });

    it('flat, by name', async () => {
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'none', sorting: 'name' });
      assert.deepEqual(
        (await tree.provider.getChildren()).map((node) => trackedOf(node)?.execution.name),
        [nameOf('a'), nameOf('a2'), nameOf('b')],
      );
      tree.replace('b', { displayName: 'x' });
      assert.deepEqual(tree.fired.at(-1), [tree.provider.nodeOf(`test|${nameOf('b')}`)]);
    });

    it('filtered', async () => {
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, filter: { ...NO_FILTER, states: ['failed'] } });
      assert.deepEqual(await tree.shown(undefined, 0), ['Failed 1']);
      assert.equal(tree.provider.shownCount, 1);
      // Empty, so that the view can say that the filter hides everything, and offers to clear it.
      tree.store.fail(tree.service, new Error('broken'));
      tree.provider.arrange({ ...DEFAULT_ARRANGEMENT, filter: { ...NO_FILTER, text: 'nothing like it' } });
      assert.deepEqual(await tree.shown(undefined, 0), []);
    });
  });
});
