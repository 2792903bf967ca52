import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { machineSettings } from '../../src/commands/machine/machine-settings';
import { activated, otherClient, withSettings } from './support/executions';

describe('settings of this machine', () => {
  it('are read as they are set, and as absent when they are invalid', async () => {
    const undo = await withSettings({
      'notebookExecutions.maxConcurrentExecutions': 3,
      'notebookExecutions.spareKernel': false,
      'notebookExecutions.google.keyFile': '/key.json',
      'notebookExecutions.google.quotaProject': 'payer',
      'notebookExecutions.google.endpoints': { storage: 'http://127.0.0.1:1/' },
    });
    const settings = machineSettings();
    assert.equal(settings.service.maxConcurrent, 3);
    assert.equal(settings.service.spare, false);
    const { secretParameters, ...google } = settings.google;
    assert.equal(typeof secretParameters, 'function');
    assert.deepEqual(google, {
      keyFile: '/key.json',
      quotaProject: 'payer',
      endpoints: { storage: 'http://127.0.0.1:1/' },
    });
    // 'notebookExecutions.nodePath' is not set, 'notebookExecutions.dataDirectory' is that of the suite.
    assert.equal(settings.nodePath, undefined);
    assert.ok(settings.dataDirectory);
    await undo();
    assert.equal('maxConcurrent' in machineSettings().service, false);
    assert.equal(machineSettings().service.spare, true);
  });

  it('are passed to the service', async () => {
    await activated();
    const service = otherClient();
    const undo = await withSettings({ 'notebookExecutions.maxConcurrentExecutions': 5 });
    const file = path.join(machineSettings().dataDirectory ?? '', 'config.json');
    const deadline = Date.now() + 100_000;
    while (!(await fs.readFile(file, 'utf8').catch(() => '')).includes('"maxConcurrent":5')) {
      assert.ok(Date.now() < deadline, await fs.readFile(file, 'utf8'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await undo();
    service.dispose();
  });
});
