import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ServiceError } from '../../../src/execution/errors';
import type { ServiceInfo } from '../../../src/execution/machine';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { MachineMonitor } from '../../../src/tracking/machine-monitor';
import { FakeClock } from './fake-clock';
import { ScriptedService } from './scripted-service';

const INFO: ServiceInfo = {
  build: '1.0.0-abc',
  pid: 1,
  host: 'here',
  startTime: '2026-01-01T00:00:00Z',
  running: 0,
  queued: 0,
  maxConcurrent: 1,
  spare: false,
  executions: 0,
  setAside: [],
};

describe('MachineMonitor', () => {
  let folder: string;
  let clock: FakeClock;
  let store: ExecutionStore;
  let service: ScriptedService;
  let answer: () => Promise<ServiceInfo | undefined>;
  let asked: number;
  const monitors: MachineMonitor[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'nbx-monitor-'));
    clock = new FakeClock();
    store = new ExecutionStore();
    service = new ScriptedService('embedded');
    answer = () => Promise.resolve(INFO);
    asked = 0;
  });
  afterEach(() => {
    for (const monitor of monitors.splice(0)) monitor.dispose();
    rmSync(folder, { recursive: true });
  });

  function monitor(): MachineMonitor {
    const info = (): Promise<ServiceInfo | undefined> => {
      asked++;
      return answer();
    };
    const machine = { id: 'embedded', info };
    const made = new MachineMonitor({ machine, store, clock, folder, log: () => undefined });
    monitors.push(made);
    return made;
  }

  it('asks only while the view is visible and when an execution has ended', async () => {
    const one = monitor();
    await clock.advance(60_000);
    assert.equal(asked, 0);
    one.setWatched(true);
    await clock.advance(10_000);
    assert.equal(asked, 3);
    assert.equal(one.info, INFO);
    one.setWatched(false);
    await clock.advance(60_000);
    assert.equal(asked, 3);
    store.addService(service);
    store.apply(store.begin(), service, service.put('one'));
    await clock.advance(0);
    assert.equal(asked, 3);
    store.apply(store.begin(), service, service.put('one', { state: 'SUCCEEDED' }));
    await clock.advance(0);
    assert.equal(asked, 4);
    one.dispose();
    assert.deepEqual(clock.waits(), []);
  });

  it('has no data when the service does not run or does not answer', async () => {
    const one = monitor();
    await one.refresh();
    answer = () => Promise.reject(new Error('gone'));
    let changes = 0;
    one.onDidChange(() => changes++);
    await one.refresh();
    assert.equal(one.info, undefined);
    assert.equal(changes, 1);
  });

  it('reports automatic deletions once, in only one window, and again when more are deleted', async () => {
    const reported: string[] = [];
    for (const name of ['one', 'two']) {
      const made = monitor();
      made.onDidRetain(({ count }) => reported.push(`${name} ${String(count)}`));
    }
    const retention = { time: '2026-01-01T00:00:00.000Z', count: 3, bytes: 10 };
    answer = () => Promise.resolve({ ...INFO, retention });
    for (const each of [...monitors, ...monitors]) await each.refresh();
    assert.deepEqual(reported, ['one 3']);
    answer = () => Promise.resolve({ ...INFO, retention: { ...retention, time: '2026-01-02T00:00:00Z' } });
    for (const each of [...monitors].reverse()) await each.refresh();
    assert.deepEqual(reported, ['one 3', 'two 3']);
  });

  it('reports once that the service does not answer, and again only after it has answered', () => {
    store.addService(service);
    let hung = 0;
    monitor().onDidHang(() => hung++);
    const hanging = new ServiceError('UNAVAILABLE', 'serviceNotResponding', 'no answer within 10000 ms');
    store.fail(service, new Error('something else'));
    assert.equal(hung, 0);
    store.fail(service, hanging);
    store.fail(service, hanging);
    store.fail(service, new Error('something else'));
    store.fail(service, hanging);
    assert.equal(hung, 1);
    store.succeed(service);
    store.fail(service, hanging);
    assert.equal(hung, 2);
  });
});
