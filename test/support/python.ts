import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { ROOT } from './paths';
import { SetupError, aptInstall, canAptInstall, findProgram, runStep, say } from './setup';

const VENV = path.join(ROOT, '.venv');
const REQUIREMENTS = path.join(ROOT, 'test/support/requirements.txt');
const STAMP = path.join(VENV, '.requirements.sha256');

/** The folder of the environment's programs. */
export const VENV_BIN = path.join(VENV, process.platform === 'win32' ? 'Scripts' : 'bin');
export const VENV_PYTHON = path.join(VENV_BIN, process.platform === 'win32' ? 'python.exe' : 'python');

/** Creates `.venv`, or updates it if requirements.txt has changed since. */
export async function ensurePython(): Promise<void> {
  const wanted = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex');
  if (existsSync(VENV_PYTHON) && (await readFile(STAMP, 'utf8').catch(() => '')) === wanted) return;
  // Without pyvenv.cfg the environment is incomplete.
  if (!existsSync(VENV_PYTHON) || !existsSync(path.join(VENV, 'pyvenv.cfg'))) await makeEnvironment();
  say('Installing Python packages into .venv …');
  await runStep(
    VENV_PYTHON,
    ['-m', 'pip', 'install', '--disable-pip-version-check', '-q', '-r', REQUIREMENTS],
    {
      remedy: 'Check that the Python package index can be reached and run this again.',
    },
  );
  await writeFile(STAMP, wanted);
}

async function makeEnvironment(): Promise<void> {
  const python = findProgram(['python3', 'python', 'py']);
  if (python === undefined)
    throw new SetupError('Python was not found. Install Python 3.11 or newer and run this again.');
  await runStep(python, ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))'], {
    remedy: 'Install Python 3.11 or newer and run this again.',
  });
  say('Making the Python environment .venv …');
  const remedy = 'Install Python’s venv module (Debian: apt-get install python3-venv) and run this again.';
  const make = (): Promise<void> => runStep(python, ['-m', 'venv', '--clear', VENV], { remedy });
  await make().catch(async (error: unknown) => {
    if (!canAptInstall()) throw error;
    await aptInstall(['python3-venv']);
    await make();
  });
}
