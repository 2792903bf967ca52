import * as assert from 'node:assert/strict';
import type { RunnerStatus } from '../../../src/protocol/runner-job';
import { notebookOf, papermill, cleanUp, run, tagged, textOf } from './running';

/* Each test covers a line of the semantics, on a real ipykernel. */
describe('running a notebook (ipykernel)', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  it('runs code cells top to bottom, in one process, with counts from 1', async () => {
    const result = await run(notebookOf('a = 1', 'a += 1\nprint(a)', 'a * 10'));
    assert.equal(result.state, 'SUCCEEDED');
    assert.equal(textOf(result.outputs[1]), '2\n');
    assert.deepEqual(
      result.notebook.cells.map((cell) => cell.cell_type === 'code' && cell.execution_count),
      [1, 2, 3],
    );
    assert.deepEqual(result.outputs[2], [
      { output_type: 'execute_result', execution_count: 3, data: { 'text/plain': '20' }, metadata: {} },
    ]);
  });

  it('skips blank cells, those tagged skip-execution, Markdown and raw cells', async () => {
    const result = await run(
      notebookOf(
        ' \n',
        tagged('1/0', 'skip-execution'),
        { cell_type: 'markdown', source: '# a' },
        {
          cell_type: 'raw',
          source: '1/0',
        },
      ),
    );
    assert.equal(result.state, 'SUCCEEDED');
    assert.deepEqual(result.status.runStatus.progress, { totalCells: 0, completedCells: 0 });
    assert.deepEqual(result.outputs.flat(), []);
  });

  it('stops at the first error; later cells stay pending, earlier outputs are kept', async () => {
    const result = await run(notebookOf('print("before")', 'print("here")\n1/0', 'print("never")'));
    assert.deepEqual([result.state, result.cause], ['FAILED', 'cellError']);
    assert.deepEqual(result.status.runStatus.cell, {
      index: 1,
      id: 'cell-1',
      errorName: 'ZeroDivisionError',
      errorValue: 'division by zero',
    });
    assert.deepEqual(result.status.runStatus.progress?.completedCells, 1);
    assert.deepEqual(papermill(result.notebook, 'status'), ['completed', 'failed', 'pending']);
    assert.deepEqual(papermill(result.notebook, 'exception'), [false, true, null]);
    assert.equal(textOf(result.outputs[0]) + textOf(result.outputs[1]), 'before\nhere\n');
    assert.equal(result.outputs[1]?.[1]?.output_type, 'error');
    const last = result.notebook.cells[2];
    assert.ok(last?.cell_type === 'code' && last.execution_count === null && last.outputs.length === 0);
    assert.equal(last.metadata['execution'], undefined);
  });

  it('continues after an error in a cell tagged raises-exception', async () => {
    const result = await run(notebookOf(tagged('1/0', 'raises-exception'), 'print("after")'));
    assert.equal(result.state, 'SUCCEEDED');
    assert.equal(textOf(result.outputs[1]), 'after\n');
    assert.deepEqual(papermill(result.notebook, 'status'), ['failed', 'completed']);
  });

  it('continues after all errors when the run allows them, or after those with an allowed name', async () => {
    const notebook = notebookOf('1/0', '{}["x"]', 'print("after")');
    assert.equal((await run(notebook, { job: { allowErrors: true } })).state, 'SUCCEEDED');
    const some = await run(notebook, { job: { allowErrorNames: ['ZeroDivisionError'] } });
    assert.deepEqual([some.state, some.status.runStatus.cell?.errorName], ['FAILED', 'KeyError']);
    const all = await run(notebook, { job: { allowErrorNames: ['ZeroDivisionError', 'KeyError'] } });
    assert.deepEqual([all.state, textOf(all.outputs[2])], ['SUCCEEDED', 'after\n']);
  });

  it('uses the reply status: a failing magic without an error output fails the run', async () => {
    const result = await run(notebookOf('%nonexistent_magic', 'print("never")'));
    assert.deepEqual([result.state, result.cause], ['FAILED', 'cellError']);
    assert.deepEqual(papermill(result.notebook, 'status'), ['failed', 'pending']);
  });

  for (const [code, state] of [
    ['import sys; sys.exit()', 'SUCCEEDED'],
    ['import sys; sys.exit(0)', 'SUCCEEDED'],
    ['raise SystemExit(None)', 'SUCCEEDED'],
    ['exit()', 'SUCCEEDED'],
    ['import sys; sys.exit(False)', 'SUCCEEDED'],
    ['import sys; sys.exit(256)', process.platform === 'win32' ? 'FAILED' : 'SUCCEEDED'],
    ['class Done(SystemExit): pass\nraise Done', 'SUCCEEDED'],
    ['class Done(SystemExit):\n  __str__ = lambda self: "done"\nraise Done(0)', 'SUCCEEDED'],
    ['e = SystemExit("no")\ne.code = None\nraise e', 'SUCCEEDED'],
    ['import sys; sys.exit(1)', 'FAILED'],
    ['import sys; sys.exit(True)', 'FAILED'],
    ['import sys; sys.exit("no")', 'FAILED'],
    ['import sys; sys.exit("0")', 'FAILED'],
    ['import sys; sys.exit("")', 'FAILED'],
    ['import sys; sys.exit(0.0)', 'FAILED'],
    ['import sys; sys.exit(1 << 64)', 'FAILED'],
    ['class Done(SystemExit): pass\nraise Done(1)', 'FAILED'],
    ['class Done(SystemExit):\n  code = property(lambda self: 1/0)\nraise Done', 'FAILED'],
  ] as const) {
    it(`${code.replaceAll('\n', '; ')} stops the run: ${state}`, async () => {
      const result = await run(notebookOf(code, 'print("never")'));
      assert.equal(result.state, state);
      assert.deepEqual(papermill(result.notebook, 'status'), [
        state === 'FAILED' ? 'failed' : 'completed',
        'pending',
      ]);
      assert.deepEqual(result.outputs[1], []);
    });
  }

  it('refuses input()', async () => {
    const result = await run(notebookOf('input("name? ")'));
    assert.deepEqual(
      [result.state, result.status.runStatus.cell?.errorName],
      ['FAILED', 'StdinNotImplementedError'],
    );
  });

  it('has its own history, not the user’s', async () => {
    const result = await run(
      notebookOf('1', 'print(In[1], Out[1], get_ipython().history_manager.hist_file)'),
    );
    assert.equal(textOf(result.outputs[1]), '1 1 :memory:\n');
  });

  it('uses an ipykernel that does not pause before it answers', async () => {
    const result = await run(notebookOf('print(get_ipython().kernel._execute_sleep)'));
    assert.equal(textOf(result.outputs[0]), '0.0\n');
  });

  it('adds late output to the cell it belongs to', async () => {
    const result = await run(
      notebookOf(
        'import asyncio\ngo = asyncio.Event()\nasync def late():\n    await go.wait()\n    print("late")\nt = asyncio.create_task(late())',
        'go.set()\nawait t\nprint("second")',
      ),
    );
    assert.equal(textOf(result.outputs[0]), 'late\n');
    assert.equal(textOf(result.outputs[1]), 'second\n');
  });

  it('records output of threads after their cell has ended', async () => {
    const result = await run(
      notebookOf(
        'import threading\ngo = threading.Event()\nt = threading.Thread(target=lambda: (go.wait(), print("late")))\nt.start()',
        'go.set()\nt.join()\nprint("second")',
      ),
    );
    // ipykernel assigns it to the cell that runs when it is printed.
    assert.equal(result.outputs.map(textOf).join(''), 'late\nsecond\n');
  });

  it('updates displays across cells, clears, and captures in Output widgets', async () => {
    const result = await run(
      notebookOf(
        'h = display("one", display_id=True)',
        'h.update("two")',
        'from IPython.display import clear_output\nprint("a")\nclear_output(wait=True)\nprint("b")',
        'import ipywidgets as w\nout = w.Output()\nwith out:\n    print("captured")\nout',
        'print(out.outputs)',
      ),
    );
    assert.equal(result.state, 'SUCCEEDED');
    assert.deepEqual(result.outputs[0], [
      { output_type: 'display_data', data: { 'text/plain': "'two'" }, metadata: {} },
    ]);
    assert.deepEqual(result.outputs[1], []);
    assert.equal(textOf(result.outputs[2]), 'b\n');
    assert.equal(textOf(result.outputs[3]), '');
    assert.match(textOf(result.outputs[4]), /'captured\\n'/);
    const widgets = JSON.stringify(result.notebook.metadata['widgets']);
    assert.match(widgets, /"version_major":2,"version_minor":0/);
    assert.match(widgets, /"outputs":\[\{"output_type":"stream","name":"stdout","text":"captured\\n"\}\]/);
  });

  it('records default parameters also without submitted parameters', async () => {
    const result = await run(notebookOf(tagged('x = 1', 'parameters'), 'print(x)'));
    const papermill_ = result.notebook.metadata['papermill'] as Record<string, unknown>;
    assert.deepEqual([papermill_['parameters'], papermill_['default_parameters']], [{}, { x: 1 }]);
  });

  it('writes what nbclient and papermill write', async () => {
    const result = await run(notebookOf(tagged('x = 1', 'parameters'), 'print(x)'), {
      job: { parameters: '{"x": 12345678901234567890, "y": 1.0}' },
    });
    assert.equal(textOf(result.outputs[2]), '12345678901234567890\n');
    assert.deepEqual(result.warnings, ['parameterNotDeclared']);
    const [first, injected] = result.notebook.cells;
    assert.deepEqual(injected?.metadata['tags'], ['injected-parameters']);
    const execution = first?.metadata['execution'] as Record<string, string>;
    assert.deepEqual(Object.keys(execution).sort(), [
      'iopub.execute_input',
      'iopub.status.busy',
      'iopub.status.idle',
      'shell.execute_reply',
    ]);
    for (const time of Object.values(execution))
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const run_ = result.notebook.metadata['papermill'] as Record<string, unknown>;
    assert.equal(String((run_['parameters'] as Record<string, unknown>)['x']), '12345678901234567890');
    assert.deepEqual(run_['default_parameters'], { x: 1 });
    assert.deepEqual(
      [run_['input_path'], run_['output_path'], run_['exception']],
      ['/in.ipynb', '/out.ipynb', false],
    );
    assert.ok(typeof run_['duration'] === 'number' && run_['duration'] > 0);
    assert.ok(String(run_['start_time']) < String(run_['end_time']));
    assert.deepEqual(
      (result.notebook.metadata['language_info'] as Record<string, unknown>)['name'],
      'python',
    );
  });

  it('reports each state with its time, and the progress', async () => {
    const seen: RunnerStatus[] = [];
    const result = await run(notebookOf('1', '2'), { onStatus: (status) => seen.push(status) });
    const history = result.status.runStatus.history ?? [];
    assert.deepEqual(
      history.map(({ state }) => state),
      ['RUNNING', 'SUCCEEDED'],
    );
    assert.deepEqual(
      history.map(({ time }) => time),
      history.map(({ time }) => time).sort(),
    );
    assert.deepEqual(result.status.runStatus.progress, { totalCells: 2, completedCells: 2 });
    const running = seen.find(({ state }) => state === 'RUNNING');
    assert.deepEqual(running?.runStatus.progress, { totalCells: 2, completedCells: 0 });
    assert.equal(seen.at(-1)?.state, 'SUCCEEDED');
    assert.ok((result.status.runStatus.peakMemoryBytes ?? 0) > 10_000_000);
  });

  it('loses nothing under load', async () => {
    const result = await run(
      notebookOf(
        'for i in range(1_000_000): print(i)',
        'import os\nfor i in range(10_000): print(i, flush=True)',
        'from IPython.display import display\ndisplay({"text/plain": "x" * 100_000_000}, raw=True)',
      ),
    );
    assert.equal(result.state, 'SUCCEEDED');
    assert.equal(textOf(result.outputs[0]), Array.from({ length: 1_000_000 }, (_, i) => `${i}\n`).join(''));
    assert.equal(textOf(result.outputs[1]), Array.from({ length: 10_000 }, (_, i) => `${i}\n`).join(''));
    const [big] = result.outputs[2] ?? [];
    assert.ok(big?.output_type === 'display_data');
    const text = big.data['text/plain'];
    assert.ok(typeof text === 'string' && text.length === 100_000_000);
  });

  it('runs magics, subprocesses, top-level await and multiprocessing', async () => {
    const result = await run(
      notebookOf(
        '%%bash\necho from bash',
        'import asyncio\nawait asyncio.sleep(0)\nprint("awaited")',
        '!echo shell',
        'from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor(2) as pool:\n    print(list(pool.map(abs, [-1, -2])))',
      ),
    );
    assert.deepEqual(result.outputs.map(textOf), ['from bash\n', 'awaited\n', 'shell\n', '[1, 2]\n']);
  });
});
