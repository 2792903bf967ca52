import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Execution } from '../../../src/execution/execution';
import { leadersNaming, processStartTime } from '../../../src/system/processes';
import { endProcessesOf } from '../../../src/service/runners/runtime-processes';
import { VENV_PYTHON } from '../../support/python';
import { until } from '../../support/until';
import { PARENT, ROOT, temporaryFolder, TestService, Unruly } from './support';

const RUNNER = path.join(ROOT, 'dist/runner.js');
const PYTHON = { name: 'python3', display_name: 'Python 3', language: 'python' };

/** A service with real runners, with simulated disk faults for all of them. */
class Place {
  readonly folder = temporaryFolder();
  readonly unruly = new Unruly(this.folder);

  start(...more: string[]): Promise<TestService> {
    return TestService.startBy(
      this.folder,
      { env: this.unruly.env },
      '--runner',
      RUNNER,
      '--no-spare',
      ...more,
    );
  }

  async create(
    service: TestService,
    id: string,
    source: string,
    kernelspec: object = PYTHON,
    options: object = { interpreter: VENV_PYTHON },
  ): Promise<void> {
    const input = path.join(this.folder, `${id}.ipynb`);
    const cell = { cell_type: 'code', id: 'a', metadata: {}, source, outputs: [], execution_count: null };
    fs.writeFileSync(
      input,
      JSON.stringify({ cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
    );
    const environment = {
      HOME: this.folder,
      PATH: '/usr/bin:/bin',
      JUPYTER_PATH: path.join(this.folder, 'jupyter'),
    };
    const { code, body } = await service.request('POST', `${PARENT}/executions?executionId=${id}`, {
      executionTemplate: { inputNotebookFile: pathToFileURL(input).href },
      runOptions: { workingDirectory: this.folder, environment, ...options },
    });
    assert.equal(code, 200, JSON.stringify(body));
  }

  /** A kernel that never answers and ends only at SIGKILL: it writes its process id to `pid`. */
  silentKernel(): object {
    const spec = path.join(this.folder, 'jupyter/kernels/silent');
    fs.mkdirSync(spec, { recursive: true });
    const script = `echo $$ > ${JSON.stringify(path.join(this.folder, 'pid'))}; trap "" HUP TERM INT; exec sleep 1000`;
    fs.writeFileSync(
      path.join(spec, 'kernel.json'),
      JSON.stringify({
        argv: ['/bin/sh', '-c', script, '{connection_file}'],
        display_name: 'Silent',
        language: 'sh',
      }),
    );
    return { name: 'silent', display_name: 'Silent', language: 'sh' };
  }

  silentPid(): number {
    return Number(fs.readFileSync(path.join(this.folder, 'pid'), 'utf8'));
  }
}

function outputOf(service: TestService, id: string): string {
  return fs.readFileSync(service.file(id, 'output.ipynb'), 'utf8');
}

describe('A run whose runner is killed between its end and its last status', () => {
  it('keeps its result: before status.json is replaced', async () => {
    const place = new Place();
    const service = await place.start();
    place.unruly.order({ dieAt: 3, dieIn: '^renameSync .*status\\.json' });
    await place.create(service, 'good', 'for i in range(3): print("line", i, flush=True)');
    const { state, runStatus } = await service.ended('good');
    assert.match(service.stderr.join(''), /good: attempt 1 ended without a result/);
    assert.deepEqual([state, runStatus?.cause], ['SUCCEEDED', undefined]);
    assert.match(outputOf(service, 'good'), /line 2[^]*"exception": false/);
    await service.kill();
  });

  it('keeps its result: before its output is moved to its place', async () => {
    const place = new Place();
    const service = await place.start();
    await place.create(
      service,
      'good',
      'print("line", flush=True)\nimport time\ntime.sleep(1)\nprint("last")',
    );
    await until('a line is saved', () => {
      const file = service.file('good', 'output.ipynb');
      return fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes('"line\\n"');
    });
    place.unruly.order({ hold: '^rename .*output\\.ipynb' });
    const journal = service.file('good', 'journal');
    await until('the run has ended', () => fs.readFileSync(journal, 'utf8').includes('"runEnded"'));
    process.kill(Number(fs.readFileSync(service.file('good', 'claim'), 'utf8')), 'SIGKILL');
    place.unruly.order({});
    const { state, runStatus } = await service.ended('good');
    assert.deepEqual([state, runStatus?.cause], ['SUCCEEDED', undefined]);
    assert.match(outputOf(service, 'good'), /last[^]*"exception": false/);
    await service.kill();
  });

  it('keeps its failure, with the failed cell', async () => {
    const place = new Place();
    const service = await place.start();
    place.unruly.order({ dieAt: 3, dieIn: '^renameSync .*status\\.json' });
    await place.create(service, 'bad', '1 / 0');
    const { state, runStatus } = await service.ended('bad');
    assert.match(service.stderr.join(''), /bad: attempt 1 ended without a result/);
    assert.deepEqual(
      [state, runStatus?.cause, runStatus?.cell?.errorName],
      ['FAILED', 'cellError', 'ZeroDivisionError'],
    );
    await service.kill();
  });
}).timeout(60_000);

describe('A kernel whose runner is killed before its first status', () => {
  it('is ended, whichever program it has become', async () => {
    const place = new Place();
    const service = await place.start();
    place.unruly.order({ dieAt: 1, dieIn: '^(open|writeFile)Sync .*status\\.json' });
    await place.create(service, 'one', '1', place.silentKernel(), {});
    const { state, runStatus } = await service.ended('one');
    assert.deepEqual([state, runStatus?.cause], ['FAILED', 'hostLost']);
    // No reported process is still running.
    if (fs.existsSync(path.join(place.folder, 'pid')))
      assert.equal(await processStartTime(place.silentPid()), undefined);
    await service.kill();
  });

  it('is ended by the next service when that service was killed, too', async () => {
    const place = new Place();
    const first = await place.start();
    place.unruly.order({ hold: '^nothing$' });
    await place.create(first, 'one', '1', place.silentKernel(), {});
    await until('the kernel runs', () => fs.existsSync(path.join(place.folder, 'pid')));
    const claim = await until('it is claimed', () =>
      Number(fs.readFileSync(first.file('one', 'claim'), 'utf8')),
    );
    await first.kill();
    process.kill(claim, 'SIGKILL');
    fs.rmSync(first.file('one', 'status.json'), { force: true });
    const second = await place.start();
    assert.equal((await second.ended('one')).runStatus?.cause, 'hostLost');
    assert.equal(await processStartTime(place.silentPid()), undefined);
    await second.kill();
  });

  const started: ChildProcess[] = [];
  after(() => {
    for (const child of started) child.kill('SIGKILL');
  });

  it('is found by its command line, and no other process is', async () => {
    const root = temporaryFolder();
    const runtime = path.join(root, 'hosts/host/run/0123456789');
    const start = async (detached: boolean, ...args: string[]): Promise<ChildProcess> => {
      const child = spawn('/bin/sh', ['-c', 'sleep 1000; :', ...args], { detached, stdio: 'ignore' });
      started.push(child);
      await once(child, 'spawn');
      return child;
    };
    const kernel = await start(true, path.join(runtime, 'kernel.json'));
    const others = [
      await start(true, `${runtime}0/kernel.json`),
      await start(true, path.join(root, 'kernel.json')),
      // In a shared session, like a program started in a shell.
      await start(false, path.join(runtime, 'kernel.json')),
    ];
    await until('it is there', async () => (await leadersNaming(runtime)).length > 0);
    assert.deepEqual(await leadersNaming(runtime), [kernel.pid]);
    // A manipulated record ends no process.
    for (const other of ['/', root, path.dirname(root), '0123456789']) await endProcessesOf(other);
    assert.equal(kernel.signalCode, null);
    const exit = once(kernel, 'exit');
    await endProcessesOf(runtime);
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    for (const other of others) assert.equal(other.signalCode ?? other.exitCode, null);
  });
}).timeout(60_000);

describe('A disk that is full while a run is prepared', () => {
  const cause = ({ state, runStatus }: Execution): unknown[] => [state, runStatus?.cause, runStatus?.message];

  it('is reported as the cause of the failure, with the same words after every restart', async () => {
    const place = new Place();
    const service = await place.start();
    await place.create(service, 'one', '1', place.silentKernel(), { kernelTimeout: 1 });
    await service.until('one', () => fs.existsSync(service.file('one', 'output.ipynb')));
    // Only existing files can be overwritten.
    place.unruly.order({ fail: { match: '^(writevSync|(open|writeFile)(Sync)? .*\\.new)', code: 'ENOSPC' } });
    const told = cause(await service.ended('one'));
    assert.deepEqual(told.slice(0, 2), ['FAILED', 'outputNotWritable']);
    assert.match(String(told[2]), /ENOSPC/);
    await service.kill();
    place.unruly.order({});
    for (let restart = 0; restart < 2; restart++) {
      const next = await place.start();
      assert.deepEqual(cause(await next.ended('one')), told);
      await next.kill();
    }
  });

  for (const [what, match] of [
    ['the claim of its runner', '^(open|writeFile)Sync .*/claim'],
    ['its first status', 'Sync .*/status\\.json'],
  ] as const) {
    it(`lets it wait when not even ${what} can be written; then it runs once`, async () => {
      const place = new Place();
      const service = await place.start();
      place.unruly.order({ fail: { match, code: 'ENOSPC' } });
      await place.create(service, 'one', `open("ran", "a").write("x")`);
      const { state } = await service.until(
        'one',
        ({ runStatus }) => runStatus?.detail?.code === 'waitsForDisk',
      );
      assert.equal(state, 'QUEUED');
      place.unruly.order({});
      assert.equal((await service.ended('one')).state, 'SUCCEEDED');
      assert.equal(fs.readFileSync(path.join(place.folder, 'ran'), 'utf8'), 'x');
      await service.kill();
    });
  }

  it('is reported as the cause when the log of its kernel cannot be written', async () => {
    const place = new Place();
    const service = await place.start();
    place.unruly.order({ fail: { match: 'kernel\\.log', code: 'ENOSPC' } });
    await place.create(service, 'one', '1');
    const [state, why, message] = cause(await service.ended('one'));
    assert.deepEqual([state, why], ['FAILED', 'outputNotWritable']);
    assert.match(String(message), /ENOSPC/);
    await service.kill();
  });
}).timeout(60_000);
