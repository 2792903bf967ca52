import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { CAUSES, type Execution } from '../../src/execution/execution';
import { STATES, VERTEX_STATES } from '../../src/execution/states';
import { ExecutionStore } from '../../src/tracking/execution-store';
import { DEFAULT_ARRANGEMENT, NO_FILTER } from '../../src/views/explorer/arrangement';
import { ExecutionTreeProvider } from '../../src/views/explorer/execution-tree-provider';
import { trackedOf, type TreeNode } from '../../src/views/explorer/nodes';
import { causeLabel, explain } from '../../src/views/sentences';
import { presentState } from '../../src/views/state-presentation';
import { warningSentence } from '../../src/views/warning-sentence';
import { FakeClock } from '../unit/tracking/fake-clock';
import { nameOf, ScriptedService } from '../unit/tracking/scripted-service';

const HOSTILE = '<img src=x onerror=alert(1)> **b** [c](command:workbench.action.quit) $(trash) `d`';

describe('ExecutionTreeProvider', () => {
  let clock: FakeClock;
  let service: ScriptedService;
  let store: ExecutionStore;
  let provider: ExecutionTreeProvider;
  let fired: (TreeNode[] | undefined)[];

  beforeEach(() => {
    clock = new FakeClock();
    service = new ScriptedService();
    store = new ExecutionStore();
    provider = new ExecutionTreeProvider({
      store,
      clock,
      arrangement: DEFAULT_ARRANGEMENT,
      describeError: (error) => `described: ${error.message}`,
    });
    fired = [];
    provider.onDidChangeTreeData((nodes) => fired.push(nodes));
  });
  afterEach(() => {
    provider.dispose();
    store.dispose();
  });

  function list(): void {
    store.addService(service);
    store.applyFirstPage(store.begin(), service, { executions: [...service.executions.values()] });
    fired.length = 0;
  }
  const time = (seconds: number) => new Date(clock.now() + seconds * 1000).toISOString();
  const put = (id: string, fields: Partial<Execution> = {}) =>
    service.put(id, {
      createTime: time(-100),
      runOptions: { source: `file:///w/${id}.ipynb`, templateName: 'Large machine' },
      ...fields,
    });
  /** The tree as text: labels and descriptions, indented. */
  async function shown(node?: TreeNode, depth = 1): Promise<string[]> {
    const lines: string[] = [];
    for (const child of await provider.getChildren(node)) {
      const { label, description } = provider.getTreeItem(child);
      lines.push(`${label as string} ${String(description ?? '')}`.trimEnd());
      if (depth > 0) lines.push(...(await shown(child, depth - 1)).map((line) => `  ${line}`));
    }
    return lines;
  }
  async function rowOf(id: string): Promise<vscode.TreeItem> {
    await provider.getChildren();
    const node = provider.nodeOf(`test|${nameOf(id)}`);
    assert.ok(node, id);
    return provider.resolveTreeItem(provider.getTreeItem(node), node);
  }
  const replace = (id: string, fields: Partial<Execution>) =>
    store.apply(
      store.begin(),
      service,
      service.put(id, { ...service.executions.get(nameOf(id)), ...fields }),
    );

  it('shows groups with counts, the newest first, and what each row is about', async () => {
    put('train', {
      createTime: time(-10),
      runStatus: { startTime: time(-65), progress: { totalCells: 20, completedCells: 7 } },
    });
    put('waits', { state: 'QUEUED', createTime: time(-20) });
    put('good', {
      state: 'SUCCEEDED',
      runStatus: { startTime: '2025-12-24T12:00:00Z', endTime: '2025-12-24T12:00:12Z' },
    });
    put('bad', {
      state: 'FAILED',
      runStatus: { cause: 'cellError', cell: { index: 4, errorName: 'KeyError', errorValue: "'price'" } },
    });
    put('future', { state: 'HIBERNATING' });
    list();
    const lines = await shown();
    assert.match(lines[4] ?? '', /^ {2}good .*2025.* · 12 s · Large machine$/);
    assert.deepEqual(lines.toSpliced(4, 1), [
      'Active 2',
      '  train 7/20 cells · 1 min 05 s · Large machine',
      '  waits Queued · Large machine',
      'Succeeded 1',
      'Failed 1',
      '  bad KeyError · Large machine',
      'Unknown 1',
      '  future HIBERNATING · Large machine',
    ]);
  });

  it('is empty without executions, once every service has answered', async () => {
    store.addService(service);
    const roots = provider.getChildren();
    store.applyFirstPage(store.begin(), service, { executions: [] });
    assert.deepEqual(await roots, []);
  });

  it('tells that a service fails, with a way to try again, and keeps what is known', async () => {
    put('a');
    list();
    store.fail(service, new Error('offline'));
    assert.deepEqual(await shown(undefined, 0), ['described: offline', 'Active 1']);
    const [error] = await provider.getChildren();
    assert.ok(error);
    assert.equal(provider.getTreeItem(error).command?.command, 'notebookExecutions.refresh');
    store.succeed(service);
    assert.deepEqual(await shown(undefined, 0), ['Active 1']);
  });

  describe('draws again', () => {
    it('the one row that changed', async () => {
      put('a');
      put('b');
      list();
      await shown();
      replace('a', { runStatus: { progress: { totalCells: 2, completedCells: 1 } } });
      assert.deepEqual(fired, [[provider.nodeOf(`test|${nameOf('a')}`)]]);
    });

    it('nothing for an answer with nothing new', async () => {
      put('a');
      list();
      await shown();
      store.applyFirstPage(store.begin(), service, { executions: [...service.executions.values()] });
      assert.deepEqual(fired, []);
    });

    it('an elapsed time where somebody sees it, and only when it reads differently', async () => {
      put('running', { runStatus: { startTime: time(-5) } });
      put('ended', { state: 'SUCCEEDED' });
      list();
      provider.redrawElapsed(() => true);
      assert.deepEqual(fired, [], 'never drawn, not seen');
      await shown();
      await clock.pass(100);
      provider.redrawElapsed(() => true);
      assert.deepEqual(fired, [], 'reads the same');
      await clock.pass(1000);
      provider.redrawElapsed(() => false);
      assert.deepEqual(fired, [], 'the group is folded');
      provider.redrawElapsed(() => true);
      assert.deepEqual(fired, [[provider.nodeOf(`test|${nameOf('running')}`)]]);
    });

    it('the lines of an unfolded row without asking for them again', async () => {
      put('running', {
        runStatus: { startTime: time(-5), progress: { totalCells: 2, completedCells: 1 } },
      });
      list();
      await shown(undefined, 2);
      await clock.pass(2000);
      provider.redrawElapsed(() => true);
      const [nodes] = fired;
      assert.deepEqual(
        nodes?.map((node) => [node.kind, provider.getTreeItem(node).description]),
        [['detail', '7 s']],
      );
    });
  });

  describe('a row', () => {
    for (const state of [...STATES, ...VERTEX_STATES, 'SOMETHING_NEW'])
      it(`of ${state} has an icon, a name and a sentence`, async () => {
        put('a', { state });
        list();
        const item = await rowOf('a');
        assert.ok(item.iconPath instanceof vscode.ThemeIcon && item.iconPath.id !== '');
        assert.equal(item.label, 'a');
        const sentence = item.accessibilityInformation?.label ?? '';
        assert.match(sentence, /^a (?:is|was|has|ran|succeeded|failed)\b.*\. Template Large machine\.$/);
        assert.ok(sentence.includes(presentState(state).predicate));
      });

    it('reads as a sentence with all that it shows', async () => {
      put('a', {
        state: 'FAILED',
        runStatus: {
          startTime: time(-130),
          endTime: time(-10),
          cause: 'cellError',
          cell: { index: 4, errorName: 'KeyError', errorValue: "'price'" },
        },
      });
      list();
      assert.match(
        (await rowOf('a')).accessibilityInformation?.label ?? '',
        /^a failed\. Cell 5 failed: KeyError: 'price'\. It ended at .+\. It took 2 min 00 s\. Template Large machine\.$/,
      );
    });

    it('has the identity of its service and resource name', async () => {
      put('a');
      list();
      assert.equal((await rowOf('a')).id, `test|${nameOf('a')}`);
    });

    it('opens its output when chosen, where there may be one', async () => {
      put('queued', { state: 'QUEUED' });
      put('running');
      list();
      assert.equal((await rowOf('queued')).command, undefined);
      const { command } = await rowOf('running');
      assert.equal(command?.command, 'notebookExecutions.openOutput');
      assert.equal(trackedOf(command.arguments?.[0])?.execution.name, nameOf('running'));
    });

    it('interprets nothing of what others wrote', async () => {
      const encoded = encodeURIComponent(HOSTILE);
      put('a', {
        state: 'FAILED',
        description: HOSTILE,
        runOptions: { source: `file:///w/${encoded}.ipynb`, templateName: HOSTILE },
        executionTemplate: { labels: { x: HOSTILE }, parameters: JSON.stringify({ [HOSTILE]: HOSTILE }) },
        runStatus: {
          cause: HOSTILE,
          message: HOSTILE,
          warnings: [{ code: HOSTILE, args: [HOSTILE] }],
          kernel: { name: 'k', displayName: HOSTILE },
          host: HOSTILE,
        },
      });
      list();
      const item = await rowOf('a');
      assert.equal(item.label, HOSTILE);
      const { tooltip } = item;
      assert.ok(tooltip instanceof vscode.MarkdownString);
      assert.equal(tooltip.isTrusted, false);
      assert.equal(tooltip.supportHtml, false);
      assert.notEqual(tooltip.supportThemeIcons, true);
      for (const active of ['](command:', ' <img', ' **b**', ' `d`', ' $('])
        assert.ok(!tooltip.value.includes(active), `${active} in ${tooltip.value}`);
    });

    it('says each warning in words, cells as people count', () => {
      assert.equal(
        warningSentence({ code: 'idleMissing', args: ['4'] }),
        'Cell 5 did not report its end; its last outputs may be missing.',
      );
      assert.equal(
        warningSentence({ code: 'bucketInOtherRegion', args: ['b', 'us-east1', 'europe-west4'] }),
        'The bucket b is in us-east1, the execution in europe-west4.',
      );
      assert.equal(warningSentence({ code: 'newCode', args: ['a\n', 'b'] }), 'newCode: a, b');
      assert.equal(warningSentence({ code: 'newCode' }), 'newCode');
    });

    it('says each cause in words', () => {
      for (const cause of CAUSES) {
        assert.match(causeLabel(cause), /^[a-z ]+$/, cause);
        assert.match(
          explain({ name: 'n', state: 'FAILED', runStatus: { cause } }) ?? '',
          /^[A-Z].*\.$/,
          cause,
        );
      }
      assert.equal(explain({ name: 'n', state: 'FAILED', runStatus: { cause: 'newCause' } }), 'newCause');
    });
  });

  it('unfolds to progress, the failing cell, parameters, slowest cells, warnings and attempts', async () => {
    put('running', {
      createTime: time(0),
      runStatus: {
        startTime: time(-60),
        progress: {
          totalCells: 9,
          completedCells: 3,
          cell: { index: 4, firstLine: 'train(\x1b[31mx)', startTime: time(-5) },
        },
      },
    });
    put('failed', {
      state: 'FAILED',
      executionTemplate: { parameters: 'alpha: 0.5\nwhen: 2026-01-01\nlist: [1, "a"]\n' },
      runOptions: { maxAttempts: 3 },
      runStatus: {
        attempt: 2,
        startTime: time(-60),
        cause: 'cellError',
        cell: { index: 1, errorName: 'E', errorValue: 'v' },
        warnings: [{ code: 'parameterNotDeclared', args: ['alhpa'] }],
      },
    });
    list();
    const lines = await shown(undefined, 3);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('    ')).map((line) => line.slice(4)),
      [
        '3 of 9 cells done 1 min 00 s',
        'Cell 5: train(x) 5 s',
        'Cell 2 E: v',
        'Parameters',
        '  alpha 0.5',
        '  when 2026-01-01',
        '  list [1,"a"]',
        'Slowest Cells',
        '  The output tells no timings.',
        'Parameter alhpa is not declared in the notebook; it was set all the same.',
        'Attempt 2 of at most 3',
      ],
    );
  });

  it('unfolds to its state where there is no more to say yet', async () => {
    put('queued', { state: 'QUEUED', createTime: time(-12) });
    list();
    assert.equal((await shown(undefined, 2)).at(-1)?.trim(), 'Queued 12 s');
  });

  it('shows parameters that cannot be read as they are, and large ones in part', async () => {
    put('torn', { executionTemplate: { parameters: 'a: [1, "b' }, createTime: time(-1) });
    put('large', {
      executionTemplate: { parameters: JSON.stringify({ big: 'x'.repeat(1_000_000) }) },
      createTime: time(-2),
    });
    list();
    const lines = await shown(undefined, 3);
    assert.ok(lines.some((line) => line.includes('b')));
    const large = lines.find((line) => line.includes('big x'));
    assert.ok(large !== undefined && large.length < 300);
  });

  describe('large lists', () => {
    const fill = (count: number) => {
      store.addService(service);
      store.applyOlderPage(store.begin(), service, {
        executions: Array.from({ length: count }, (_, i) => ({
          name: nameOf(`e${String(i)}`),
          state: 'SUCCEEDED',
          createTime: time(-i),
        })),
      });
      fired.length = 0;
    };

    it('appear folded and show more on demand', async () => {
      fill(450);
      const [group] = await provider.getChildren();
      assert.ok(group?.kind === 'group');
      const item = provider.getTreeItem(group);
      assert.equal(item.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
      assert.equal(item.description, '450');
      const rows = await provider.getChildren(group);
      assert.equal(rows.length, 201);
      const more = rows.at(-1);
      assert.ok(more?.kind === 'more');
      assert.equal(provider.getTreeItem(more).command?.command, 'notebookExecutions.loadMore');
      provider.showMore(group);
      assert.deepEqual(fired, [[group]]);
      assert.equal((await provider.getChildren(group)).length, 401);
    });

    it('of 10,000 draw one row again for one change', async () => {
      fill(10_000);
      const [group] = await provider.getChildren();
      assert.ok(group !== undefined);
      await provider.getChildren(group);
      store.apply(store.begin(), service, {
        name: nameOf('e5'),
        state: 'SUCCEEDED',
        createTime: time(-5),
        displayName: 'changed',
      });
      assert.deepEqual(
        fired.map((nodes) => nodes?.map((node) => trackedOf(node)?.execution.name)),
        [[nameOf('e5')]],
      );
    });

    it('ask the service for older ones where it has them', async () => {
      store.addService(service);
      store.applyFirstPage(store.begin(), service, {
        executions: [put('a')],
        nextPageToken: 'next',
      });
      assert.deepEqual(await shown(undefined, 0), ['Active 1', 'Load more…']);
    });
  });

  describe('arranged', () => {
    beforeEach(() => {
      put('b', { runOptions: { source: 'file:///w/b.ipynb', templateName: 'T2' }, createTime: time(-1) });
      put('a', { runOptions: { source: 'file:///w/a.ipynb' }, createTime: time(-2), state: 'FAILED' });
      put('a2', { runOptions: { source: 'file:///w/a.ipynb', templateName: 'T10' }, createTime: time(-3) });
      list();
    });
    const labels = async () => (await shown()).map((line) => line.replace(/^( *\S+).*/, '$1'));

    it('by notebook', async () => {
      provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'notebook' });
      assert.deepEqual(await labels(), ['a', '  a', '  a', 'b', '  b']);
      assert.deepEqual(fired, [undefined]);
    });

    it('by names of strangers, as text in one line', async () => {
      const source = `file:///w/${encodeURIComponent('c"\n<b>x</b>\u202eאבג')}.ipynb`;
      put('c', { runOptions: { source, templateName: 'T\n[y](command:z)' } });
      list();
      provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'notebook' });
      assert.ok((await shown(undefined, 0)).includes('\u2068c" <b>x</b>אבג\u2069 1'));
      provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'template' });
      assert.ok((await shown(undefined, 0)).includes('T [y](command:z) 1'));
    });

    it('by template', async () => {
      provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'template' });
      assert.deepEqual(await shown(undefined, 0), ['T2 1', 'T10 1', 'Without a Template 1']);
    });

    it('flat, by name', async () => {
      provider.arrange({ ...DEFAULT_ARRANGEMENT, grouping: 'none', sorting: 'name' });
      assert.deepEqual(
        (await provider.getChildren()).map((node) => trackedOf(node)?.execution.name),
        [nameOf('a'), nameOf('a2'), nameOf('b')],
      );
      replace('b', { displayName: 'x' });
      assert.deepEqual(fired.at(-1), [provider.nodeOf(`test|${nameOf('b')}`)]);
    });

    it('filtered', async () => {
      provider.arrange({ ...DEFAULT_ARRANGEMENT, filter: { ...NO_FILTER, states: ['failed'] } });
      assert.deepEqual(await shown(undefined, 0), ['Failed 1']);
      assert.equal(provider.shownCount, 1);
      // Nothing, so that the view can say that the filter hides all, and offers to clear it.
      store.fail(service, new Error('broken'));
      provider.arrange({ ...DEFAULT_ARRANGEMENT, filter: { ...NO_FILTER, text: 'nothing like it' } });
      assert.deepEqual(await shown(undefined, 0), []);
    });
  });
});
