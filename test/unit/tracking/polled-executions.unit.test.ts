import assert from 'node:assert/strict';
import { ServiceError } from '../../../src/execution/errors';
import { settle } from './fake-clock';
import { Polling } from './polling';
import { nameOf, ScriptedService } from './scripted-service';

describe('Poller', () => {
  let polling: Polling;
  let clock: Polling['clock'];
  let store: Polling['store'];
  let service: Polling['service'];
  let start: Polling['start'];
  let lists: Polling['lists'];
  let create: Polling['create'];

  function poll(by?: ScriptedService): void {
    polling = new Polling(by);
    ({ clock, store, service, start, lists, create } = polling);
  }
  beforeEach(() => {
    poll();
  });
  afterEach(() => {
    polling.end();
  });

  it('gets only the active executions that the page does not contain', async () => {
    create('a');
    create('b');
    service.unlisted.add(nameOf('a'));
    start();
    await clock.advance(0);
    assert.deepEqual(service.requests, ['list', `get ${nameOf('a')}`]);
  });

  describe('where lists contain less than a get', () => {
    beforeEach(() => {
      poll(new ScriptedService('test', { detailsOnGet: true }));
      const get = service.get.bind(service);
      service.get = async (name) => ({ ...(await get(name)), runStatus: { message: 'why it ended' } });
    });

    it('gets an execution once when it ends, and never one that had ended before', async () => {
      service.put('old', { state: 'FAILED' });
      create('a');
      start();
      await clock.advance(2000);
      service.put('a', { state: 'FAILED' });
      await clock.advance(1000);
      assert.equal(store.find('test', nameOf('a'))?.execution.runStatus?.message, 'why it ended');
      await clock.advance(3_600_000);
      assert.deepEqual(
        service.requests.filter((request) => request.startsWith('get')),
        [`get ${nameOf('a')}`],
      );
    });

    it('gets executions that ended while no window was open', async () => {
      service.put('a', { state: 'SUCCEEDED' });
      polling.awaited = [nameOf('a')];
      start();
      await clock.advance(0);
      assert.equal(store.find('test', nameOf('a'))?.execution.runStatus?.message, 'why it ended');
    });

    it('reports the end even if the details cannot be read', async () => {
      create('a');
      start();
      service.put('a', { state: 'FAILED' });
      service.get = () => Promise.reject(new ServiceError('INTERNAL', 'broken', 'broken'));
      await clock.advance(1000);
      assert.equal(store.find('test', nameOf('a'))?.execution.state, 'FAILED');
      assert.equal(store.status('test')?.error, undefined);
    });
  });

  it('removes an active execution that is gone', async () => {
    create('a');
    service.executions.clear();
    start();
    await clock.advance(0);
    assert.deepEqual(store.all(), []);
    assert.deepEqual(clock.waits(), []);
  });

  it('continues with the others when one execution cannot be read', async () => {
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
    await clock.advance(0);
    assert.equal(store.find('test', nameOf('b'))?.execution.state, 'SUCCEEDED');
    assert.equal(store.status('test')?.error?.message, 'broken');
  });

  it('asks for executions that a command waits for after a reload', async () => {
    service.put('a', { state: 'SUCCEEDED' });
    service.unlisted.add(nameOf('a'));
    polling.awaited = [nameOf('a')];
    start();
    await clock.advance(0);
    assert.equal(store.find('test', nameOf('a'))?.execution.state, 'SUCCEEDED');
    assert.deepEqual(clock.waits(), []);
  });

  it('stops asking for an awaited execution that is gone', async () => {
    polling.awaited = [nameOf('deleted')];
    start();
    await clock.advance(0);
    assert.deepEqual(service.requests, ['list', `get ${nameOf('deleted')}`]);
    assert.deepEqual(clock.waits(), []);
  });

  it('loads older pages one at a time', async () => {
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

  it('finds older executions that match a filter, if the service has filters', async () => {
    poll(new ScriptedService('filtering', { filters: true }));
    for (let index = 0; index < 500; index++) {
      const createTime = new Date(Date.parse('2026-01-01T00:00:00Z') - index * 60_000).toISOString();
      service.put(`e${String(index)}`, { state: index < 150 ? 'SUCCEEDED' : 'FAILED', createTime });
    }
    const poller = start();
    await poller.refresh();
    for (let count = 1; count <= 6; count++) {
      await poller.search('FAILED');
      assert.equal(store.all().length, 100 + Math.min(count * 100, 350), String(count));
    }
    assert.deepEqual(
      service.requests,
      ['list', 'list FAILED', 'list FAILED 100', 'list FAILED 200', 'list FAILED 300'],
      'nothing more is asked once all are found',
    );
    assert.deepEqual(store.status('filtering')?.search, { filter: 'FAILED', nextPageToken: undefined });
    await poller.search('SUCCEEDED');
    assert.equal(service.requests.at(-1), 'list SUCCEEDED');
    await poller.search('');
    assert.equal(service.requests.at(-1), 'list 100', 'without a filter all older ones match');
  });

  it('drops older executions that were deleted elsewhere, a page at a time, and only while the view is visible', async () => {
    for (let index = 0; index < 350; index++) {
      const createTime = new Date(Date.parse('2026-01-01T00:00:00Z') + index * 60_000).toISOString();
      service.put(`e${String(index)}`, { state: 'SUCCEEDED', createTime });
    }
    const poller = start();
    poller.setWatched(true);
    await clock.advance(9000);
    // Until older ones are requested, no further requests are needed.
    assert.equal(lists(), 4);
    await poller.loadMore();
    await poller.loadMore();
    assert.equal(store.all().length, 300);
    poller.setWatched(false);
    await settle();
    // Deleted because of their age, in another window, and at page borders.
    const deleted = [60, 61, 100, 149, 150, 151, 200, 249, 250, 251].map((index) =>
      nameOf(`e${String(index)}`),
    );
    for (const name of deleted) service.executions.delete(name);
    const before = lists();
    await clock.advance(60_000);
    assert.equal(lists(), before);
    poller.setWatched(true);
    await clock.advance(12_000);
    const left = new Set(store.all().map(({ execution }) => execution.name));
    assert.deepEqual(
      deleted.filter((name) => left.has(name)),
      [],
    );
    for (const name of left) assert.ok(service.executions.has(name));
    assert.ok(left.size >= 290);
    assert.ok(lists() - before <= 10, String(lists() - before));
    const list = service.list.bind(service);
    // Polls are more frequent while an execution is active; checks of older ones are not.
    let older = 0;
    service.list = (page, signal) => {
      if (page.pageToken !== undefined) older++;
      return list(page, signal);
    };
    service.put('active', { state: 'RUNNING', createTime: '2026-02-01T00:00:00Z' });
    await poller.refresh();
    const first = lists();
    await clock.advance(12_000);
    assert.ok(older >= 1 && older <= 4, String(older));
    assert.ok(lists() - first > 8, String(lists() - first));
    service.put('active', { state: 'SUCCEEDED', createTime: '2026-02-01T00:00:00Z' });
    // A page token that the service no longer accepts.
    service.list = (page, signal) =>
      page.pageToken === undefined ? list(page, signal) : Promise.reject(new Error('too old'));
    await clock.advance(12_000);
    assert.equal(store.status('test')?.error, undefined);
    assert.equal(store.all().length, left.size + 1);
  });
});
