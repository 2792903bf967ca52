import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SECRET_PARAMETERS } from '../../../src/execution/secrets/secret-names';
import type { RunnerJob } from '../../../src/protocol/runner-job';
import { RUN_TIMEOUTS } from '../../../src/runner/run';
import { ConfigReader } from '../../../src/service/config';
import { startApi } from './api';
import { temporaryFolder, type TestService } from './support';

/** The limits in an execution's job. */
function limitsOf(service: TestService, id: string): Partial<RunnerJob> {
  const job = JSON.parse(fs.readFileSync(service.file(id, 'job.json'), 'utf8')) as RunnerJob;
  const { kernelTimeout, timeout, cellTimeout, memoryLimitBytes, allowErrors, allowErrorNames } = job;
  return { kernelTimeout, timeout, cellTimeout, memoryLimitBytes, allowErrors, allowErrorNames };
}

/* Defaults, as documented in the README and the descriptions of the settings. */
describe('defaults', () => {
  it('of an execution: 60 s for the kernel to start, no other limit, no errors allowed, one attempt; else its options', async () => {
    const { service, create } = await startApi();
    await create('first', { parameters: 'fake: wait' });
    await service.running('first');
    // It waits, so its job still exists.
    await create('second', {});
    assert.deepEqual(limitsOf(service, 'second'), {
      kernelTimeout: 60,
      timeout: undefined,
      cellTimeout: undefined,
      memoryLimitBytes: undefined,
      allowErrors: false,
      allowErrorNames: [],
    });
    assert.equal(fs.existsSync(service.file('second', 'retry.json')), false);
    const limits = {
      kernelTimeout: 1,
      timeout: 2,
      cellTimeout: 3,
      memoryLimitBytes: 4_000_000_000,
      allowErrors: true,
      allowErrorNames: ['ValueError'],
    };
    await create('third', {}, limits);
    assert.deepEqual(limitsOf(service, 'third'), limits);
    service.go('first');
    await service.ended('third');
  });

  it('of the waits of a run: 5 s after an interrupt, 4 s for the idle status of a cell, 10 s for the kernel to end', () => {
    assert.deepEqual(RUN_TIMEOUTS, { interrupt: 5000, idle: 4000, transfer: 60_000, end: 10_000 });
  });

  it('of the service', async () => {
    const reader = await ConfigReader.open(path.join(temporaryFolder(), 'config.json'), {}, (message) =>
      assert.fail(message),
    );
    assert.deepEqual(reader.current, {
      maxConcurrent: Math.max(1, Math.floor(os.availableParallelism() / 2)),
      spare: true,
      keepAwake: true,
      retentionDays: 30,
      retentionBytes: 5 * 1024 ** 3,
      secretParameters: [...SECRET_PARAMETERS],
    });
  });
});
