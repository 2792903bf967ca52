import Mocha from 'mocha';
import { readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

/** Environment variable with the file that a suite leaves its report in. */
export const REPORT_FILE = 'NOTEBOOK_EXECUTIONS_TEST_REPORT';
/** Environment variable with a regular expression: only the test files it matches are run. */
export const FILES_PATTERN = 'NOTEBOOK_EXECUTIONS_TEST_FILES';
/** Environment variable with a regular expression: only the tests whose full titles it matches are run. */
export const TITLES_PATTERN = 'NOTEBOOK_EXECUTIONS_TEST_TITLES';

/** How a suite went. Failing hooks count as failed. */
export interface SuiteReport {
  readonly passed: number;
  readonly failed: number;
  /** For people: a line for each test with the stack of what failed. */
  readonly text: string;
  /** The part of `text` that failed: repeated at the end of the run, where it is found. */
  readonly failures?: string;
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
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith(ending) && pattern.test(file)) {
      mocha.addFile(path.join(folder, file));
    }
  }
  const text: string[] = [];
  const failures: string[] = [];
  const stats = await new Promise<Mocha.Stats | undefined>((resolve) => {
    const runner = mocha.run(() => {
      resolve(runner.stats);
    });
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
  };
  const file = process.env[REPORT_FILE];
  if (file !== undefined) {
    writeFileSync(file, JSON.stringify(report));
  }
  return report;
}
