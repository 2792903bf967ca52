import Mocha from 'mocha';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { CACHE } from './paths';

/** Environment variable: the file to which a suite writes its report. */
export const REPORT_FILE = 'NOTEBOOK_EXECUTIONS_TEST_REPORT';
/** Environment variable: a regular expression for the paths of the test files to run. */
export const FILES_PATTERN = 'NOTEBOOK_EXECUTIONS_TEST_FILES';
/** Environment variable: a regular expression for the full titles of the tests to run. */
export const TITLES_PATTERN = 'NOTEBOOK_EXECUTIONS_TEST_TITLES';

/** Environment variable: a JSON list of the only test files to run, relative to the suite's folder. */
export const FILES_LIST = 'NOTEBOOK_EXECUTIONS_TEST_FILES_LIST';
/** Durations of the unit suite's files in their last run in this clone, in milliseconds, by file name. */
export const TIMES_FILE = path.join(CACHE, 'test-times.json');

/** Result of a suite. Failing hooks count as failed. */
export interface SuiteReport {
  readonly passed: number;
  readonly failed: number;
  /** Report to print: a line per test, and the stack of each failure. */
  readonly text: string;
  /** The failures of `text`, which are printed again at the end of the run. */
  readonly failures?: string;
  /** Duration of each file's tests and hooks in milliseconds, by its path in the suite's folder. */
  readonly times?: Readonly<Record<string, number>>;
}

/** The test files to run, and how to run them. */
export interface SuiteOptions {
  /** Folder of the files, searched recursively. */
  readonly folder: string;
  /** End of their names. */
  readonly ending: string;
  /** Default timeout of a test, in milliseconds. */
  readonly timeout: number;
  /** How many files run at the same time, each in its own process. By default one after the other in this process. */
  readonly jobs?: number;
}

/** Runs test files and writes the report to the file of {@link REPORT_FILE}. */
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
    if (file.endsWith(ending) && pattern.test(file) && (only?.includes(file) ?? true))
      mocha.addFile(path.join(folder, file));
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
    // An error of another process is a plain object.
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
  if (file !== undefined) writeFileSync(file, JSON.stringify(report));
  return report;
}

/** Stores the durations of the unit suite's files, for `npm test -- changed`. */
export function rememberTimes(times: Readonly<Record<string, number>>): void {
  let former = {};
  try {
    former = JSON.parse(readFileSync(TIMES_FILE, 'utf8')) as object;
  } catch {
    // First run in this clone.
  }
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(TIMES_FILE, JSON.stringify({ ...former, ...times }));
}
