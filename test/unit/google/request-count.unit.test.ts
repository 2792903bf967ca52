import assert from 'node:assert/strict';
import { busyCloud, fill, requestsInAnHour } from '../../support/google/poll-hour';

describe('following executions on Google Cloud', function () {
  this.timeout(120_000);
  const cloud = busyCloud();
  before(() => cloud.start());
  after(() => cloud.stop());
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
  });

  for (const kind of ['vertex', 'notebooks'] as const) {
    it(`needs no more requests for 100 of them than for one: ${kind}`, async () => {
      await fill(cloud, kind, 1);
      const one = await requestsInAnHour(cloud, kind, false);
      await fill(cloud, kind, 100);
      const hundred = await requestsInAnHour(cloud, kind, false);
      assert.ok(one > 60 && one < 400, `${String(one)} requests`);
      assert.equal(hundred, one);
      const double = kind === 'vertex' ? cloud.vertex : cloud.notebooks;
      assert.equal(double.count(/list$/), hundred);
    });
  }
});
