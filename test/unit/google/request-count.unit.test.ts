import assert from 'node:assert/strict';
import type { ExecutionService } from '../../../src/execution/execution-service';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { REMOTE_RATES } from '../../../src/tracking/poll-rates';
import { Poller } from '../../../src/tracking/poller';
import { BUCKET, CloudDouble, LOCATION, PROJECT } from '../../support/google/cloud';
import { until } from '../../support/until';
import { FakeClock, settle } from '../tracking/fake-clock';
import { notebookOf } from './support';

const HOUR = 3_600_000;

describe('following executions on Google Cloud', function () {
  this.timeout(300_000);
  const cloud = new CloudDouble(
    (_, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve({ state: 'CANCELLED', message: undefined, output: undefined });
        });
      }),
  );
  before(() => cloud.start());
  after(() => cloud.stop());
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
  });

  function add(id: string): void {
    cloud.vertex.addElsewhere(id, {
      displayName: id,
      gcsOutputUri: `gs://${BUCKET}/runs`,
      directNotebookSource: { content: Buffer.from(notebookOf('1')).toString('base64') },
    });
  }

  /** Requests in an hour of a clock that runs as fast as the answers come. */
  async function requestsInAnHour(): Promise<number> {
    const clock = new FakeClock();
    const store = new ExecutionStore();
    let asking = 0;
    const google = cloud.google().service('vertex', PROJECT, LOCATION);
    const service: ExecutionService = Object.assign(Object.create(google) as typeof google, {
      list: async (...args: Parameters<ExecutionService['list']>) => {
        asking += 1;
        return google.list(...args).finally(() => (asking -= 1));
      },
    });
    // A change of state is asked for again sooner, so none may happen while requests are counted.
    await until('all of them run', () =>
      [...cloud.vertex.jobs.values()].every(({ run }) => run.state === 'RUNNING'),
    );
    cloud.vertex.requests.length = 0;
    const poller = new Poller({
      service,
      store,
      clock,
      rates: REMOTE_RATES,
      random: () => 0.5,
      awaited: () => [],
      gone: () => undefined,
      log: (line) => {
        throw new Error(line);
      },
    });
    poller.setWatched(true);
    const end = clock.now() + HOUR;
    const idle = async (): Promise<void> => {
      await until('the answer is there', () => asking === 0);
      await settle();
    };
    await poller.refresh();
    poller.setWatched(false);
    while (clock.now() < end) {
      await clock.pass(Math.min(clock.waits()[0] ?? HOUR, end - clock.now()));
      await idle();
    }
    poller.dispose();
    return cloud.vertex.requests.length;
  }

  it('costs no more requests for 100 of them than for one', async () => {
    add('alone');
    const one = await requestsInAnHour();
    for (let index = 1; index < 100; index += 1) add(`job-${String(index)}`);
    const hundred = await requestsInAnHour();
    assert.ok(one > 60 && one < 400, `${String(one)} requests`);
    assert.equal(hundred, one);
    assert.equal(cloud.vertex.count(/list$/), hundred);
  });
});
