import assert from 'node:assert/strict';
import { ServiceError } from '../../../src/execution/errors';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { LOCAL_RATES, REMOTE_RATES, type PollRates } from '../../../src/tracking/poll-rates';
import { Poller } from '../../../src/tracking/poller';
import { FakeClock, settle } from './fake-clock';
import { nameOf, ScriptedService } from './scripted-service';

describe('Poller', () => {
  let clock: FakeClock;
  let store: ExecutionStore;
  let service: ScriptedService;
  let awaited: string[];
  let log: string[];
  let pollers: Poller[];

  beforeEach(() => {
    clock = new FakeClock();
    store = new ExecutionStore();
    service = new ScriptedService();
    awaited = [];
    log = [];
    pollers = [];
  });
  afterEach(() => {
    for (const poller of pollers) poller.dispose();
    assert.deepEqual(clock.waits(), [], 'no timer is left');
  });

  function start(rates: PollRates = LOCAL_RATES, random = () => 0.5): Poller {
    const poller = new Poller({
      service,
      store,
      clock,
      rates,
      random,
      awaited: () => awaited,
      gone: (name) => {
        awaited = awaited.filter((other) => other !== name);
      },
      log: (line) => log.push(line),
    });
    pollers.push(poller);
    return poller;
  }
  const lists = () => service.requests.filter((request) => request.startsWith('list')).length;
  const create = (id: string) => store.apply(store.begin(), service, service.put(id));

  it('asks nothing while nothing is active and nobody looks', async () => {
    start();
    await clock.pass(3_600_000);
    assert.deepEqual(service.requests, []);
    assert.deepEqual(clock.waits(), []);
  });

  it('follows an execution that a command created until it ends, then stops', async () => {
    start();
    create('a');
    await clock.pass(2000);
    assert.ok(lists() >= 2, `${String(lists())} lists in 2 s`);
    service.put('a', { state: 'SUCCEEDED' });
    await clock.pass(1000);
    assert.equal(store.find('test', nameOf('a'))?.execution.state, 'SUCCEEDED');
    const asked = lists();
    await clock.pass(3_600_000);
    assert.equal(lists(), asked);
  });

  it('asks at once when somebody looks, slowly while they look, and no more when they do not', async () => {
    const poller = start();
    poller.setWatched(true);
    await clock.pass(0);
    assert.equal(lists(), 1);
    await clock.pass(30_000);
    assert.equal(lists(), 11);
    poller.setWatched(false);
    await clock.pass(30_000);
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
      await clock.pass(wait);
    }
    assert.equal(waits[0], 500);
    assert.equal(waits.at(-1), 1000);
    service.put('a', { displayName: 'changed' });
    await clock.pass(1000);
    assert.equal(clock.waits()[0], 500, 'a change makes it fast again');
  });

  it('does not wait out the slow rate when something becomes active', async () => {
    start(REMOTE_RATES).setWatched(true);
    await clock.pass(0);
    assert.equal(clock.waits()[0], 60_000);
    create('a');
    assert.equal(clock.waits()[0], 5000);
  });

  it('spreads its requests to Google by chance', async () => {
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

  it('gets the active executions that the page does not name, and only these', async () => {
    create('a');
    create('b');
    service.unlisted.add(nameOf('a'));
    start();
    await clock.pass(0);
    assert.deepEqual(service.requests, ['list', `get ${nameOf('a')}`]);
  });

  describe('where lists tell less than a get', () => {
    beforeEach(() => {
      service = new ScriptedService('test', { detailsOnGet: true });
      const get = service.get.bind(service);
      service.get = async (name) => ({ ...(await get(name)), runStatus: { message: 'why it ended' } });
    });

    it('gets an execution once when it ends, and what has ended before never', async () => {
      service.put('old', { state: 'FAILED' });
      create('a');
      start();
      await clock.pass(2000);
      service.put('a', { state: 'FAILED' });
      await clock.pass(1000);
      assert.equal(store.find('test', nameOf('a'))?.execution.runStatus?.message, 'why it ended');
      await clock.pass(3_600_000);
      assert.deepEqual(
        service.requests.filter((request) => request.startsWith('get')),
        [`get ${nameOf('a')}`],
      );
    });

    it('gets what ended while no window was there to see it', async () => {
      service.put('a', { state: 'SUCCEEDED' });
      awaited = [nameOf('a')];
      start();
      await clock.pass(0);
      assert.equal(store.find('test', nameOf('a'))?.execution.runStatus?.message, 'why it ended');
    });

    it('tells the end all the same where the details cannot be got', async () => {
      create('a');
      start();
      service.put('a', { state: 'FAILED' });
      service.get = () => Promise.reject(new ServiceError('INTERNAL', 'broken', 'broken'));
      await clock.pass(1000);
      assert.equal(store.find('test', nameOf('a'))?.execution.state, 'FAILED');
      assert.equal(store.status('test')?.error, undefined);
    });
  });

  it('removes an active execution that is gone', async () => {
    create('a');
    service.executions.clear();
    start();
    await clock.pass(0);
    assert.deepEqual(store.all(), []);
    assert.deepEqual(clock.waits(), []);
  });

  it('goes on with the others when one execution cannot be read', async () => {
    create('a');
    create('b');
    service.unlisted.add(nameOf('a')).add(nameOf('b'));
    const get = service.get.bind(service);
    service.get = async (name) => {
      if (name === nameOf('a')) throw new ServiceError('INTERNAL', 'broken', 'broken');
      service.put('b', { state: 'SUCCEEDED' });
      return get(name);
    };
    start();
    await clock.pass(0);
    assert.equal(store.find('test', nameOf('b'))?.execution.state, 'SUCCEEDED');
    assert.equal(store.status('test')?.error?.message, 'broken');
  });

  it('asks for what somebody waits for after a reload', async () => {
    service.put('a', { state: 'SUCCEEDED' });
    service.unlisted.add(nameOf('a'));
    awaited = [nameOf('a')];
    start();
    await clock.pass(0);
    assert.equal(store.find('test', nameOf('a'))?.execution.state, 'SUCCEEDED');
    assert.deepEqual(clock.waits(), []);
  });

  it('stops to ask for what somebody waits for and is gone', async () => {
    awaited = [nameOf('deleted')];
    start();
    await clock.pass(0);
    assert.deepEqual(service.requests, ['list', `get ${nameOf('deleted')}`]);
    assert.deepEqual(clock.waits(), []);
  });

  describe('one tick at a time', () => {
    it('never runs two, and follows a slow one with another where a command asked meanwhile', async () => {
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

    it('a poke takes the place of the planned tick', async () => {
      const poller = start();
      create('a');
      poller.poke();
      await settle();
      assert.equal(clock.waits().length, 1);
    });
  });

  describe('errors', () => {
    it('backs off, says a lasting error once, and comes back by itself', async () => {
      start().setWatched(true);
      await clock.pass(0);
      service.error = new ServiceError('UNAVAILABLE', 'offline', 'offline');
      await clock.pass(3000);
      const waits: number[] = [];
      for (let tick = 0; tick < 4; tick++) {
        const [wait] = clock.waits();
        assert.ok(wait !== undefined);
        waits.push(wait);
        await clock.pass(wait);
      }
      assert.deepEqual(waits, [6000, 12_000, 15_000, 15_000]);
      assert.deepEqual(log, ['test: offline']);
      assert.equal(store.status('test')?.error, service.error);
      service.error = undefined;
      await clock.pass(15_000);
      assert.equal(store.status('test')?.error, undefined);
      assert.equal(clock.waits()[0], 3000);
    });

    it('waits as long as the service asks', async () => {
      service.error = new ServiceError('RESOURCE_EXHAUSTED', 'quota', 'slow down', { retryAfter: '90' });
      start().setWatched(true);
      await settle();
      assert.deepEqual(clock.waits(), [90_000]);
    });

    it('takes a service that does not answer as failed', async () => {
      service.list = (_page: object, signal?: AbortSignal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
      start().setWatched(true);
      await clock.pass(15_000);
      assert.equal((store.status('test')?.error as ServiceError).reason, 'noAnswer');
    });
  });

  it('loads older pages one by one', async () => {
    for (let index = 0; index < 250; index++) {
      const minute = String(index % 60).padStart(2, '0');
      const hour = String(Math.floor(index / 60)).padStart(2, '0');
      service.put(`e${String(index)}`, {
        state: 'SUCCEEDED',
        createTime: `2026-01-01T${hour}:${minute}:00Z`,
      });
    }
    const poller = start();
    await poller.refresh();
    assert.equal(store.all().length, 100);
    await poller.loadMore();
    assert.equal(store.all().length, 200);
    await poller.loadMore();
    assert.equal(store.all().length, 250);
    assert.equal(store.status('test')?.nextPageToken, undefined);
    await poller.loadMore();
    assert.equal(lists(), 3);
  });

  it('drops older ones that were deleted elsewhere, a page at a time, and only while somebody looks at them', async () => {
    for (let index = 0; index < 350; index++) {
      const createTime = new Date(Date.parse('2026-01-01T00:00:00Z') + index * 60_000).toISOString();
      service.put(`e${String(index)}`, { state: 'SUCCEEDED', createTime });
    }
    const poller = start();
    poller.setWatched(true);
    await clock.pass(9000);
    // As long as nobody has asked for older ones there is nothing more to ask.
    assert.equal(lists(), 4);
    await poller.loadMore();
    await poller.loadMore();
    assert.equal(store.all().length, 300);
    poller.setWatched(false);
    await settle();
    // Deleted for their age, in another window, and at the seams of the pages.
    const deleted = [60, 61, 100, 149, 150, 151, 200, 249, 250, 251].map((index) =>
      nameOf(`e${String(index)}`),
    );
    for (const name of deleted) service.executions.delete(name);
    const before = lists();
    await clock.pass(60_000);
    assert.equal(lists(), before);
    poller.setWatched(true);
    await clock.pass(12_000);
    const left = new Set(store.all().map(({ execution }) => execution.name));
    assert.deepEqual(
      deleted.filter((name) => left.has(name)),
      [],
    );
    for (const name of left) assert.ok(service.executions.has(name));
    assert.ok(left.size >= 290);
    assert.ok(lists() - before <= 10, String(lists() - before));
    const list = service.list.bind(service);
    // Ticks are closer together while something is active, looks at older ones are not.
    let older = 0;
    service.list = (page, signal) => {
      if (page.pageToken !== undefined) older++;
      return list(page, signal);
    };
    service.put('active', { state: 'RUNNING', createTime: '2026-02-01T00:00:00Z' });
    await poller.refresh();
    const first = lists();
    await clock.pass(12_000);
    assert.ok(older >= 1 && older <= 4, String(older));
    assert.ok(lists() - first > 8, String(lists() - first));
    service.put('active', { state: 'SUCCEEDED', createTime: '2026-02-01T00:00:00Z' });
    // A place in the list that the service does not know any more.
    service.list = (page, signal) =>
      page.pageToken === undefined ? list(page, signal) : Promise.reject(new Error('too old'));
    await clock.pass(12_000);
    assert.equal(store.status('test')?.error, undefined);
    assert.equal(store.all().length, left.size + 1);
  });

  it('does nothing any more after dispose, however often', async () => {
    const poller = start();
    poller.setWatched(true);
    await settle();
    poller.dispose();
    poller.dispose();
    poller.poke();
    poller.setWatched(false);
    poller.setWatched(true);
    create('a');
    await clock.pass(3_600_000);
    assert.equal(lists(), 1);
  });
});
