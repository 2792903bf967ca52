import * as assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { EmbeddedExecutionService } from '../../../src/embedded';
import { ServiceError } from '../../../src/execution/errors';
import { ROOT } from '../../support/paths';
import { VENV_PYTHON } from '../../support/python';
import { FAKE_RUNNER, fakeKernel, NOTEBOOK, SERVICE, temporaryFolder, TestService } from '../service/support';

const PARENT = 'projects/local/locations/local';

describe('Clients of schedules', function () {
  this.timeout(60_000);

  it('the client of the embedded service creates, changes, triggers and deletes', async () => {
    const folder = temporaryFolder();
    const bundles = path.join(folder, 'dist');
    fs.mkdirSync(path.join(bundles, 'node_modules'), { recursive: true });
    fs.copyFileSync(SERVICE, path.join(bundles, 'service.js'));
    fs.writeFileSync(path.join(bundles, 'runner.js'), `require(${JSON.stringify(FAKE_RUNNER)});`);
    const notebook = path.join(folder, 'a.ipynb');
    fs.writeFileSync(notebook, NOTEBOOK);
    const dataDirectory = path.join(folder, 'data');
    const service = new EmbeddedExecutionService({
      dataDirectory,
      bundles,
      version: '1.0.0',
      idleSeconds: 20,
    });
    const { schedules } = service;
    const name = `${PARENT}/schedules/daily`;
    try {
      const created = await schedules.create('daily', {
        cronSchedule: '@daily',
        executionTemplate: { inputNotebookFile: pathToFileURL(notebook).href },
        runOptions: { environment: fakeKernel(folder) },
      });
      assert.deepEqual([created.name, created.state], [name, 'ENABLED']);
      assert.deepEqual(await schedules.get(name), created);
      assert.deepEqual(await schedules.list({}), { schedules: [created], unreachable: [] });
      const changed = await schedules.patch(name, { timeZone: 'Asia/Tokyo' }, ['timeZone']);
      assert.deepEqual([changed.cronSchedule, changed.timeZone], ['@daily', 'Asia/Tokyo']);
      assert.equal((await schedules.pause(name)).state, 'PAUSED');
      const { recentExecutions } = await schedules.trigger(name, { executionId: 'one', parameters: '{}' });
      assert.equal(recentExecutions?.[0]?.name, `${PARENT}/executions/one`);
      assert.equal((await schedules.resume(name)).state, 'ENABLED');
      await schedules.delete(name);
      for (const gone of [name, 'projects/other/schedules/daily']) {
        await assert.rejects(schedules.get(gone), (error: unknown) => {
          return error instanceof ServiceError && error.reason === 'scheduleNotFound';
        });
      }
    } finally {
      execFileSync(process.execPath, [SERVICE, 'stop', '--data-dir', dataDirectory]);
      service.dispose();
    }
  });

  it('Google’s Python client creates, changes, triggers and deletes', async () => {
    const folder = temporaryFolder();
    const { JUPYTER_PATH = '' } = fakeKernel(folder);
    const service = await TestService.startBy(folder, { env: { JUPYTER_PATH } });
    const notebook = path.join(folder, 'a.ipynb');
    fs.writeFileSync(notebook, NOTEBOOK);
    const script = path.join(ROOT, 'test/unit/schedules/google-client.py');
    const args = [script, service.endpoint.href, service.token, pathToFileURL(notebook).href];
    const { stdout } = await promisify(execFile)(VENV_PYTHON, args);
    const told = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
    assert.equal(told['created']?.['done'], true);
    assert.equal(told['got']?.['state'], 'ENABLED');
    assert.equal((told['listed']?.['schedules'] as unknown[]).length, 1);
    const triggered = told['triggered']?.['response'] as { recentExecutions: unknown[] };
    assert.equal(triggered.recentExecutions.length, 1);
    assert.deepEqual(told['refused'], [400, 'cronSchedule: is never due: there is no such date']);
    assert.equal(told['deleted']?.['done'], true);
  });
});
