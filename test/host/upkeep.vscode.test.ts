import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import type { Execution } from '../../src/execution/execution';
import type { ServiceInfo } from '../../src/execution/machine';
import { MASK } from '../../src/execution/secrets/secret-names';
import { Emitter } from '../../src/tracking/emitter';
import { DEFAULT_ARRANGEMENT } from '../../src/views/explorer/arrangement';
import type { TreeNode } from '../../src/views/explorer/nodes';
import { until } from '../support/until';
import { FakeClock } from '../unit/tracking/fake-clock';
import { ScriptedService } from '../unit/tracking/scripted-service';
import {
  allNames,
  ended,
  notebookText,
  shipped,
  textOf,
  withSettings,
  writeFile,
} from './support/executions';
import type { OpenPick, TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

const SECRET = 'planted-hunter2';
/** The text of a row in a pick. */
const shownIn = (pick: OpenPick): string =>
  pick.rows.map(({ label, description, detail }) => [label, description, detail].join(' ')).join('\n');

describe('upkeep of this machine', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands(
    { 'notebookExecutions.openOutput': 'never', 'notebookExecutions.notify': 'failures' },
    (parts) => {
      ({ service, user } = parts);
    },
  );

  const submit = async (name: string, ...cells: string[]): Promise<Execution> => {
    user.willPick((pick) => {
      pick.choose('This machine');
    });
    const created = await run('execute', await writeFile(`${name}.ipynb`, notebookText(cells)));
    return service.get(String(created));
  };

  it('pins executions and unpins them', async () => {
    const { name } = await submit('pinned');
    await ended(service, name);
    user.willPick((pick) => {
      assert.equal(pick.title, 'Pin Executions');
      pick.choose('pinned');
    });
    await run('pin');
    assert.equal((await service.get(name)).runStatus?.pinned, true);
    user.willPick((pick) => {
      assert.deepEqual(pick.labels, ['pinned']);
      pick.choose('pinned');
    });
    await run('unpin');
    assert.equal((await service.get(name)).runStatus?.pinned, undefined);
  });

  it('cleans up: sizes first, then the confirmed executions, and never pinned ones', async () => {
    const gone = await submit('cleaned up');
    const kept = await submit('kept');
    for (const { name } of [gone, kept]) await ended(service, name);
    await service.pin(kept.name, true);
    const choose = (): void => {
      user.willPick((pick) => {
        const row = pick.row('All finished executions');
        assert.match(row.description ?? '', /^\d+ executions?, [\d.]+ [KM]?B$/);
        assert.match(row.detail ?? '', /^Oldest ended: /);
        pick.choose('All finished executions');
      });
    };
    choose();
    await run('cleanUp');
    const { text, modal, buttons } = await user.message(/^Delete .*\?$/);
    assert.match(text, /^Delete \d+ executions?, [\d.]+ [KM]?B\?$/);
    assert.ok(modal);
    assert.deepEqual(buttons, ['Delete']);
    assert.ok((await allNames(service)).includes(gone.name), 'nothing is deleted before it is confirmed');
    choose();
    user.willPress(/^Delete .*\?$/, 'Delete');
    await run('cleanUp');
    await user.message(/^Deleted \d+ executions?, /);
    assert.deepEqual(await allNames(service), [kept.name]);
    await run('cleanUp');
    await user.message(/^There is nothing to clean up/);
    await service.delete(kept.name);
  });

  it('cleans up unreadable records, if there are any', async () => {
    const { name, executionTemplate } = await submit('damaged');
    await ended(service, name);
    const input = vscode.Uri.parse(executionTemplate?.inputNotebookFile ?? '').fsPath;
    const folder = path.dirname(input);
    await service.stop();
    truncateSync(path.join(folder, 'execution.json'), 10);
    await service.restart();
    assert.deepEqual((await service.info())?.setAside, [path.basename(folder)]);
    user.willPick((pick) => {
      const row = pick.row('Executions that cannot be read');
      assert.equal(row.description, '1 execution');
      pick.choose('Executions that cannot be read');
    });
    user.willPress(/^Delete 1 execution\?$/, 'Delete');
    await run('cleanUp');
    await user.message(/^Deleted 1 execution\.$/);
    assert.deepEqual((await service.info())?.setAside, []);
    assert.ok(!existsSync(folder));
  });

  it('writes a report without secrets', async () => {
    const reset = await withSettings({
      'notebookExecutions.endCommand': `true ${SECRET}`,
      'notebookExecutions.templates': [
        { name: 'x', service: 'embedded', executionTemplate: { parameters: `api_key: ${SECRET}` } },
      ],
    });
    try {
      process.env['UPKEEP_TEST_TOKEN'] = SECRET;
      const file = await run('reportProblem');
      assert.ok(file instanceof vscode.Uri);
      const text = vscode.window.activeTextEditor?.document.getText() ?? '';
      assert.match(text, /^# Notebook Executions: diagnostics\n\nThis report contains versions/);
      assert.match(text, /- extension: \d+\.\d+\.\d+\n/);
      assert.match(text, /- build: /);
      assert.match(text, /## Log of the service\n\n```+text\n\d{4}-/);
      assert.match(text, /- notebookExecutions\.endCommand: set\n/);
      assert.ok(!text.includes(SECRET), text);
      await user.message(/^Read the report before you share it/);
    } finally {
      delete process.env['UPKEEP_TEST_TOKEN'];
      await reset();
    }
  });

  it('masks parameters with secret names, in the pick and in the output notebook, and says what it cannot hide', async () => {
    const reset = await withSettings({ 'notebookExecutions.secretParameters': ['hush*'] });
    try {
      user.willPick(
        (pick) => {
          pick.choose('This machine');
        },
        (pick) => {
          const row = pick.row('hush_hush');
          assert.equal(row.description, MASK);
          assert.ok(!shownIn(pick).includes('default-secret'));
          assert.equal(pick.row('password').description, "'plain'");
          pick.choose('hush_hush');
        },
        (pick) => {
          assert.ok(!shownIn(pick).includes(SECRET));
          pick.choose('Execute');
        },
      );
      user.willType((box) => {
        assert.equal(box.password, true);
        assert.match(box.prompt ?? '', /the executed notebook shows it in its parameters cell/);
        return SECRET;
      });
      const source = "hush_hush = 'default-secret'\npassword = 'plain'";
      const notebook = notebookText([{ source, tags: ['parameters'] }]);
      const uri = await writeFile('secret.ipynb', notebook);
      const name = await run('execute', uri);
      const execution = await ended(service, name);
      assert.equal(execution.state, 'SUCCEEDED');
      const output = JSON.parse(await textOf(service.readOutput(execution))) as {
        cells: { source: string | string[] }[];
        metadata: { papermill: { parameters: unknown; default_parameters: unknown } };
      };
      assert.deepEqual(output.metadata.papermill.parameters, { hush_hush: MASK });
      assert.deepEqual(output.metadata.papermill.default_parameters, { hush_hush: MASK, password: 'plain' });
      assert.ok(JSON.stringify(output.cells).includes(SECRET));
      // No window stores it: it is requested again, and may be entered again or dismissed.
      user.willPick(
        (pick) => {
          pick.choose('This machine');
        },
        (pick) => {
          assert.match(shownIn(pick), /Secret values are not remembered.*: hush_hush/);
          assert.equal(pick.row('Execute').description, 'with the defaults');
          pick.leave();
        },
      );
      const { length } = user.picks;
      assert.equal(await run('executeAgain', uri), undefined);
      assert.equal(user.picks.length, length + 2);
      user.willPick((pick) => {
        pick.choose('secret');
      });
      user.willType(() => 'from secret');
      user.willPick((pick) => {
        pick.choose(pick.labels[0] ?? '');
      });
      await run('saveAsTemplate');
      await user.message(/^Saved the template .* without its secret parameters/);
      const templates = vscode.workspace.getConfiguration('notebookExecutions').get('templates');
      assert.ok(!JSON.stringify(templates).includes(SECRET));
      await vscode.workspace
        .getConfiguration('notebookExecutions')
        .update('templates', undefined, vscode.ConfigurationTarget.Global);
    } finally {
      await reset();
    }
  });

  it('passes the settings to the service', async () => {
    const reset = await withSettings({
      'notebookExecutions.keepAwake': false,
      'notebookExecutions.retention.days': 7,
      'notebookExecutions.retention.gigabytes': 1,
    });
    const folder = vscode.workspace.getConfiguration('notebookExecutions').get('dataDirectory', '');
    const config = (): unknown => JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8'));
    const wanted = { keepAwake: false, retentionDays: 7, retentionBytes: 1024 ** 3 };
    await until('the service has the settings', () =>
      isDeepStrictEqual({ ...(config() as object), ...wanted }, config()),
    );
    await reset();
    await until(
      'the service has the defaults',
      () => Reflect.get(config() as object, 'retentionDays') === 30,
    );
  });

  it('detects a service that hangs, reports it, and restarts it while its executions keep running', async () => {
    const { name } = await submit('goes on', 'import time\nfor _ in range(600): time.sleep(0.1)');
    const before = await service.info();
    assert.ok(before !== undefined);
    await until('it runs', async () => (await service.get(name)).state === 'RUNNING');
    process.kill(before.pid, 'SIGSTOP');
    user.willPress(/^The execution service of this machine does not answer/, 'Restart Service');
    await run('refresh');
    await user.message(/^The execution service was restarted/);
    const after = await service.info();
    assert.ok(after !== undefined && after.pid !== before.pid);
    assert.equal((await service.get(name)).state, 'RUNNING');
    await service.cancel(name);
    assert.equal((await ended(service, name)).state, 'CANCELLED');
    await run('restartService');
    assert.notEqual((await service.info())?.pid, after.pid);
  });
});

describe('the row of this machine', () => {
  const INFO: ServiceInfo = {
    build: '0.1.0-abc',
    pid: 1,
    host: 'here',
    startTime: '2025-12-31T22:00:00Z',
    running: 1,
    queued: 2,
    maxConcurrent: 4,
    spare: true,
    executions: 7,
    diskBytes: 3_500_000,
    setAside: ['broken'],
  };

  it('is last, appears with the first execution, and shows version, time, queue and disk', async () => {
    const clock = new FakeClock();
    const { ExecutionStore, ExecutionTreeProvider } = shipped();
    const store = new ExecutionStore();
    const scripted = new ScriptedService();
    const changed = new Emitter<undefined>();
    const machine: { info: ServiceInfo | undefined; onDidChange: Emitter<undefined>['event'] } = {
      info: INFO,
      onDidChange: changed.event,
    };
    const provider = new ExecutionTreeProvider({
      store,
      clock,
      arrangement: DEFAULT_ARRANGEMENT,
      machine,
    });
    const fired: (TreeNode[] | undefined)[] = [];
    provider.onDidChangeTreeData((nodes) => fired.push(nodes));
    store.addService(scripted);
    store.applyFirstPage(store.begin(), scripted, { executions: [] });
    assert.deepEqual(await provider.getChildren(), [], 'an empty view says what it is for');
    store.apply(store.begin(), scripted, scripted.put('one'));
    const last = (await provider.getChildren()).at(-1);
    assert.ok(last?.kind === 'machine');
    assert.equal(provider.getParent(last), undefined);
    assert.deepEqual(await provider.getChildren(last), []);
    const item = provider.getTreeItem(last);
    assert.equal(item.label, 'This machine');
    assert.equal(item.description, '1 running · 2 queued · 3.3 MB');
    assert.equal(item.contextValue, 'machine');
    const { label } = item.accessibilityInformation ?? { label: '' };
    for (const fact of ['Version: 0.1.0-abc', 'Up for 2 h', '1 running, at most 4 at once; 2 queued'])
      assert.ok(label.includes(fact), label);
    assert.match(
      label,
      /Executions: 7\. Disk use: 3\.3 MB\. A spare kernel is ready\. Could not be read, and set aside: 1/,
    );
    fired.length = 0;
    changed.fire(undefined);
    assert.deepEqual(fired, [[last]]);
    machine.info = undefined;
    changed.fire(undefined);
    assert.deepEqual(fired.at(-1), undefined);
    assert.equal((await provider.getChildren()).length, 1);
    provider.dispose();
    store.dispose();
  });
});
