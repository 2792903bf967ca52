import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../support/paths';
import { assertValid } from '../notebook/validation';
import { stringifyJson } from '../../../src/notebook/json';
import { FILES } from '../../../src/protocol/execution-folder';
import { cleanUp, ipykernel, notebookOf, papermill, run, tagged, textOf, type RunResult } from './running';

/** A notebook that an earlier version ran wrongly. */
function fault(name: string): string {
  return fs.readFileSync(path.join(ROOT, 'test/fixtures/faults', `${name}.ipynb`), 'utf8');
}

function failedCell({ status }: RunResult): unknown {
  return status.runStatus.cell;
}

/** The plain text of a cell's display data, without colours. */
function shownBy(result: RunResult, index: number): string[] {
  return (result.outputs[index] ?? []).flatMap((output) =>
    output.output_type === 'display_data' ? [stringifyJson(output.data['text/plain'] ?? null)] : [],
  );
}

describe('notebooks that earlier versions ran wrongly', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  describe('a lone surrogate', () => {
    const HALF = '\ud83d';
    const said = (line: number, column: number): string =>
      `Line ${String(line)}, column ${String(column)} is half of a surrogate pair (\\ud83d), which cannot be sent to a kernel`;

    it('in a source: the cell fails immediately and names the place', async () => {
      const result = await run(fault('lone-surrogate-in-source-hangs-forever'));
      assert.deepEqual([result.state, result.cause], ['FAILED', 'cellError']);
      const [errorName, errorValue] = ['UnicodeEncodeError', said(1, 6)];
      assert.deepEqual(failedCell(result), { index: 0, id: 'c0', errorName, errorValue });
      const args = { line: '1', column: '6', character: '\\ud83d' };
      assert.deepEqual(result.detail, { code: 'sourceUnsendable', args });
      assert.deepEqual(result.outputs, [
        [{ output_type: 'error', ename: errorName, evalue: errorValue, traceback: [] }],
        [],
      ]);
      assert.deepEqual(papermill(result.notebook, 'status'), ['failed', 'pending']);
      assertValid({ output: fs.readFileSync(path.join(result.folder, FILES.output)) });
    });

    it('is allowed like any error, with columns counted in its own line', async () => {
      const notebook = notebookOf(tagged(`# 😀\n  '${HALF}'`, 'raises-exception'), 'print("after")');
      const result = await run(notebook);
      assert.deepEqual([result.state, textOf(result.outputs[1])], ['SUCCEEDED', 'after\n']);
      assert.ok(JSON.stringify(result.outputs[0]).includes('Line 2, column 4'));
      const named = await run(notebookOf(HALF, '2'), { job: { allowErrorNames: ['UnicodeEncodeError'] } });
      assert.equal(named.state, 'SUCCEEDED');
    });

    it('in texts that are not sent to the kernel (text cells, metadata, ids, earlier outputs) is kept', async () => {
      const notebook = notebookOf(
        { cell_type: 'markdown', source: HALF },
        { source: '1', metadata: { tags: [HALF], [HALF]: [HALF] }, id: HALF },
      );
      notebook.metadata[HALF] = HALF;
      const { state, warnings, notebook: output, folder } = await run(notebook);
      assert.deepEqual([state, warnings], ['SUCCEEDED', ['cellIdChanged']]);
      assert.deepEqual(
        [output.cells[0]?.source, output.cells[1]?.metadata['tags'], output.metadata[HALF]],
        [HALF, [HALF], HALF],
      );
      assertValid({ output: fs.readFileSync(path.join(folder, FILES.output)) });
    });

    it('in a parameter is passed to Python; languages that cannot express it refuse it', async () => {
      const parameters = JSON.stringify({ half: HALF });
      const python = await run(notebookOf('print(len(half), ascii(half))'), { job: { parameters } });
      assert.equal(textOf(python.outputs[1]), "1 '\\ud83d'\n");
      const kernel = ipykernel({ name: 'bash', language: 'bash' });
      const bash = await run(notebookOf('1'), { job: { parameters, kernel } });
      assert.deepEqual([bash.state, bash.cause], ['FAILED', 'parametersInvalid']);
      const name = await run(notebookOf('1'), { job: { parameters: JSON.stringify({ [HALF]: 1 }) } });
      assert.deepEqual([name.state, name.cause], ['FAILED', 'parametersInvalid']);
    });
  });

  describe('an error while a result is displayed', () => {
    const failing = fault('error-in-repr-is-told-as-NoneType');

    it('has its own name and text', async () => {
      const result = await run(failing);
      assert.deepEqual([result.state, result.cause], ['FAILED', 'cellError']);
      const cell = { index: 0, id: 'c0', errorName: 'ZeroDivisionError', errorValue: 'division by zero' };
      assert.deepEqual(failedCell(result), cell);
    });

    it('can be allowed by its own name', async () => {
      const result = await run(failing, { job: { allowErrorNames: ['ZeroDivisionError'] } });
      assert.deepEqual([result.state, textOf(result.outputs[1])], ['SUCCEEDED', 'on\n']);
      assert.equal((await run(failing, { job: { allowErrorNames: ['NoneType'] } })).state, 'FAILED');
    });

    it('is reported even if the cell clears it afterwards', async () => {
      const result = await run(
        notebookOf(
          'import ipywidgets\nclass A:\n  def __repr__(self): 1/0\nout = ipywidgets.Output()\nout.__enter__()\nA()',
        ),
      );
      assert.deepEqual(result.outputs[0], []);
      assert.equal(result.status.runStatus.cell?.errorName, 'ZeroDivisionError');
    });
  });

  describe('output of a pager', () => {
    it('is stored as display data of its cell, after its outputs', async () => {
      const result = await run(fault('pager-output-lost'));
      assert.equal(result.state, 'SUCCEEDED');
      assert.deepEqual(
        result.outputs[0]?.map(({ output_type: type }) => type),
        ['stream', 'display_data'],
      );
      assert.match(shownBy(result, 0).join(''), /Return the number of items in a container/);
      assertValid({ output: fs.readFileSync(path.join(result.folder, FILES.output)) });
    });

    it('is stored for magics, several pages, and a cell that fails', async () => {
      const result = await run(
        notebookOf(
          '%prun -q sum([1])\n%prun sum([1])',
          'len?\nprint?',
          tagged('len?\n1/0', 'raises-exception'),
        ),
      );
      assert.equal(result.state, 'SUCCEEDED');
      assert.match(shownBy(result, 0).join(''), /function calls/);
      assert.match(shownBy(result, 1).join(''), /Return the number of items/);
      assert.match(shownBy(result, 1).join(''), /Prints the values/);
      assert.match(shownBy(result, 2).join(''), /Return the number of items/);
      assert.ok(result.outputs[2]?.some(({ output_type: type }) => type === 'error'));
    });
  });
});
