import { execFileSync } from 'node:child_process';
import { VENV_PYTHON } from '../../support/python';

/** Runs a Python program in the test environment with JSON as its standard input; its output is JSON. */
export function python(program: string, input: unknown): unknown {
  const output = execFileSync(VENV_PYTHON, ['-c', program], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    env: { ...process.env, PYTHONUTF8: '1' },
    maxBuffer: 1 << 28,
  });
  return JSON.parse(output);
}
