import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ScheduleStore } from '../../../src/service/schedules/schedule-store';
import { temporaryFolder } from '../service/support';
import { Machine } from './harness';

describe('The store of schedules', () => {
  it('keeps the folder of a create in progress, and removes it after a crash', async () => {
    const directory = path.join(temporaryFolder(), 'schedules');
    const store = new ScheduleStore(directory, 'host', () => undefined);
    const machine = new Machine();
    machine.add('one', '@daily');
    const record = JSON.parse(machine.schedules.get('one') ?? '') as Parameters<ScheduleStore['create']>[0];
    await store.create(record, { environment: { A: '1' } });
    // Like a create makes it, before it gets its name.
    const [folder] = fs.readdirSync(directory);
    const unfinished = path.join(directory, `${asidePrefix(store)}new-two-${crypto.randomUUID()}`);
    fs.mkdirSync(unfinished);
    assert.deepEqual(
      (await store.load()).map(({ id }) => id),
      ['one'],
    );
    assert.ok(fs.existsSync(unfinished));
    await store.removeUnfinished();
    assert.deepEqual(fs.readdirSync(directory), [folder]);
    assert.deepEqual(await store.environment('one'), { A: '1' });
  });
});

/** The names of a host's unfinished folders begin with it. */
function asidePrefix(store: ScheduleStore): string {
  return (store as unknown as { readonly aside: string }).aside;
}
