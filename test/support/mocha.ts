import Mocha from 'mocha';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { CACHE } from './paths';

/** Environment variable with the file that a suite leaves its report in. */
export const REPORT_FILE = 'NOTEBOOK_EXECUTIONS_TEST_REPORT';
/** Environment variable with a regular expression: only the test files it matches are run. */
export const FILES_PATTERN = 'NOTEBOOK_EXECUTIONS_TEST_FILES';
/** Environment variable with a regular expression: only the tests whose full titles it matches are run. */
export const TITLES_PATTERN = 'NOTEBOOK_EXECUTIONS_TEST_TITLES';

/** Environment variable with a JSON list of the only test files to run, relative to the suite's folder. */
export const FILES_LIST = 'NOTEBOOK_EXECUTIONS_TEST_FILES_LIST';
/** How long each file of the unit suite took when it last ran here, milliseconds, by its name. */
export const TIMES_FILE = path.join(CACHE, 'test-times.json');

/** How a suite went. Failing hooks count as failed. */
export interface SuiteReport {
  readonly passed: number;
  readonly failed: number;
  /** For people: a line for each test with the stack of what failed. */
  readonly text: string;
  /** The part of `text` that failed: repeated at the end of the run, where it is found. */
  readonly failures?: string;
  /** Milliseconds that the tests and hooks of each file took, by its path below the suite's folder. */
  readonly times?: Readonly<Record<string, number>>;
}

/** Which test files to run, and how. */
export interface SuiteOptions {
  /** Where they are, at any depth. */
  readonly folder: string;
  /** How their names end. */
  readonly ending: string;
  /** Of a test that says nothing else, milliseconds. */
  readonly timeout: number;
  /** Files that are run at the same time, each in a process of its own. Default: one after the other, in this process. */
  readonly jobs?: number;
}

/** Runs test files, and leaves the report in the file of {@link REPORT_FILE}. */
export async function runSuites({ folder, ending, timeout, jobs = 1 }: SuiteOptions): Promise<SuiteReport> {
  const mocha = new Mocha({
    timeout,
    forbidOnly: true,
    forbidPending: true,
    reporter: 'spec',
    color: false,
    parallel: jobs > 1,
    jobs,
  });
  const pattern = new RegExp(process.env[FILES_PATTERN] ?? '');
  mocha.grep(new RegExp(process.env[TITLES_PATTERN] ?? ''));
  const only = JSON.parse(process.env[FILES_LIST] ?? 'null') as string[] | null;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith(ending) && pattern.test(file) && (only?.includes(file) ?? true)) {
      mocha.addFile(path.join(folder, file));
    }
  }
  const text: string[] = [];
  const failures: string[] = [];
  const times: Record<string, number> = {};
  const count = ({ file, duration }: { file?: string | undefined; duration?: number | undefined }): void => {
    if (file === undefined) return;
    const name = path.relative(folder, file);
    times[name] = (times[name] ?? 0) + (duration ?? 0);
  };
  const stats = await new Promise<Mocha.Stats | undefined>((resolve) => {
    const runner = mocha.run(() => {
      resolve(runner.stats);
    });
    runner.on('test end', count);
    runner.on('hook end', count);
    runner.on('pass', (test) => {
      text.push(`  ✔ ${test.fullTitle()} (${String(test.duration ?? 0)} ms)`);
    });
    // From another process an error comes as an object of its parts.
    runner.on('fail', (test, error: Partial<Error>) => {
      const story = error.stack ?? error.message ?? 'It threw no error.';
      const failure = `  ✘ ${test.fullTitle()}\n${story.replaceAll(/^/gm, '      ')}`;
      text.push(failure);
      failures.push(failure);
    });
  });
  const report: SuiteReport = {
    passed: stats?.passes ?? 0,
    failed: stats?.failures ?? 0,
    text: text.join('\n'),
    failures: failures.join('\n'),
    times,
  };
  const file = process.env[REPORT_FILE];
  if (file !== undefined) {
    writeFileSync(file, JSON.stringify(report));
  }
  return report;
}

/** Remembers how long the files of the unit suite took, for `npm test -- changed`. */
export function rememberTimes(times: Readonly<Record<string, number>>): void {
  let former = {};
  try {
    former = JSON.parse(readFileSync(TIMES_FILE, 'utf8')) as object;
  } catch {
    // The first run here.
  }
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(TIMES_FILE, JSON.stringify({ ...former, ...times }));
}
