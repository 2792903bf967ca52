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
import { WINDOW_VERSION, ensureServer, type VSCodeVersion } from './vscode-install';

/*
 * npm test [-- SUITE…] [--files REGEXP] [--grep REGEXP] [--version newest|oldest]
 * npm test -- changed [--since REVISION]
 *
 * Installs what the suites need, runs two of them at a time and prints `N passed, N failed` for all of them. A suite that
 * crashes, hangs or runs no test counts as a failure.
 *
 * Without names, check, unit, host and window run. The others run by name, and for every submission (.ci/run): those of
 * `long` take long by their nature; `oldest` is the host suite in the oldest supported VS Code; the tests of root act as
 * another user of the machine, or need software that only root can install (R).
 *
 * changed: runs check and those unit tests that the changes since a revision (HEAD) can break. The nearest ones come
 * first, and together they take less than two minutes according to their last runs.
 */

/** Time limit of a suite. Only a hanging suite reaches it. */
const LIMIT_MS = 40 * 60_000;

/** How many suites run at the same time: two, because each spends a good part of its time waiting. */
const SUITES_AT_A_TIME = 2;

/** Time for the unit tests of `changed`, milliseconds. Two files run at a time; check takes the rest of two minutes. */
const CHANGED_BUDGET_MS = 120_000;

/** How many of the slowest files are printed. */
const SLOWEST = 10;
/** Version in which the suite `host` runs. */
let hostVersion: VSCodeVersion = 'newest';
/** Aborts when this process is told to end. */
const interruption = new AbortController();

interface Suite {
  /** Installs what it needs. The suites prepare one after the other. */
  readonly prepare?: () => Promise<unknown>;
  readonly run: () => Promise<SuiteReport>;
  /** It runs only by name. */
  readonly byName?: true;
}

/** In the order in which they start. */
const SUITES: Readonly<Record<string, Suite>> = {
  check: {
    run: () => runProgram('check', (report) => [path.join(ROOT, 'test/support/check.mjs'), report]),
  },
  window: {
    prepare: async () => {
      await ensurePython();
      await ensureChromium();
      await ensureServer('newest');
      // For the first run in it.
      await ensureServer('oldest');
      await packageExtension();
    },
    run: () => runMocha('window'),
  },
  unit: {
    prepare: ensurePython,
    run: async () => {
      const report = await runMocha('unit');
      rememberTimes(report.times ?? {});
      return report;
    },
  },
  host: hostSuite('host', () => hostVersion),
  long: { prepare: ensurePython, run: () => runMocha('long'), byName: true },
  oldest: { ...hostSuite('oldest', () => 'oldest'), byName: true },
  root: {
    prepare: async () => {
      await ensurePython();
      await ensureIRkernel();
    },
    run: () => runMocha('root'),
    byName: true,
  },
};

function hostSuite(name: string, version: () => VSCodeVersion): Suite {
  return {
    prepare: async () => {
      await ensurePython();
      await ensureChromium();
      await ensureServer(version());
    },
    run: async () => {
      const report = await runHostSuite(version());
      console.log(`\n━━ ${name}: the extension host of the ${version()} VS Code\n${report.text}`);
      return report;
    },
  };
}

function runMocha(suite: string): Promise<SuiteReport> {
  const main = path.join(ROOT, 'out/test/support/mocha.main.js');
  return runProgram(suite, () => ['--enable-source-maps', main, suite]);
}

/** Runs a program that writes a report to the file it is given. Without a report, it has crashed. */
async function runProgram(suite: string, args: (report: string) => string[]): Promise<SuiteReport> {
  const file = path.join(RESULTS, `report-${suite}.json`);
  const child = spawn(process.execPath, args(file), {
    cwd: ROOT,
    // Its own process group, so that a hanging suite can be ended together with its processes.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, [REPORT_FILE]: file },
  });
  // SIGTERM first, so that the suite can end its own processes, which are in other process groups.
  const end = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => {
      if (child.pid !== undefined) kill(-child.pid);
    }, 20_000).unref();
  };
  const timer = setTimeout(() => {
    console.error(`The suite ${suite} did not end within ${String(LIMIT_MS / 60_000)} minutes.`);
    end();
  }, LIMIT_MS);
  interruption.signal.addEventListener('abort', end);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  interruption.signal.removeEventListener('abort', end);
  const report = JSON.parse(await readFile(file, 'utf8')) as SuiteReport;
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
  const named = positionals[0] === 'changed' ? chooseChanged(values.since ?? 'HEAD') : positionals;
  const unknown = named.filter((name) => !(name in SUITES));
  if (unknown.length > 0) {
    console.error(
      `No such suite: ${unknown.join(', ')}. There are ${Object.keys(SUITES).join(', ')}, changed.`,
    );
    return 1;
  }
  if (values.files !== undefined) process.env[FILES_PATTERN] = values.files;

  if (values.grep !== undefined) process.env[TITLES_PATTERN] = values.grep;

  if (values.version !== undefined) process.env[WINDOW_VERSION] = values.version;
  if (values.version !== undefined) hostVersion = values.version === 'oldest' ? 'oldest' : 'newest';

  await rm(RESULTS, { recursive: true, force: true });
  await mkdir(RESULTS, { recursive: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      interruption.abort();
    });
  }
  let passed = 0;
  let failed = 0;
  const failures: string[] = [];
  const times: [string, number][] = [];
  const durations: string[] = [];
  const started = Date.now();
  const suites = Object.entries(SUITES).filter(([name, { byName }]) =>
    named.length > 0 ? named.includes(name) : byName !== true,
  );
  const add = (name: string, report: SuiteReport): void => {
    const ran = report.passed + report.failed > 0;
    if (!ran) console.error(`The suite ${name} ran no test.`);
    passed += report.passed;
    failed += ran ? report.failed : 1;
    times.push(...Object.entries(report.times ?? {}));
    if (report.failed > 0) failures.push(`${name}:\n${report.failures ?? ''}`);
  };
  const waiting: [string, Suite][] = [];
  for (const [name, suite] of suites) {
    try {
      await suite.prepare?.();
      waiting.push([name, suite]);
    } catch (error) {
      add(name, crashed(error));
    }
  }
  const runWaiting = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (interruption.signal.aborted) return;
      const [name, suite] = next;
      console.log(`\n━━ ${name} starts`);
      const start = Date.now();
      add(name, await suite.run().catch(crashed));
      const duration = `${name}: ${seconds(Date.now() - start)}`;
      durations.push(duration);
      console.log(`━━ ${duration}`);
    }
  };
  await Promise.all(Array.from({ length: SUITES_AT_A_TIME }, runWaiting));
  if (failures.length > 0) console.log(`\n━━ What failed\n${failures.join('\n')}`);
  const slowest = times.sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
  if (slowest.length > 0)
    console.log(`\n━━ Slowest files\n${slowest.map(([file, ms]) => `  ${seconds(ms)}  ${file}`).join('\n')}`);
  console.log(`\n━━ ${durations.join(', ')}; in all ${seconds(Date.now() - started)}`);
  console.log(`\n${String(passed)} passed, ${String(failed)} failed`);
  return failed === 0 && !interruption.signal.aborted ? 0 : 1;
}

runMain(main);
