import assert from 'node:assert/strict';
import { OutputRefresher } from '../../../src/views/output/output-refresher';
import { FakeClock } from '../tracking/fake-clock';

describe('OutputRefresher', () => {
  let clock: FakeClock;
  let live: string[];
  let checks: { document: string; at: number }[];
  let changes: boolean;
  let refresher: OutputRefresher;
  const start = Date.parse('2026-01-01T00:00:00Z');

  beforeEach(() => {
    clock = new FakeClock();
    live = [];
    checks = [];
    changes = true;
    refresher = new OutputRefresher({
      clock,
      live: () => live,
      check: (document) => {
        checks.push({ document, at: clock.now() - start });
        return Promise.resolve(changes);
      },
    });
  });
  afterEach(() => {
    refresher.dispose();
    assert.deepEqual(clock.waits(), []);
  });

  it('refreshes visible outputs of running executions, every second while that is cheap', async () => {
    live = ['a'];
    refresher.update();
    await clock.advance(3500);
    assert.deepEqual(
      checks.map(({ at }) => at),
      [1000, 2000, 3000],
    );
  });

  it('waits at least ten times as long as the last reload took', async () => {
    live = ['a'];
    refresher.update();
    await clock.advance(1000);
    await clock.advance(400);
    refresher.reloaded('a');
    await clock.advance(200);
    refresher.reloaded('a');
    await clock.advance(20_000);
    const [first, second] = checks.map(({ at }) => at);
    assert.equal(first, 1000);
    assert.equal(second, 1600 + 6000, 'the later end of the reload, 600 ms, counts');
  });

  it('stops when it is hidden and starts again when it is visible', async () => {
    live = ['a'];
    refresher.update();
    await clock.advance(1000);
    live = [];
    refresher.update();
    await clock.advance(10_000);
    assert.equal(checks.length, 1);
    live = ['a'];
    refresher.update();
    refresher.update();
    await clock.advance(1000);
    assert.equal(checks.length, 2);
  });

  it('has a separate timer for each document', async () => {
    live = ['a', 'b'];
    refresher.update();
    await clock.advance(1000);
    await clock.advance(500);
    refresher.reloaded('a');
    await clock.advance(2500);
    const of = (document: string) => checks.filter((check) => check.document === document).length;
    assert.deepEqual([of('a'), of('b')], [1, 4]);
  });

  it('ignores reloads that it did not start', async () => {
    live = ['a'];
    refresher.update();
    refresher.reloaded('a');
    refresher.reloaded('unknown');
    await clock.advance(1000);
    assert.equal(checks.length, 1);
  });
});
