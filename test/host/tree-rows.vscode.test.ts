import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { END_DETAILS, endMessage, type EndDetailCode } from '../../src/execution/end-message';
import { CAUSES, type RunStatus } from '../../src/execution/execution';
import { STATES, VERTEX_STATES } from '../../src/execution/states';
import { trackedOf } from '../../src/views/explorer/nodes';
import { causeLabel, explain } from '../../src/wording/end-sentences';
import { presentState } from '../../src/wording/state-presentation';
import { warningSentence } from '../../src/wording/warning-sentences';
import { nameOf } from '../unit/tracking/scripted-service';
import { Tree } from './support/tree';

const HOSTILE = '<img src=x onerror=alert(1)> **b** [c](command:workbench.action.quit) $(trash) `d`';

describe('rows of the tree of executions', () => {
  let tree: Tree;

  beforeEach(() => {
    tree = new Tree();
  });
  afterEach(() => {
    tree.dispose();
  });

  describe('a row', () => {
    for (const state of [...STATES, ...VERTEX_STATES, 'SOMETHING_NEW']) {
      it(`of ${state} has an icon, a name and a tooltip`, async () => {
        tree.put('a', { state });
        tree.list();
        const item = await tree.rowOf('a');
        assert.ok(item.iconPath instanceof vscode.ThemeIcon && item.iconPath.id !== '');
        assert.equal(item.label, 'a');
        const sentence = item.accessibilityInformation?.label ?? '';
        assert.match(sentence, /^a (?:is|was|has|ran|succeeded|failed)\b.*\. Template Large machine\.$/);
        assert.ok(sentence.includes(presentState(state).predicate));
      });
    }

    it('has an accessibility label with everything that it shows', async () => {
      tree.put('a', {
        state: 'FAILED',
        runStatus: {
          startTime: tree.time(-130),
          endTime: tree.time(-10),
          cause: 'cellError',
          cell: { index: 4, errorName: 'KeyError', errorValue: "'price'" },
        },
      });
      tree.list();
      assert.match(
        (await tree.rowOf('a')).accessibilityInformation?.label ?? '',
        /^a failed\. Cell 5 failed: KeyError: 'price'\. Ended: .+\. It took 2 min\. Template Large machine\.$/,
      );
    });

    it('uses the singular for one cell', async () => {
      tree.put('a', { runStatus: { progress: { totalCells: 1, completedCells: 0 } } });
      tree.list();
      const item = await tree.rowOf('a');
      assert.match(String(item.description), /^0\/1 cell · /);
      assert.match(item.accessibilityInformation?.label ?? '', / 0 of 1 cell done\. /);
    });

    it('is identified by its service and resource name', async () => {
      tree.put('a');
      tree.list();
      assert.equal((await tree.rowOf('a')).id, `test|${nameOf('a')}`);
    });

    it('opens its output when selected, if there may be one', async () => {
      tree.put('queued', { state: 'QUEUED' });
      tree.put('running');
      tree.list();
      assert.equal((await tree.rowOf('queued')).command, undefined);
      const { command } = await tree.rowOf('running');
      assert.equal(command?.command, 'notebookExecutions.openOutput');
      assert.equal(trackedOf(command.arguments?.[0])?.execution.name, nameOf('running'));
    });

    it('does not interpret text of notebooks and services', async () => {
      const encoded = encodeURIComponent(HOSTILE);
      tree.put('a', {
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
      tree.list();
      const item = await tree.rowOf('a');
      assert.equal(item.label, HOSTILE);
      const { tooltip } = item;
      assert.ok(tooltip instanceof vscode.MarkdownString);
      assert.equal(tooltip.isTrusted, false);
      assert.equal(tooltip.supportHtml, false);
      assert.notEqual(tooltip.supportThemeIcons, true);
      for (const active of ['](command:', ' <img', ' **b**', ' `d`', ' $('])
        assert.ok(!tooltip.value.includes(active), `${active} in ${tooltip.value}`);
    });

    it('describes each warning, with cells counted from 1', () => {
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

    it('describes each cause', () => {
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

    const explained = (runStatus: RunStatus): string | undefined =>
      explain({ name: nameOf('n'), state: 'FAILED', runStatus });

    it('describes each detail of an end, with readable units', () => {
      const values = { path: '/gone', kernels: 'ir, julia', error: 'EACCES', signal: 'SIGTERM', exitCode: 3 };
      for (const code of Object.keys(END_DETAILS) as EndDetailCode[]) {
        const told = endMessage(code, { ...values, bytes: 3e8, seconds: 90, count: 1 });
        assert.doesNotMatch(told.message, /[{}]/, code);
        const sentence = explained({ cause: 'kernelDied', ...told }) ?? '';
        assert.match(sentence, /^The kernel died\. [A-Z/][^{}]*[.A-Z]$/, code);
        assert.doesNotMatch(sentence, /runner|90|300|undefined|NaN/, code);
      }
      assert.equal(
        explained({
          cause: 'outOfMemory',
          peakMemoryBytes: 314_572_800,
          ...endMessage('memoryLimit', { bytes: 209_715_200 }),
        }),
        'The kernel ran out of memory after using 300 MB. Its limit is 200 MB.',
      );
    });

    it('shows text of services after its own', () => {
      assert.equal(
        explained({
          cause: 'kernelDied',
          ...endMessage('kernelExit', { exitCode: 3 }, 'Fatal error:\nno lib'),
        }),
        'The kernel died. It ended with exit code 3. Its last output: Fatal error: no lib',
      );
      const traceback = `Traceback:\n${'  in a file\n'.repeat(100)}ImportError: no lib`;
      assert.match(
        explained({ cause: 'kernelDied', ...endMessage('kernelExit', { exitCode: 1 }, traceback) }) ?? '',
        /ImportError: no lib$/,
      );
      const message = 'ENOSPC: no space left on device, write';
      assert.equal(
        explained({ cause: 'outputNotWritable', message }),
        `The output could not be written. ${message}`,
      );
      // From a service that is newer than this window, and from an older one.
      for (const detail of [{ code: 'newCode', args: { a: '1' } }, undefined]) {
        assert.equal(
          explained({ cause: 'kernelNotReady', message: 'The kernel said no', detail }),
          'The kernel did not start. The kernel said no',
        );
      }
    });

    it('describes what is wrong with notebook and parameters', () => {
      const args = { line: '3', column: '7' };
      assert.equal(
        explained({ cause: 'notebookInvalid', message: 'technical', detail: { code: 'notJson', args } }),
        'The notebook cannot be run. n is not a notebook: it is not valid JSON at line 3, column 7.',
      );
      const unknown = { code: 'languageUnsupported', args: { language: 'brainfuck', kernel: 'bf' } };
      assert.equal(
        explained({ cause: 'parametersInvalid', message: 'technical', detail: unknown }),
        'The parameters cannot be used. Parameters cannot be set in brainfuck.',
      );
    });
  });

  it('expands to progress, the failed cell, parameters, slowest cells, warnings and attempts', async () => {
    tree.put('running', {
      createTime: tree.time(0),
      runStatus: {
        startTime: tree.time(-60),
        progress: {
          totalCells: 9,
          completedCells: 3,
          cell: { index: 4, firstLine: 'train(\x1b[31mx)', startTime: tree.time(-5) },
        },
      },
    });
    tree.put('failed', {
      state: 'FAILED',
      executionTemplate: { parameters: 'alpha: 0.5\nwhen: 2026-01-01\nlist: [1, "a"]\n' },
      runOptions: { maxAttempts: 3 },
      runStatus: {
        attempt: 2,
        startTime: tree.time(-60),
        cause: 'cellError',
        cell: { index: 1, errorName: 'E', errorValue: 'v' },
        warnings: [{ code: 'parameterNotDeclared', args: ['alhpa'] }],
      },
    });
    tree.list();
    const lines = await tree.shown(undefined, 3);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('    ')).map((line) => line.slice(4)),
      [
        '3 of 9 cells done 1 min',
        'Cell 5: train(x) 5 s',
        'Cell 2 E: v',
        'Parameters',
        '  alpha 0.5',
        '  when 2026-01-01',
        '  list [1,"a"]',
        'Slowest Cells',
        '  No cell timings are available.',
        'Parameter alhpa is not declared in the notebook; it was set anyway.',
        'Attempt 2 of at most 3',
      ],
    );
  });

  it('shows below a line why its children cannot be loaded, and reloads them on request', async () => {
    tree.put('a', { state: 'SUCCEEDED', runStatus: { omitted: ['executionTemplate.parameters'] } });
    tree.list();
    const [execution] = await tree.provider.getChildren((await tree.provider.getChildren())[0]);
    const lines = await tree.provider.getChildren(execution);
    const parameters = lines.find((line) => tree.provider.getTreeItem(line).label === 'Parameters');
    assert.ok(parameters);
    const { executions } = tree.service;
    const listed = executions.get(nameOf('a'));
    assert.ok(listed);
    executions.delete(nameOf('a'));
    assert.match((await tree.shown(parameters, 0)).join(), /^Unexpected error: /);
    const [row] = await tree.provider.getChildren(parameters);
    assert.ok(row);
    assert.equal(tree.provider.getTreeItem(row).command?.command, 'notebookExecutions.refresh');
    executions.set(nameOf('a'), { ...listed, executionTemplate: { parameters: 'x: 1' }, runStatus: {} });
    tree.provider.retryFailed();
    assert.deepEqual(tree.fired, [[parameters]]);
    assert.deepEqual(await tree.shown(parameters, 0), ['x 1']);
    tree.provider.retryFailed();
    assert.equal(tree.fired.length, 1);
  });

  it('expands to its state when nothing more is known yet', async () => {
    tree.put('queued', { state: 'QUEUED', createTime: tree.time(-12) });
    tree.list();
    assert.equal((await tree.shown(undefined, 2)).at(-1)?.trim(), 'Queued 12 s');
  });

  it('shows unreadable parameters unchanged, and truncates large ones', async () => {
    tree.put('torn', { executionTemplate: { parameters: 'a: [1, "b' }, createTime: tree.time(-1) });
    tree.put('large', {
      executionTemplate: { parameters: JSON.stringify({ big: 'x'.repeat(1_000_000) }) },
      createTime: tree.time(-2),
    });
    tree.list();
    const lines = await tree.shown(undefined, 3);
    assert.ok(lines.some((line) => line.includes('b')));
    const large = lines.find((line) => line.includes('big x'));
    assert.ok(large !== undefined && large.length < 300);
  });
});
