import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../support/until';
import { VENV_PYTHON } from '../../support/python';
import type { Execution } from '../../../src/execution/execution';
import { PARENT, ROOT, states, temporaryFolder, TestService, Unruly, type Answer } from './support';

/** The reason of an error response, with the system's error code. */
function reasonOf({ body }: Answer): [reason: unknown, code: unknown] {
  const { details = [] } = (body['error'] ?? {}) as { details?: Record<string, unknown>[] };
  return [
    details[0]?.['reason'],
    (details[0]?.['metadata'] as Record<string, unknown> | undefined)?.['code'],
  ];
}

function onDisk(service: TestService, id: string): string {
  return (JSON.parse(fs.readFileSync(service.file(id, 'execution.json'), 'utf8')) as { state: string }).state;
}

describe('A full disk', () => {
  let folder: string;
  let unruly: Unruly;
  let service: TestService;
  const done: string[] = [];
  before(async () => {
    folder = temporaryFolder();
    unruly = new Unruly(folder);
    service = await TestService.startBy(folder, { env: unruly.env }, '--max-concurrent', '1');
  });
  afterEach(async () => {
    unruly.order({});
    // Whatever happened, it still runs and has kept its data.
    assert.equal((await service.request('GET', `${PARENT}/executions`)).code, 200);
    assert.equal(service.process.exitCode, null);
  });

  for (const [name, match, code] of [
    ['has no space for a new execution', 'writeFile .*execution\\.json', 'ENOSPC'],
    ['is over the quota', 'datasync .*input\\.ipynb', 'EDQUOT'],
    ['is read-only', 'executions', 'EROFS'],
    ['is broken', 'rename .*executions', 'EIO'],
    ['has too many open files', 'open .*executions', 'EMFILE'],
  ] as const) {
    it(`${name}: create reports it and leaves nothing behind`, async () => {
      const id = `no-${code.toLowerCase()}`;
      unruly.order({ fail: { match, code } });
      const answer = await service.create(id);
      assert.equal(answer.code, 429, JSON.stringify(answer.body));
      assert.deepEqual(reasonOf(answer), ['storageNotWritable', code]);
      assert.equal((await service.request('GET', `${PARENT}/executions/${id}`)).code, 404);
      unruly.order({});
      assert.deepEqual(fs.readdirSync(service.file('.', '.')), [...done]);
      assert.equal((await service.create(id)).code, 200);
      assert.equal((await service.ended(id)).state, 'SUCCEEDED');
      done.push(id);
      done.sort();
    });
  }

  it('keeps an execution waiting that cannot start, with the reason, until there is space', async () => {
    await service.create('before', 'wait');
    await service.running('before');
    await service.create('after');
    await service.create('unwanted');
    unruly.order({ fail: { match: '(after|unwanted)/', code: 'ENOSPC' } });
    service.go('before');
    const says = ({ runStatus }: Execution): boolean => runStatus?.detail?.code === 'waitsForDisk';
    const { state, runStatus } = await service.until('after', says);
    assert.deepEqual([state, runStatus?.cause], ['QUEUED', undefined]);
    assert.match(runStatus?.message ?? '', /ENOSPC/);
    assert.equal(onDisk(service, 'after'), 'QUEUED');
    // It also waits on a full disk, and the answer to a cancel says so.
    const refused = await service.request('POST', `${PARENT}/executions/after:cancel`);
    assert.deepEqual(reasonOf(refused), ['storageNotWritable', 'ENOSPC']);
    unruly.order({});
    const after = await service.ended('after');
    assert.deepEqual([after.state, after.runStatus?.message], ['SUCCEEDED', undefined]);
    assert.deepEqual(states(after), ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED']);
    assert.equal((await service.ended('unwanted')).state, 'SUCCEEDED');
    assert.equal(service.runs().filter((run) => run.includes('after')).length, 1);
  });

  it('still cancels running executions and reports that this is not saved; waiting ones keep waiting', async () => {
    await service.create('runs', 'wait');
    await service.running('runs');
    await service.create('waits', 'wait');
    unruly.order({ fail: { match: 'execution\\.json', code: 'ENOSPC' } });
    const waits = await service.request('POST', `${PARENT}/executions/waits:cancel`);
    assert.deepEqual(reasonOf(waits), ['storageNotWritable', 'ENOSPC']);
    assert.equal((await service.get('waits')).state, 'QUEUED');
    const runs = await service.request('POST', `${PARENT}/executions/runs:cancel`);
    assert.deepEqual(reasonOf(runs), ['cancelNotSaved', 'ENOSPC']);
    assert.equal((await service.ended('runs')).state, 'CANCELLED');
    unruly.order({});
    assert.equal((await service.request('POST', `${PARENT}/executions/waits:cancel`)).code, 200);
    await service.ended('waits');
    await until('the end is on disk', () => onDisk(service, 'runs') === 'CANCELLED');
  });

  it('answers a repeated cancel or pin only once it is saved', async () => {
    await service.create('deaf', 'deaf');
    await service.running('deaf');
    unruly.order({ fail: { match: 'execution\\.json', code: 'ENOSPC' } });
    for (const [method, reason] of [
      ['cancel', 'cancelNotSaved'],
      ['cancel', 'cancelNotSaved'],
      ['pin', 'storageNotWritable'],
      ['unpin', 'storageNotWritable'],
    ] as const) {
      const answer = await service.request('POST', `${PARENT}/executions/deaf:${method}`);
      assert.equal(answer.code, 429);
      assert.deepEqual(reasonOf(answer), [reason, 'ENOSPC']);
    }
    assert.equal((await service.get('deaf')).state, 'CANCELLING');
    unruly.order({});
    for (const [method, field] of [
      ['cancel', 'cancelTime'],
      ['pin', 'pinned'],
    ] as const) {
      assert.equal((await service.request('POST', `${PARENT}/executions/deaf:${method}`)).code, 200);
      const record = JSON.parse(fs.readFileSync(service.file('deaf', 'execution.json'), 'utf8')) as object;
      assert.ok(field in record, field);
    }
    service.go('deaf');
    await service.ended('deaf');
  });

  it('answers a deletion only once it survives a power failure', async () => {
    await service.create('flushed');
    await service.ended('flushed');
    await until('its end is on disk', () => onDisk(service, 'flushed') === 'SUCCEEDED');
    unruly.order({ fail: { match: '^sync .*/executions$', code: 'EIO' } });
    const target = `${PARENT}/executions/flushed`;
    assert.deepEqual(reasonOf(await service.request('DELETE', target)), ['storageNotWritable', 'EIO']);
    unruly.order({});
    const answer = await service.request('DELETE', target);
    assert.ok(answer.code === 404 || answer.body['done'] === true, JSON.stringify(answer.body));
    assert.equal((await service.request('GET', target)).code, 404);
  });

  it('keeps what it cannot delete, and reports it', async () => {
    await service.create('stays');
    await service.ended('stays');
    unruly.order({ fail: { match: 'executions', code: 'EROFS' } });
    // While the deletion is not on disk yet, it is only announced.
    const answer = await until('it says so', async () => {
      const each = await service.request('DELETE', `${PARENT}/executions/stays`);
      return each.code !== 200 && each;
    });
    assert.deepEqual(reasonOf(answer), ['storageNotWritable', 'EROFS']);
    assert.equal((await service.get('stays')).state, 'SUCCEEDED');
    unruly.order({});
    assert.equal((await service.request('DELETE', `${PARENT}/executions/stays`)).code, 200);
  });

  it('loses the runner and still reports the correct state, even if nothing can be removed', async () => {
    await service.create('dies', 'wait');
    await service.running('dies');
    unruly.order({ fail: { match: '^(rm|rename) |execution\\.json', code: 'EROFS' } });
    process.kill(Number(fs.readFileSync(service.file('dies', 'pid'), 'utf8')), 'SIGKILL');
    const { state, runStatus } = await service.ended('dies');
    assert.deepEqual([state, runStatus?.cause], ['FAILED', 'hostLost']);
    unruly.order({});
    await until('the end is on disk', () => onDisk(service, 'dies') === 'FAILED');
  });

  it('does not prevent a service from starting when files cannot be cleaned up', async () => {
    const other = temporaryFolder();
    const first = await TestService.start(other);
    await first.create('kept');
    await first.ended('kept');
    await first.kill();
    fs.mkdirSync(first.file('.01234567-new-half-01234567-89ab-cdef-0123-456789abcdef', '.'));
    fs.utimesSync(first.file('.01234567-new-half-01234567-89ab-cdef-0123-456789abcdef', '.'), 0, 0);
    const stubborn = new Unruly(other, { fail: { match: '^rm .*half', code: 'EACCES' } });
    const second = await TestService.startBy(other, { env: stubborn.env });
    assert.equal((await second.get('kept')).state, 'SUCCEEDED');
    assert.match(second.stderr.join(''), /half.*EACCES/);
  });
}).timeout(30_000);

describe('A limit for file sizes (RLIMIT_FSIZE)', () => {
  /** Starts the command with a file size limit of 64 KB. */
  const LIMITED = ['/bin/bash', '-c', 'ulimit -f 64; exec "$0" "$@"', process.execPath];
  let service: TestService;
  before(async () => {
    const runner = path.join(ROOT, 'dist/runner.js');
    service = await TestService.startBy(
      temporaryFolder(),
      { command: LIMITED },
      '--runner',
      runner,
      '--no-spare',
    );
  });

  async function create(id: string, source: string): Promise<Answer> {
    const input = path.join(service.folder, 'input.ipynb');
    const metadata = { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } };
    const cell = { cell_type: 'code', id: 'a', metadata: {}, source, outputs: [], execution_count: null };
    fs.writeFileSync(input, JSON.stringify({ cells: [cell], metadata, nbformat: 4, nbformat_minor: 5 }));
    return service.request('POST', `${PARENT}/executions?executionId=${id}`, {
      executionTemplate: { inputNotebookFile: pathToFileURL(input).href },
      runOptions: {
        interpreter: VENV_PYTHON,
        workingDirectory: service.folder,
        environment: { HOME: service.folder, PATH: '/usr/bin:/bin' },
      },
    });
  }

  it('refuses a notebook that is too large, and the service keeps running', async () => {
    const answer = await create('large', `x = "${'x'.repeat(100_000)}"`);
    assert.deepEqual(reasonOf(answer), ['storageNotWritable', 'EFBIG']);
    assert.deepEqual(fs.readdirSync(service.file('.', '.')), []);
  });

  it('ends a run whose outputs are too large, with the cause; the last complete output stays', async () => {
    const loud =
      'import time\nfor i in range(10000):\n    print("x" * 100, i, flush=True)\n    time.sleep(0.001)';
    assert.equal((await create('loud', loud)).code, 200);
    const { state, runStatus } = await service.ended('loud');
    assert.deepEqual([state, runStatus?.cause], ['FAILED', 'outputNotWritable']);
    assert.match(runStatus?.message ?? '', /EFBIG/);
    const output = JSON.parse(fs.readFileSync(service.file('loud', 'output.ipynb'), 'utf8')) as {
      nbformat: number;
    };
    assert.equal(output.nbformat, 4);
    assert.equal((await create('small', 'print(1)')).code, 200);
    assert.equal((await service.ended('small')).state, 'SUCCEEDED');
  });
}).timeout(30_000);
