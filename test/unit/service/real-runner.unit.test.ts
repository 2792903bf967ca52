import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { processStartTime } from '../../../src/system/processes';
import { VENV_PYTHON } from '../../support/python';
import { PARENT, ROOT, states, temporaryFolder, TestService, Unruly, type Answer } from './support';

const RUNNER = path.join(ROOT, 'dist/runner.js');

function notebook(...sources: string[]): string {
  return JSON.stringify({
    cells: sources.map((source, index) => ({
      cell_type: 'code',
      id: `c${index}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    })),
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    nbformat: 4,
    nbformat_minor: 5,
  });
}

interface StatusFile {
  kernelProcess?: { pid: number; startTime: string };
}

describe('The embedded service with real runners and kernels', () => {
  let folder: string;
  let service: TestService;
  before(async () => {
    folder = temporaryFolder();
    service = await TestService.start(folder, '--runner', RUNNER);
  });

  async function create(id: string, text: string, more: Record<string, unknown> = {}): Promise<Answer> {
    const input = path.join(folder, `${id}.ipynb`);
    fs.writeFileSync(input, text);
    return service.request('POST', `${PARENT}/executions?executionId=${id}`, {
      executionTemplate: { inputNotebookFile: pathToFileURL(input).href },
      runOptions: {
        interpreter: VENV_PYTHON,
        workingDirectory: folder,
        environment: {
          HOME: folder,
          LANG: 'C.UTF-8',
          PATH: '/usr/bin:/bin',
          ELECTRON_RUN_AS_NODE: '1',
          VSCODE_PID: '1',
        },
        ...more,
      },
    });
  }
  function output(id: string): string {
    return fs.readFileSync(service.file(id, 'output.ipynb'), 'utf8');
  }
  async function spareReady(): Promise<void> {
    const log = path.join(folder, 'data/hosts');
    for (;;) {
      const info = (await service.request('GET', PARENT)).body['metadata'] as { spare: boolean };
      if (info.spare) return;
      assert.ok(fs.existsSync(log));
    }
  }

  it('runs a notebook in the requested environment and folder', async () => {
    const code =
      'import os, sys\nprint(os.getcwd(), sys.prefix, sorted(n for n in os.environ if n.startswith(("ELECTRON", "VSCODE"))))';
    assert.equal((await create('env', notebook(code))).code, 200);
    const execution = await service.ended('env');
    assert.deepEqual(states(execution), ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED']);
    assert.ok(
      output('env').includes(`${folder} ${path.dirname(path.dirname(VENV_PYTHON))} []`),
      output('env'),
    );
    // It was handed to the runner of the first execution, which was started as a spare and has its log elsewhere.
    assert.ok(!fs.existsSync(service.file('env', 'runner.log')));
  });

  it('prepares a spare kernel for the next execution, as clean as a new one', async () => {
    await spareReady();
    // The order of variables does not matter.
    await create('spare', notebook('print("spare", "leak" in globals(), len(Out), In)\nleak = 1'), {
      environment: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: folder },
    });
    const execution = await service.ended('spare');
    assert.equal(execution.state, 'SUCCEEDED');
    assert.ok(output('spare').includes('spare False 0'), output('spare'));
    assert.ok(!fs.existsSync(service.file('spare', 'runner.log')));
    await spareReady();
    await create('spare2', notebook('print("leak" in globals())'));
    await service.ended('spare2');
    assert.ok(output('spare2').includes('False'));
  });

  it('does not use a spare kernel for another environment or folder', async () => {
    await spareReady();
    await create('other', notebook('import os; print(os.environ.get("OTHER"))'), {
      environment: { HOME: folder, PATH: '/usr/bin:/bin', OTHER: 'yes' },
    });
    await service.ended('other');
    assert.ok(output('other').includes('yes'));
    // A runner that was started for one execution has its log there.
    assert.ok(fs.existsSync(service.file('other', 'runner.log')));
  });

  it('prepares no spare kernel for an execution that waits in the queue', async () => {
    const born = 'import psutil\nprint("born", psutil.Process().create_time())';
    await create('turn1', notebook('1'));
    await create('turn2', notebook('import time\ntime.sleep(3)'));
    await create('turn3', notebook(born));
    const { runStatus } = await service.ended('turn2');
    await service.ended('turn3');
    const started = Number(/born ([\d.]+)/.exec(output('turn3').replace(born, ''))?.[1]) * 1000;
    // The system reports the start of a process in hundredths of a second.
    assert.ok(started > Date.parse(runStatus?.endTime ?? '') - 1000, output('turn3'));
  });

  it('uses one runner for a queue; it forks kernels, from a new process when the loaded modules changed', async () => {
    const site = path.join(folder, 'site');
    fs.mkdirSync(site);
    const environment = { HOME: folder, PATH: '/usr/bin:/bin', PYTHONPATH: site };
    const family = 'import os, psutil\nprint("family", os.getppid(), psutil.Process(os.getppid()).ppid())';
    const install = `open(${JSON.stringify(path.join(site, 'new.py'))}, "w").close()`;
    const ids = ['queue1', 'queue2', 'queue3', 'queue4', 'queue5', 'limited'];
    for (const id of ids) {
      await create(id, notebook(family, id === 'queue3' ? install : ''), {
        environment,
        ...(id === 'limited' && { memoryLimitBytes: 2 ** 31 }),
      });
    }
    const families = [];
    for (const id of ids) {
      assert.equal((await service.ended(id)).state, 'SUCCEEDED');
      const [, parent, grandparent] = /"family (\d+) (\d+)/.exec(output(id)) ?? [];
      families.push({ parent: Number(parent), grandparent: Number(grandparent) });
    }
    const [, second, third, fourth, fifth, limited] = families;
    assert.deepEqual(third, second);
    assert.deepEqual(fifth, fourth);
    assert.equal(fourth?.grandparent, third?.grandparent);
    assert.notEqual(fourth?.parent, third?.parent);
    // Its kernel was started by the runner.
    assert.equal(limited?.parent, fifth?.grandparent);
    for (const each of [third, fourth]) while ((await processStartTime(each?.parent ?? 0)) !== undefined);
  });

  it('keeps all journalled outputs of a killed runner, and ends its kernel', async () => {
    await create(
      'killed',
      // The printed text does not occur in the source.
      notebook('print("be" + "fore")', 'import time\nprint("dur" + "ing", flush=True)\ntime.sleep(600)'),
    );
    await service.until('killed', ({ runStatus }) => runStatus?.progress?.completedCells === 1);
    const journal = service.file('killed', 'journal');
    while (!fs.readFileSync(journal, 'utf8').includes('during'));
    const { kernelProcess } = JSON.parse(
      fs.readFileSync(service.file('killed', 'status.json'), 'utf8'),
    ) as StatusFile;
    assert.ok(kernelProcess);
    // A kernel that cannot detect that its runner is gone.
    process.kill(kernelProcess.pid, 'SIGSTOP');
    process.kill(Number(fs.readFileSync(service.file('killed', 'claim'), 'utf8')), 'SIGKILL');
    const execution = await service.ended('killed');
    assert.deepEqual([execution.state, execution.runStatus?.cause], ['FAILED', 'hostLost']);
    assert.ok(output('killed').includes('before') && output('killed').includes('during'));
    while ((await processStartTime(kernelProcess.pid)) === kernelProcess.startTime);
  });

  it('reports which kernel ran a notebook that names another', async () => {
    const faults = path.join(ROOT, 'test/fixtures/faults');
    await create(
      'other-kernel',
      fs.readFileSync(path.join(faults, 'other-kernel-taken-without-warning.ipynb'), 'utf8'),
    );
    const { state, runStatus } = await service.ended('other-kernel');
    const warned = [{ code: 'otherKernel', args: ['python2', VENV_PYTHON] }];
    assert.deepEqual([state, runStatus?.warnings], ['SUCCEEDED', warned]);
    const { metadata } = JSON.parse(output('other-kernel')) as { metadata: Record<string, { name: string }> };
    assert.equal(metadata['kernelspec']?.name, 'python3');
    assert.ok(!output('other-kernel').includes('2.7.18'));
  });

  it('survives sleep and wake-up of the machine: service, runner and kernel stopped and continued', async () => {
    await create(
      'sleeps',
      notebook(
        'for i in range(3):\n    print("tick", i, flush=True)\n',
        'import time\ntime.sleep(1)',
        'print("aw" + "ake")',
      ),
    );
    await service.until('sleeps', ({ runStatus }) => runStatus?.progress?.completedCells === 1);
    const { kernelProcess } = JSON.parse(
      fs.readFileSync(service.file('sleeps', 'status.json'), 'utf8'),
    ) as StatusFile;
    const tree = [
      service.process.pid ?? 0,
      Number(fs.readFileSync(service.file('sleeps', 'claim'), 'utf8')),
      kernelProcess?.pid ?? 0,
    ];
    for (const pid of tree) process.kill(pid, 'SIGSTOP');
    // Longer than the timeout of a lost connection and than the rest of the cell: both have passed at wake-up.
    await delay(3000);
    for (const pid of tree.reverse()) process.kill(pid, 'SIGCONT');
    const { state, runStatus } = await service.ended('sleeps');
    assert.deepEqual([state, runStatus?.warnings ?? []], ['SUCCEEDED', []]);
    for (const text of ['tick 0', 'tick 2', 'awake']) assert.ok(output('sleeps').includes(text));
  });

  it('shows progress while the clock is set back', async () => {
    const orders = new Unruly(folder);
    await service.kill();
    service = await TestService.startBy(folder, { env: orders.env }, '--runner', RUNNER, '--no-spare');
    const wait = (name: string): string =>
      `import os, time\nwhile not os.path.exists(${JSON.stringify(name)}): time.sleep(0.01)`;
    await create('clock', notebook('1', wait('one'), '2', wait('two')));
    await service.until('clock', ({ runStatus }) => runStatus?.progress?.completedCells === 1);
    orders.order({ clock: -86_400_000 });
    fs.writeFileSync(path.join(folder, 'one'), '');
    await service.until('clock', ({ runStatus }) => runStatus?.progress?.completedCells === 3);
    fs.writeFileSync(path.join(folder, 'two'), '');
    assert.equal((await service.ended('clock')).state, 'SUCCEEDED');
    await service.kill();
    service = await TestService.start(folder, '--runner', RUNNER);
  });

  it('keeps executions running when the service dies', async () => {
    await create(
      'survives',
      notebook('import time\nfor i in range(20):\n    print("tick", i, flush=True)\n    time.sleep(0.1)'),
    );
    await service.running('survives');
    await service.kill();
    service = await TestService.start(folder, '--runner', RUNNER);
    assert.equal((await service.ended('survives')).state, 'SUCCEEDED');
    for (const tick of ['tick 0', 'tick 19']) assert.ok(output('survives').includes(tick));
  });
}).timeout(60_000);
