import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { servicePaths } from '../../../src/protocol/service-paths';
import { FolderStore } from '../../../src/service/executions/folder-store';
import type { ExecutionRecord } from '../../../src/service/executions/record';
import type { ServiceInfo } from '../../../src/execution/machine';
import { readSmallFile, readSmallFileSync } from '../../../src/system/small-file';
import { PARENT, temporaryFolder, TestService } from './support';

const UUID = '01234567-89ab-cdef-0123-456789abcdef';

async function setAside(service: TestService): Promise<string[]> {
  const { metadata } = (await service.request('GET', PARENT)).body as { metadata: ServiceInfo };
  return metadata.setAside;
}

describe('A small file', () => {
  it('is read completely, whatever its size, up to a limit', async () => {
    const file = path.join(temporaryFolder(), 'file');
    for (const text of ['', 'ü', 'x'.repeat(70_000)]) {
      fs.writeFileSync(file, text);
      assert.equal(readSmallFileSync(file), text);
      assert.equal(await readSmallFile(file), text);
    }
    const bytes = fs.statSync(file).size;
    assert.equal(readSmallFileSync(file, bytes).length, bytes);
    assert.equal((await readSmallFile(file, bytes)).length, bytes);
    assert.throws(() => readSmallFileSync(file, bytes - 1), { code: 'EFBIG' });
    await assert.rejects(readSmallFile(file, bytes - 1), { code: 'EFBIG' });
    if (process.platform !== 'linux') return;
    // A file without a size.
    const status = '/proc/sys/kernel/ostype';
    assert.equal(readSmallFileSync(status), 'Linux\n');
    assert.equal(await readSmallFile(status), 'Linux\n');
  });
});

describe('A path of ours that is not a regular file', () => {
  const host = path.basename(servicePaths('/').host);
  const KINDS: Readonly<Record<string, (file: string) => void>> = {
    pipe: (file) => execFileSync('mkfifo', [file]),
    device: (file) => {
      fs.symlinkSync('/dev/zero', file);
    },
    folder: (file) => {
      fs.mkdirSync(file);
    },
    'dangling link': (file) => {
      fs.symlinkSync('nowhere', file);
    },
    'endless file': (file) => {
      fs.symlinkSync('/proc/self/pagemap', file);
    },
  };

  for (const [kind, put] of Object.entries(KINDS)) {
    if (kind === 'endless file' && process.platform !== 'linux') continue;
    it(`but a ${kind}: the service starts, works, and reports what it ignored`, async () => {
      const folder = temporaryFolder();
      const first = await TestService.start(folder);
      for (const id of ['well', 'odd']) {
        await first.create(id);
        await first.ended(id);
      }
      await first.create('lost', 'wait');
      await first.running('lost');
      await first.kill();
      process.kill(Number(fs.readFileSync(first.file('lost', 'pid'), 'utf8')), 'SIGKILL');
      const names = [
        'config.json',
        `hosts/${host}/lock.9`,
        `hosts/${host}/lock.9007199254740992`,
        'executions/.odd',
        'executions/stray',
      ];
      for (const name of [...(kind === 'folder' ? [] : ['endpoint.json']), 'retention.json', 'clock.json'])
        names.push(`hosts/${host}/${name}`);
      names.push('executions/odd/execution.json', 'executions/lost/status.json', 'executions/lost/journal');
      for (const name of names) {
        const file = path.join(folder, 'data', name);
        fs.rmSync(file, { force: true });
        put(file);
      }
      const second = await TestService.start(folder);
      assert.equal((await second.get('well')).state, 'SUCCEEDED');
      assert.equal((await second.ended('lost')).state, 'FAILED');
      const said = second.stderr.join('');
      if (kind !== 'dangling link') {
        assert.match(said, /cannot read config\.json/);
        assert.match(said, /lost: cannot read status\.json/);
      }
      assert.match(said, /cannot read the record of odd, execution set aside/);
      assert.match(said, /not valid locks: lock\.9007199254740992/);
      assert.match(said, /ignored 2 unknown entries in .*executions: "\.odd", "stray"/);
      assert.deepEqual(await setAside(second), ['odd']);
      assert.equal((await second.create('new')).code, 200);
      assert.equal((await second.ended('new')).state, 'SUCCEEDED');
      await second.kill();
      assert.equal((await (await TestService.start(folder)).get('new')).state, 'SUCCEEDED');
    });
  }
}).timeout(60_000);

describe('An unreadable record', () => {
  /** A service that was killed while an execution with a secret in its environment waited, and that has other attempts. */
  async function killedService(id: string): Promise<TestService> {
    const folder = temporaryFolder();
    const service = await TestService.start(folder);
    await service.create('blocks', 'wait');
    await service.running('blocks');
    const environment = { JUPYTER_PATH: path.join(folder, 'jupyter'), TOKEN: 'hush-hush' };
    await service.create(id, 'succeed', { options: { environment, maxAttempts: 2 } });
    await service.kill();
    return service;
  }
  const contents = (service: TestService, id: string): string =>
    fs
      .readdirSync(service.file(id, '.'))
      .map((name) => fs.readFileSync(service.file(id, name), 'utf8'))
      .join();

  it('is listed at each start and reported once; it contains no environment, can be deleted, and frees its id', async () => {
    const killed = await killedService('torn');
    assert.ok(contents(killed, 'torn').includes('hush-hush'));
    fs.truncateSync(killed.file('torn', 'execution.json'), 40);
    const input = fs.readFileSync(killed.file('torn', 'input.ipynb'), 'utf8');
    for (let start = 1; start <= 2; start++) {
      const service = await TestService.start(killed.folder);
      assert.deepEqual(await setAside(service), ['torn']);
      assert.ok(!contents(service, 'torn').includes('hush-hush'));
      assert.equal(service.stderr.join('').match(/record of torn/g)?.length, 1);
      assert.equal(fs.readFileSync(service.file('torn', 'input.ipynb'), 'utf8'), input);
      await service.kill();
    }
    const service = await TestService.start(killed.folder);
    assert.equal((await service.request('GET', `${PARENT}/executions/torn`)).code, 404);
    // None of its files is overwritten.
    assert.equal((await service.create('torn')).code, 409);
    const { code, body } = await service.request('DELETE', `${PARENT}/executions/torn`);
    assert.deepEqual([code, body['done']], [200, true]);
    assert.deepEqual(await setAside(service), []);
    assert.ok(!fs.existsSync(service.file('torn', '.')));
    assert.equal((await service.request('DELETE', `${PARENT}/executions/torn`)).code, 404);
    service.go('blocks');
    assert.equal((await service.create('torn')).code, 200);
    assert.equal((await service.ended('torn')).state, 'SUCCEEDED');
  });

  it('is reported once, however often the folder changes, and no longer when it is gone or readable again', async () => {
    const folder = temporaryFolder();
    const messages: string[] = [];
    const store = new FolderStore(folder, 'host', (message) => messages.push(message));
    for (const id of ['torn', 'gone']) {
      fs.mkdirSync(store.folder(id));
      fs.writeFileSync(store.file(id, 'execution'), '{');
    }
    await store.load();
    for (const id of ['a', 'b', 'c']) {
      fs.mkdirSync(store.folder(id));
      for (const name of store.changedNames() ?? []) store.read(name);
    }
    assert.deepEqual(store.setAside, ['gone', 'torn']);
    assert.equal(messages.length, 2, messages.join());
    fs.rmSync(store.folder('gone'), { recursive: true });
    const time = new Date().toISOString();
    const record: ExecutionRecord = {
      version: 1,
      id: 'torn',
      content: 'x',
      createTime: time,
      updateTime: time,
      stem: 'notebook',
      executionTemplate: {},
      runOptions: {},
      state: 'SUCCEEDED',
      history: [],
      attempt: 1,
      outputNotebookFile: 'file:///x',
    };
    await store.save({ record });
    for (const name of store.changedNames() ?? []) store.read(name);
    assert.deepEqual(store.setAside, []);
  });

  it('that the first version renamed is listed and can be deleted as well', async () => {
    const killed = await killedService('former');
    fs.renameSync(killed.file('former', 'execution.json'), killed.file('former', 'execution.json.corrupt'));
    const service = await TestService.start(killed.folder);
    assert.deepEqual(await setAside(service), ['former']);
    assert.ok(!contents(service, 'former').includes('hush-hush'));
    assert.equal((await service.request('DELETE', `${PARENT}/executions/former`)).code, 200);
    assert.deepEqual(await setAside(service), []);
  });

  it('of a newer version stays unchanged until that version is back', async () => {
    const killed = await killedService('newer');
    const file = killed.file('newer', 'execution.json');
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(file, JSON.stringify({ ...record, version: 2 }));
    const older = await TestService.start(killed.folder);
    assert.deepEqual(await setAside(older), ['newer']);
    await older.kill();
    fs.writeFileSync(file, JSON.stringify(record));
    const newer = await TestService.start(killed.folder);
    newer.go('blocks');
    assert.equal((await newer.ended('newer')).state, 'SUCCEEDED');
  });
}).timeout(60_000);

describe('A folder that another host is deleting', () => {
  it('does not prevent the service from starting', async () => {
    const folder = temporaryFolder();
    const messages: string[] = [];
    const store = new FolderStore(folder, 'host', (message) => messages.push(message));
    const real = process.getBuiltinModule('node:fs');
    const { readdirSync } = real;
    const gone = [`.01234567-deleted-one-${UUID}`, 'two'];
    // They still existed when the names were read.
    real.readdirSync = ((directory: string) =>
      directory === folder ? gone : readdirSync(directory)) as typeof readdirSync;
    try {
      assert.deepEqual(await store.load(), []);
    } finally {
      real.readdirSync = readdirSync;
    }
    assert.deepEqual(store.setAside, []);
    assert.ok(
      messages.every((message) => !message.includes('cannot remove')),
      messages.join(),
    );
  });
});
