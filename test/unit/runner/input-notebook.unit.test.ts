import * as assert from 'node:assert/strict';
import { MASK } from '../../../src/execution/secrets/secret-names';
import { readInputNotebook } from '../../../src/runner/input-notebook';
import { VENV_PYTHON } from '../../support/python';
import { ipykernel, jobFor, notebookOf, tagged } from './running';

describe('The input notebook with secret parameters', () => {
  it('has them only in its parameters cell, not in its metadata', async () => {
    const notebook = notebookOf(tagged("db_password = 'default-secret'\nalpha = 1", 'parameters'));
    const job = jobFor('/folder', {
      parameters: '{"db_password": "hunter2", "alpha": 0.50}',
      secretParameters: ['*password*'],
    });
    const prepared = await readInputNotebook(Buffer.from(JSON.stringify(notebook)), job);
    const { parameters, default_parameters } = JSON.parse(prepared.description) as Record<string, unknown>;
    assert.deepEqual(parameters, { db_password: MASK, alpha: 0.5 });
    assert.deepEqual(default_parameters, { db_password: MASK, alpha: 1 });
    assert.match(prepared.notebook.cells[1]?.source ?? '', /db_password = "hunter2"/);
  });
});

describe('The input notebook for a kernel', () => {
  const PYTHON2 = { display_name: 'Python 2', language: 'python', name: 'python2' };
  const OWN = { display_name: 'My Python', language: 'python', name: 'Python3', own: 1 };

  it('names the kernel that runs it, and keeps its metadata of that kernel', async () => {
    for (const [kernelspec, kernel, expected] of [
      [OWN, {}, OWN],
      [OWN, { name: VENV_PYTHON }, OWN],
      [PYTHON2, { name: VENV_PYTHON }, { ...PYTHON2, display_name: 'Python 3', name: 'python3' }],
      [PYTHON2, {}, { display_name: 'Python 3', language: 'python', name: 'python3' }],
      [
        OWN,
        { name: 'ir', displayName: 'R', language: 'R' },
        { display_name: 'R', language: 'R', name: 'ir' },
      ],
      [undefined, {}, { display_name: 'Python 3', language: 'python', name: 'python3' }],
    ] as const) {
      const notebook = { ...notebookOf('1'), metadata: { a: 1, kernelspec, b: 2 } };
      const job = jobFor('/folder', { kernel: ipykernel(kernel) });
      const prepared = await readInputNotebook(Buffer.from(JSON.stringify(notebook)), job);
      assert.deepEqual(prepared.notebook.metadata['kernelspec'], expected);
    }
  });
});

describe('The input notebook with parameters that JSON cannot represent', () => {
  it('still has valid JSON metadata', async () => {
    const notebook = notebookOf(tagged("y = float('inf')\nx = float('nan')", 'parameters'));
    const job = jobFor('/folder', { parameters: '{"x": NaN}' });
    const prepared = await readInputNotebook(Buffer.from(JSON.stringify(notebook)), job);
    const { parameters, default_parameters } = JSON.parse(prepared.description) as Record<string, unknown>;
    assert.deepEqual(parameters, { x: 'NaN' });
    assert.deepEqual(default_parameters, { y: 'Infinity', x: 'NaN' });
    assert.match(prepared.notebook.cells[1]?.source ?? '', /x = float\(['"]nan['"]\)/);
  });
});
