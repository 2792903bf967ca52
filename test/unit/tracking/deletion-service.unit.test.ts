import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { ServiceError } from '../../../src/execution/errors';
import { DeletionService, UNDO_TIME } from '../../../src/tracking/deletion-service';
import { DeletionSchema } from '../../../src/tracking/records';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { RecordFolder } from '../../../src/tracking/record-folder';
import { FakeClock } from './fake-clock';
import { nameOf, ScriptedService } from './scripted-service';

describe('DeletionService', () => {
  let folder: string;
  let clock: FakeClock;
  let service: ScriptedService;
  let store: ExecutionStore;
  const alive = new Set<number>();

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'deletions-'));
    clock = new FakeClock();
    service = new ScriptedService();
    store = new ExecutionStore();
    store.addService(service);
    alive.clear();
  });
  afterEach(() => rm(folder, { recursive: true }));

  function deletions(processId = 1): DeletionService {
    alive.add(processId);
    return new DeletionService({
      store,
      deletions: new RecordFolder(folder, (value) => DeletionSchema.parse(value)),
      clock,
      processId,
      isAlive: (id) => alive.has(id),
    });
  }
  const create = (id: string) => store.apply(store.begin(), service, service.put(id, { state: 'SUCCEEDED' }));
  const files = () => readdir(folder);

  it('hides immediately, deletes after ten seconds, and leaves no record', async () => {
    const pending = await deletions().delete([create('a'), create('b')]);
    assert.deepEqual(store.all(), []);
    await clock.advance(UNDO_TIME - 1);
    assert.deepEqual(service.requests, []);
    await clock.advance(1);
    await pending.done;
    assert.deepEqual(service.requests, [`delete ${nameOf('a')}`, `delete ${nameOf('b')}`]);
    assert.deepEqual(await files(), []);
    assert.equal(await pending.undo(), false);
  });

  it('restores the executions on undo and deletes nothing', async () => {
    const pending = await deletions().delete([create('a'), create('b')]);
    await clock.advance(UNDO_TIME - 1);
    assert.equal(await pending.undo(), true);
    await pending.done;
    assert.equal(store.all().length, 2);
    assert.deepEqual(await files(), []);
    await clock.advance(60_000);
    assert.deepEqual(service.requests, []);
  });

  it('deletes immediately when the window closes', async () => {
    const service1 = deletions();
    await service1.delete([create('a')]);
    await service1.flush();
    assert.deepEqual(service.requests, [`delete ${nameOf('a')}`]);
    assert.deepEqual(await files(), []);
  });

  it('lets the next window delete when the process was killed', async () => {
    const first = deletions(1);
    await first.delete([create('a')]);
    first.dispose();
    alive.delete(1);
    await deletions(2).restore(service);
    assert.deepEqual(service.requests, [`delete ${nameOf('a')}`]);
    assert.deepEqual(await files(), []);
  });

  it('leaves the deletion to the window that still offers to undo it', async () => {
    await deletions(1).delete([create('a')]);
    await deletions(2).restore(service);
    assert.deepEqual(service.requests, []);
  });

  it('deletes when the process id has been reused by another process', async () => {
    const first = deletions(1);
    await first.delete([create('a')]);
    first.dispose();
    await clock.advance(3_600_000);
    await deletions(2).restore(service);
    assert.deepEqual(service.requests, [`delete ${nameOf('a')}`]);
  });

  it('treats an execution that is already gone as deleted', async () => {
    const pending = await deletions().delete([create('a')]);
    service.executions.clear();
    await clock.advance(UNDO_TIME);
    await pending.done;
    assert.deepEqual([store.all(), await files()], [[], []]);
  });

  it('restores executions that the service refuses to delete, and reports it', async () => {
    const deletion = deletions();
    const failed: string[] = [];
    deletion.onDidFail(({ tracked, error }) => failed.push(`${tracked.key} ${error.message}`));
    const tracked = create('a');
    const pending = await deletion.delete([tracked]);
    service.error = new ServiceError('PERMISSION_DENIED', 'denied', 'no');
    await clock.advance(UNDO_TIME);
    await pending.done;
    assert.deepEqual(failed, [`${tracked.key} no`]);
    assert.equal(store.all().length, 1);
    assert.deepEqual(await files(), []);
  });

  it('does not restore an execution from a list that was requested while the service deleted it', async () => {
    const tracked = create('a');
    const pending = await deletions().delete([tracked]);
    const list = store.begin();
    const page = await service.list({});
    await clock.advance(UNDO_TIME);
    await pending.done;
    store.applyFirstPage(list, service, page);
    store.setHidden(tracked.key, false);
    assert.deepEqual(store.all(), []);
  });

  it('sets a corrupt record aside and continues with the others', async () => {
    await deletions(1).delete([create('a')]);
    alive.delete(1);
    await writeFile(path.join(folder, 'torn.json'), '{"version":1,"na');
    await deletions(2).restore(service);
    assert.deepEqual(service.requests, [`delete ${nameOf('a')}`]);
    assert.deepEqual(await files(), ['torn.json.corrupt']);
  });

  it('lets only one window claim a deletion', async () => {
    const records = [1, 2].map(() => new RecordFolder(folder, (value) => value));
    await records[0]?.put('k', { n: 1 });
    const claims = await Promise.all(records.map((record) => record.claim('k')));
    assert.deepEqual(claims.sort(), [false, true]);
  });
});
