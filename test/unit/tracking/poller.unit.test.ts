import assert from 'node:assert/strict';
import { ServiceError } from '../../../src/execution/errors';
import { REMOTE_RATES } from '../../../src/tracking/poll-rates';
import { settle } from './fake-clock';
import { Polling } from './polling';
import { nameOf } from './scripted-service';

describe('Poller', () => {
  let polling: Polling;
  let clock: Polling['clock'];
  let store: Polling['store'];
  let service: Polling['service'];
  let log: Polling['log'];
  let pollers: Polling['pollers'];
  let start: Polling['start'];
  let lists: Polling['lists'];
  let create: Polling['create'];

  beforeEach(() => {
    polling = new Polling();
    ({ clock, store, service, log, pollers, start, lists, create } = polling);
  });
  afterEach(() => {
    polling.end();
  });

  it('sends no requests while no execution is active and the view is hidden', async () => {
    start();
    await clock.advance(3_600_000);
    assert.deepEqual(service.requests, []);
    assert.deepEqual(clock.waits(), []);
  });

  it('polls an execution that a command created until it ends, then stops', async () => {
    start();
    create('a');
    await clock.advance(2000);
    assert.ok(lists() >= 2, `${String(lists())} lists in 2 s`);
    service.put('a', { state: 'SUCCEEDED' });
    await clock.advance(1000);
    assert.equal(store.find('test', nameOf('a'))?.execution.state, 'SUCCEEDED');
    const asked = lists();
    await clock.advance(3_600_000);
    assert.equal(lists(), asked);
  });

  it('asks immediately when the view appears, slowly while it is visible, and stops when it is hidden', async () => {
    const poller = start();
    poller.setWatched(true);
    await clock.advance(0);
    assert.equal(lists(), 1);
    await clock.advance(30_000);
    assert.equal(lists(), 11);
    poller.setWatched(false);
    await clock.advance(30_000);
    assert.equal(lists(), 11);
  });

  it('slows down on this machine from half a second to a second while nothing changes', async () => {
    start();
    create('a');
    const waits: number[] = [];
    for (let tick = 0; tick < 8; tick++) {
      const [wait] = clock.waits();
      assert.ok(wait !== undefined);
      waits.push(wait);
      await clock.advance(wait);
    }
    assert.equal(waits[0], 500);
    assert.equal(waits.at(-1), 1000);
    service.put('a', { displayName: 'changed' });
    await clock.advance(1000);
    assert.equal(clock.waits()[0], 500, 'a change makes it fast again');
  });

  it('does not wait for the slow interval to pass when an execution becomes active', async () => {
    start(REMOTE_RATES).setWatched(true);
    await clock.advance(0);
    assert.equal(clock.waits()[0], 60_000);
    create('a');
    assert.equal(clock.waits()[0], 5000);
  });

  it('adds random jitter to requests to Google', async () => {
    for (const [chance, expected] of [
      [0, 51_000],
      [0.999, 68_982],
    ] as const) {
      start(REMOTE_RATES, () => chance).setWatched(true);
      await settle();
      assert.equal(Math.round(clock.waits().at(-1) ?? 0), expected);
      for (const poller of pollers) poller.dispose();
    }
  });

  describe('one poll at a time', () => {
    it('never polls twice in parallel, and polls again after a slow one if a command asked meanwhile', async () => {
      const poller = start();
      let open: () => void = () => undefined;
      service.gate = new Promise((resolve) => {
        open = resolve;
      });
      poller.poke();
      await settle();
      service.gate = undefined;
      service.put('a');
      const refreshed = poller.refresh();
      poller.poke();
      poller.poke();
      await settle();
      assert.equal(lists(), 1);
      open();
      await refreshed;
      assert.equal(lists(), 2);
      assert.equal(store.all().length, 1, 'refresh shows what was there when it was asked for');
      assert.equal(clock.waits().length, 1);
    });

    it('an immediate poll replaces the scheduled one', async () => {
      const poller = start();
      create('a');
      poller.poke();
      await settle();
      assert.equal(clock.waits().length, 1);
    });
  });

  describe('errors', () => {
    it('backs off, reports a lasting error once, and recovers by itself', async () => {
      start().setWatched(true);
      await clock.advance(0);
      service.error = new ServiceError('UNAVAILABLE', 'offline', 'offline');
      await clock.advance(3000);
      const waits: number[] = [];
      for (let tick = 0; tick < 4; tick++) {
        const [wait] = clock.waits();
        assert.ok(wait !== undefined);
        waits.push(wait);
        await clock.advance(wait);
      }
      assert.deepEqual(waits, [6000, 12_000, 15_000, 15_000]);
      assert.deepEqual(log, ['test: offline']);
      assert.equal(store.status('test')?.error, service.error);
      service.error = undefined;
      await clock.advance(15_000);
      assert.equal(store.status('test')?.error, undefined);
      assert.equal(clock.waits()[0], 3000);
    });

    it('waits as long as the service requests', async () => {
      service.error = new ServiceError('RESOURCE_EXHAUSTED', 'quota', 'slow down', { retryAfter: '90' });
      start().setWatched(true);
      await settle();
      assert.deepEqual(clock.waits(), [90_000]);
    });

    it('treats a service that does not answer as failed', async () => {
      service.list = (_page: object, signal?: AbortSignal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
      start().setWatched(true);
      await clock.advance(15_000);
      assert.equal((store.status('test')?.error as ServiceError).reason, 'noAnswer');
    });
  });

  it('does nothing after dispose, even if disposed several times', async () => {
    const poller = start();
    poller.setWatched(true);
    await settle();
    poller.dispose();
    poller.dispose();
    poller.poke();
    poller.setWatched(false);
    poller.setWatched(true);
    create('a');
    await clock.advance(3_600_000);
    assert.equal(lists(), 1);
  });
});
