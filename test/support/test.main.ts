import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureChromium } from './chromium';
import { runHostSuite } from './host-suite';
import { affectedTests, changedFiles, withinBudget } from './changed';
import {
  FILES_LIST,
  FILES_PATTERN,
  REPORT_FILE,
  TITLES_PATTERN,
  rememberTimes,
  type SuiteReport,
} from './mocha';
import { RESULTS, ROOT } from './paths';
import { kill } from './processes';
import { ensurePython } from './python';
import { ensureIRkernel } from './r';
import { runMain } from './setup';
import { packageExtension } from './vsix';
import { WINDOW_VERSION, ensureServer, windowVersion, type VSCodeVersion } from './vscode-install';

/*
 * npm test [-- SUITE…] [--files REGEXP] [--grep REGEXP] [--version newest|oldest]
 * npm test -- changed [--since REVISION]
 *
 * Installs what the suites need, runs them one after the other and prints `N passed, N failed` for all of them. A suite
 * that crashes, hangs or runs no test counts as a failure.
 *
 * Without names, all suites except root run. The tests of root act as another user of the machine, or need software
 * that only root can install (R).
 *
 * changed: runs check and those unit tests that the changes since a revision (HEAD) can break. The nearest ones come
 * first, and together they take less than two minutes according to their last runs.
 */

/** Time limit of a suite. Only a hanging suite reaches it. */
const LIMIT_MS = 20 * 60_000;

/** Time for the unit tests of `changed`, milliseconds. Two files run at a time; check takes the rest of two minutes. */
const CHANGED_BUDGET_MS = 120_000;

/** How many of the slowest files are printed. */
const SLOWEST = 10;
const versions: VSCodeVersion[] = ['newest', 'oldest'];

const SUITES: Readonly<Record<string, () => Promise<SuiteReport[]>>> = {
  check: async () => [await runProgram([path.join(ROOT, 'test/support/check.mjs'), REPORT])],
  unit: async () => {
    await ensurePython();
    const report = await runMocha('unit');
    rememberTimes(report.times ?? {});
    return [report];
  },
  root: async () => {
    await ensurePython();
    await ensureIRkernel();
    return [await runMocha('root')];
  },
  host: async () => {
    await ensurePython();
    await ensureChromium();
    for (const version of versions) await ensureServer(version);
    // In parallel, because each spends half of the time waiting.
    return Promise.all(
      versions.map(async (version) => {
        const report = await runHostSuite(version).catch(crashed);
        console.log(`\nExtension host of the ${version} VS Code\n${report.text}`);
        return report;
      }),
    );
  },
  window: async () => {
    await ensurePython();
    await ensureChromium();
    await ensureServer(windowVersion());
    await packageExtension();
    return [await runMocha('window')];
  },
};

const REPORT = path.join(RESULTS, 'report.json');

function runMocha(suite: string): Promise<SuiteReport> {
  return runProgram(['--enable-source-maps', path.join(ROOT, 'out/test/support/mocha.main.js'), suite]);
}

/** Runs a program that writes a report. Without a report, it has crashed. */
async function runProgram(args: string[]): Promise<SuiteReport> {
  await rm(REPORT, { force: true });
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    // Its own process group, so that a hanging suite can be ended together with its processes.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, [REPORT_FILE]: REPORT },
  });
  // SIGTERM first, so that the suite can end its own processes, which are in other process groups.
  const end = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => {
      if (child.pid !== undefined) kill(-child.pid);
    }, 20_000).unref();
  };
  const timer = setTimeout(() => {
    console.error(`It did not end within ${String(LIMIT_MS / 60_000)} minutes.`);
    end();
  }, LIMIT_MS);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, end);

  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  for (const signal of signals) process.off(signal, end);

  const report = JSON.parse(await readFile(REPORT, 'utf8')) as SuiteReport;
  if (code !== 0 && report.failed === 0)
    throw new Error(`All its tests passed, but it ended with ${String(code)}.`);

  return report;
}

function crashed(error: unknown): SuiteReport {
  console.error('The suite crashed:', error);
  return { passed: 0, failed: 1, text: '', failures: `  ✘ The suite crashed: ${String(error)}` };
}

/** Selects the suites and files for the changes since `revision`. Prints what runs and what does not. */
function chooseChanged(revision: string): string[] {
  const changed = changedFiles(revision);
  const affected = affectedTests(changed);
  const chosen = withinBudget(affected, CHANGED_BUDGET_MS);
  console.log(`${String(changed.length)} files changed since ${revision}.`);
  console.log(
    `Of ${String(affected.length)} unit test files that they can break, the nearest ${String(chosen.length)} run.`,
  );
  if (changed.some((file) => /^(?:src\/(?:wording|python|views|commands|extension)|package\.)/.test(file)))
    console.log('Not run: the host and window suites, which this change can break, too.');
  process.env[FILES_LIST] = JSON.stringify(chosen.map(({ file }) => file));
  return chosen.length === 0 ? ['check'] : ['check', 'unit'];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      files: { type: 'string' },
      grep: { type: 'string' },
      version: { type: 'string' },
      since: { type: 'string' },
    },
  });
  const suites = positionals[0] === 'changed' ? chooseChanged(values.since ?? 'HEAD') : positionals;
  const unknown = suites.filter((name) => !(name in SUITES));
  if (unknown.length > 0) {
    console.error(
      `No such suite: ${unknown.join(', ')}. There are ${Object.keys(SUITES).join(', ')}, changed.`,
    );
    return 1;
  }
  if (values.files !== undefined) process.env[FILES_PATTERN] = values.files;

  if (values.grep !== undefined) process.env[TITLES_PATTERN] = values.grep;

  if (values.version !== undefined) process.env[WINDOW_VERSION] = values.version;
  if (values.version !== undefined)
    versions.splice(0, versions.length, values.version === 'oldest' ? 'oldest' : 'newest');

  await rm(RESULTS, { recursive: true, force: true });
  await mkdir(RESULTS, { recursive: true });
  let passed = 0;
  let failed = 0;
  const failures: string[] = [];
  const times: [string, number][] = [];
  const durations: string[] = [];
  for (const [name, run] of Object.entries(SUITES)) {
    if (suites.length > 0 ? !suites.includes(name) : name === 'root') continue;

    console.log(`\n━━ ${name}`);
    const started = Date.now();
    for (const report of await run().catch((error: unknown) => [crashed(error)])) {
      if (report.passed + report.failed === 0) console.error(`The suite ${name} ran no test.`);

      passed += report.passed;
      times.push(...Object.entries(report.times ?? {}));
      if (report.failed > 0) failures.push(`${name}:\n${report.failures ?? ''}`);
      failed += report.failed + (report.passed + report.failed === 0 ? 1 : 0);
    }
    const duration = `${name}: ${seconds(Date.now() - started)}`;
    durations.push(duration);
    console.log(`━━ ${duration}`);
  }
  if (failures.length > 0) console.log(`\n━━ What failed\n${failures.join('\n')}`);
  const slowest = times.sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
  if (slowest.length > 0)
    console.log(`\n━━ Slowest files\n${slowest.map(([file, ms]) => `  ${seconds(ms)}  ${file}`).join('\n')}`);
  console.log(`\n━━ ${durations.join(', ')}`);
  console.log(`\n${String(passed)} passed, ${String(failed)} failed`);
  return failed === 0 ? 0 : 1;
}

runMain(main);
