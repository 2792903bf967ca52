/*
 * npm run soak -- [--rounds N] [--parallel N] [--victim NAME]
 *
 * Kills editors, services, runners, kernels and all of them at random moments, and prints what was tried, what came
 * through as README.md promises (survived), and what did not (lost). Linux: processes are recognised by their environment in /proc.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { EmbeddedExecutionService } from '../../src/embedded';
import { processesWithEnvironment } from '../support/processes';
import { until } from '../support/until';
import { ROOT } from '../support/paths';
import { ensurePython } from '../support/python';
import { NOTEBOOK, playRound, type RoundResult } from './round';
import { VICTIMS, type Victim } from './victims';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '200' },
      parallel: { type: 'string', default: '3' },
      victim: { type: 'string' },
    },
  });
  await ensurePython();
  const rounds = Number(values.rounds);
  const victims = VICTIMS.filter((victim) => values.victim === undefined || victim === values.victim);
  const folder = mkdtempSync(path.join(tmpdir(), 'nbx-soak-'));
  const dataDirectory = path.join(folder, 'data');
  const notebook = path.join(folder, 'soak.ipynb');
  writeFileSync(notebook, NOTEBOOK);
  const witness = path.join(folder, 'witness');
  // Marks every process that this run starts, so that what is left over can be found.
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
      const victim = victims[number % victims.length] ?? 'none';
      const result = await playRound(`soak-${String(number)}`, victim, {
        dataDirectory,
        notebook,
        witness,
        service,
      });
      results.push(result);
      if (result.problem !== undefined) console.log(`round ${String(number)}, ${victim}: ${result.problem}`);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
  // What a killed process was just writing is removed by the next start.
  await service.restart();
  await until('nothing is left over', () => filesLeftIn(dataDirectory).length === 0, 10_000).catch(
    () => undefined,
  );
  await service.stop();
  service.dispose();
  const leftovers = await leftoversOf(folder, dataDirectory);
  printTable(results, victims);
  for (const leftover of leftovers) console.log(`left over: ${leftover}`);
  console.log(`\n${String(results.length)} rounds in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  const failed = results.filter(({ problem }) => problem !== undefined).length + leftovers.length;
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`What they left is kept in ${folder}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Processes of this run that still live five seconds after the end, and temporary files. */
async function leftoversOf(folder: string, dataDirectory: string): Promise<string[]> {
  const living = (): string[] =>
    processesWithEnvironment('SOAK_RUN', folder)
      .filter(({ pid }) => pid !== process.pid)
      .map(({ pid, command }) => `process ${String(pid)} ${command}`);
  const deadline = Date.now() + 5000;
  while (living().length > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return [...living(), ...filesLeftIn(dataDirectory).map((file) => `file ${file}`)];
}

/** Hidden and temporary files, jobs with their environment, staged notebooks, runtime directories. */
function filesLeftIn(dataDirectory: string): string[] {
  const names = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' });
  // Bundles have files of all kinds.
  const own = names.filter((name) => !/^versions\/[^.]/.test(name));
  return own.filter((name) => /(^|\/)\.|\.new$|\/(job|retry)\.json$|^staging\/.|\/run\/./.test(name));
}

function printTable(results: readonly RoundResult[], victims: readonly Victim[]): void {
  console.log('\n| killed | tries | survived | lost | ended as |\n|---|---|---|---|---|');
  for (const victim of victims) {
    const of = results.filter((result) => result.victim === victim);
    const states = [...new Set(of.map(({ state }) => state))];
    const ended = states
      .map((state) => `${state} ${String(of.filter((result) => result.state === state).length)}`)
      .join(', ');
    const not = of.filter(({ problem }) => problem !== undefined).length;
    console.log(
      `| ${victim} | ${String(of.length)} | ${String(of.length - not)} | ${String(not)} | ${ended} |`,
    );
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
