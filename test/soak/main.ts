/*
 * npm run soak -- [--rounds N] [--parallel N] [--kill NAME]
 *
 * Kills editors, services, runners, kernels and all of them at random moments and at those that matter (victims.ts), and
 * prints how many executions ended as docs/promises.md says, and what was wrong with the others. Linux: processes are
 * recognised by their environment in /proc.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { EmbeddedExecutionService } from '../../src/embedded';
import { processesWithEnvironment } from '../support/processes';
import { until } from '../support/until';
import { ROOT } from '../support/paths';
import { ensurePython, VENV_PYTHON } from '../support/python';
import { NOTEBOOK, playRound, PROBLEMS, type RoundResult } from './round';
import { MOMENTS, VICTIMS, type Kill } from './victims';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '300' },
      parallel: { type: 'string', default: '3' },
      kill: { type: 'string' },
    },
  });
  await ensurePython();
  const rounds = Number(values.rounds);
  const kills = [...VICTIMS, ...MOMENTS].filter((each) => values.kill === undefined || each === values.kill);
  if (!Number.isInteger(rounds) || rounds < 1 || kills.length === 0)
    throw new Error(`--rounds takes a number from 1, --kill one of ${[...VICTIMS, ...MOMENTS].join(', ')}.`);
  const folder = mkdtempSync(path.join(tmpdir(), 'nbx-soak-'));
  const dataDirectory = path.join(folder, 'data');
  const notebook = path.join(folder, 'soak.ipynb');
  writeFileSync(notebook, NOTEBOOK);
  const witness = path.join(folder, 'witness');
  const out = path.join(folder, 'out');
  mkdirSync(out);
  writeOrphanKernel(path.join(folder, 'jupyter/kernels/orphan'));
  process.env['JUPYTER_PATH'] = path.join(folder, 'jupyter');
  // Marks every process that this run starts, so that remaining ones can be found.
  process.env['SOAK_RUN'] = folder;
  const service = new EmbeddedExecutionService({
    dataDirectory,
    bundles: path.join(ROOT, 'dist'),
    version: '0.0.0-soak',
    config: { maxConcurrent: 4, spare: true },
  });
  const results: RoundResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < rounds) {
      const number = next++;
      const which = kills[number % kills.length] ?? 'none';
      // Ends with a letter, so that no id is a prefix of another.
      const result = await playRound(`soak-${String(number)}x`, which, {
        dataDirectory,
        notebook,
        witness,
        service,
        out,
      });
      results.push(result);
      const { problem } = result;
      if (problem !== undefined)
        console.log(`round ${String(number)}, ${which}: ${problem.kind}: ${problem.text}`);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
  // Temporary files of a killed process are removed by the next start.
  await service.restart();
  await until('nothing is left over', () => remainingFiles(dataDirectory).length === 0, 10_000).catch(
    () => undefined,
  );
  await service.stop();
  service.dispose();
  const leftovers = await leftoversOf(folder, dataDirectory);
  printTable(results, kills);
  for (const leftover of leftovers) console.log(`left over: ${leftover}`);
  console.log(`\n${String(results.length)} rounds in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  const failed = results.filter(({ problem }) => problem !== undefined).length + leftovers.length;
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`What they left is kept in ${folder}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Processes of this run that still run five seconds after the end, and temporary files. */
async function leftoversOf(folder: string, dataDirectory: string): Promise<string[]> {
  const runningProcesses = (): string[] =>
    processesWithEnvironment('SOAK_RUN', folder)
      .filter(({ pid }) => pid !== process.pid)
      .map(({ pid, command }) => `process ${String(pid)} ${command}`);
  const deadline = Date.now() + 5000;
  while (runningProcesses().length > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return [...runningProcesses(), ...remainingFiles(dataDirectory).map((file) => `file ${file}`)];
}

/** Hidden and temporary files, jobs with their environment, staged notebooks, runtime directories. */
function remainingFiles(dataDirectory: string): string[] {
  const names = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' });
  // Bundles have files of all kinds.
  const own = names.filter((name) => !/^versions\/[^.]/.test(name));
  // An unfinished save of an execution stays in its folder until the next save replaces it.
  const unfinishedSave = /^executions\/[^/]+\/\.execution\.json\.new$/;
  return own.filter(
    (name) =>
      /(^|\/)\.|\.new$|\/(job|retry)\.json$|^staging\/.|\/run\/./.test(name) && !unfinishedSave.test(name),
  );
}

/** A kernel that does not check whether its runner is alive, like most kernels of other languages. */
function writeOrphanKernel(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const argv = [
    '/usr/bin/env',
    '-u',
    'JPY_PARENT_PID',
    VENV_PYTHON,
    '-m',
    'ipykernel_launcher',
    '-f',
    '{connection_file}',
  ];
  writeFileSync(
    path.join(folder, 'kernel.json'),
    JSON.stringify({ argv, display_name: 'Orphan', language: 'python' }),
  );
}

function printTable(results: readonly RoundResult[], kills: readonly Kill[]): void {
  const heads = ['killed', 'rounds', 'as promised', ...PROBLEMS, 'ended as'];
  console.log(`\n| ${heads.join(' | ')} |\n|${heads.map(() => '---').join('|')}|`);
  for (const which of kills) {
    const of = results.filter((result) => result.kill === which);
    const states = [...new Set(of.map(({ state }) => state))].sort();
    const count = (state: string): number => of.filter((result) => result.state === state).length;
    const cells = [
      which,
      of.length,
      of.filter(({ problem }) => problem === undefined).length,
      ...PROBLEMS.map((kind) => of.filter(({ problem }) => problem?.kind === kind).length),
      states.map((state) => `${state} ${String(count(state))}`).join(', '),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
