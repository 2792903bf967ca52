import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { Emitter } from '../../../src/tracking/emitter';
import { LOCAL_RATES } from '../../../src/tracking/poll-rates';
import { TrackingService } from '../../../src/tracking/tracking-service';
import { until } from '../../support/until';
import { FakeClock } from './fake-clock';
import { nameOf, ScriptedService } from './scripted-service';

describe('TrackingService', () => {
  let folder: string;
  let clock: FakeClock;
  let service: ScriptedService;
  let alive: Set<number>;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'tracking-'));
    clock = new FakeClock();
    service = new ScriptedService();
    alive = new Set();
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function openWindow(processId: number): Promise<{ tracking: TrackingService; reported: string[] }> {
    alive.add(processId);
    const tracking = new TrackingService({
      clock,
      window: { focused: true, onDidChange: new Emitter<void>().event },
      storageFolder: path.join(folder, 'storage'),
      workspace: 'w',
      processId,
      isAlive: (id) => alive.has(id),
      random: () => 0,
      log: () => undefined,
    });
    const reported: string[] = [];
    tracking.completion.onDidEnd(({ executions }) => {
      reported.push(...executions.map(({ execution }) => execution.name));
    });
    await tracking.restore();
    tracking.addService(service, LOCAL_RATES);
    return { tracking, reported };
  }
  const notices = () => readdir(path.join(folder, 'storage/notices')).catch(() => []);

  it('sends no requests when no execution is active and the view is hidden', async () => {
    service.put('a');
    const { tracking } = await openWindow(1);
    await clock.advance(3_600_000);
    assert.deepEqual(service.requests, []);
    await tracking.close();
  });

  it('the execution of a killed window is followed by the next window, and reported once', async () => {
    const first = await openWindow(1);
    const { store, completion } = first.tracking;
    await completion.submitted(store.apply(store.begin(), service, service.put('a')));
    // Like a kill: nothing is flushed.
    first.tracking.dispose();
    alive.delete(1);
    service.put('a', { state: 'SUCCEEDED' });
    const second = await openWindow(2);
    await until('it is told', async () => {
      await clock.advance(500);
      return second.reported.length > 0;
    });
    assert.deepEqual(second.reported, [nameOf('a')]);
    assert.deepEqual(await notices(), []);
    await second.tracking.close();
    const third = await openWindow(3);
    await clock.advance(60_000);
    assert.deepEqual(third.reported, []);
    await third.tracking.close();
  });

  it('stops waiting for an execution that was deleted elsewhere', async () => {
    const first = await openWindow(1);
    const { store, completion } = first.tracking;
    await completion.submitted(store.apply(store.begin(), service, service.put('a')));
    first.tracking.dispose();
    service.executions.clear();
    const second = await openWindow(2);
    await until('the notice is gone', async () => {
      await clock.advance(500);
      return (await notices()).length === 0;
    });
    const asked = service.requests.length;
    await clock.advance(3_600_000);
    assert.equal(service.requests.length, asked);
    await second.tracking.close();
  });

  it('carries out pending deletions when it is closed, and sends no requests afterwards', async () => {
    const { tracking } = await openWindow(1);
    const { store } = tracking;
    await tracking.deletion.delete([store.apply(store.begin(), service, service.put('a'))]);
    tracking.setWatched(true);
    await tracking.close();
    await tracking.close();
    assert.ok(service.requests.includes(`delete ${nameOf('a')}`));
    const asked = service.requests.length;
    await clock.advance(3_600_000);
    assert.equal(service.requests.length, asked);
  });

  it('forgets a service that is removed', async () => {
    const { tracking } = await openWindow(1);
    tracking.setWatched(true);
    await clock.advance(0);
    tracking.removeService('test');
    const asked = service.requests.length;
    await clock.advance(60_000);
    assert.equal(service.requests.length, asked);
    assert.deepEqual(tracking.store.statuses(), []);
    await tracking.close();
  });
});
