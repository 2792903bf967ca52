import Mocha from 'mocha';
import { readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

/*
 * What VS Code loads as `extensionTestsPath`: runs the suites *.vscode.test.ts in the extension host and leaves the
 * result in the file that NOTEBOOK_EXECUTIONS_TEST_REPORT names.
 */

/** How a run of mocha in the extension host went. */
export interface HostReport {
  passed: number;
  failed: number;
  /** For people: a line for each test, then the failures with their stacks. */
  text: string[];
}

/** VS Code calls this; it rejects when a test fails, so that the desktop editor's exit code tells too. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ timeout: 60_000, forbidOnly: true, forbidPending: true, reporter: 'spec' });
  const pattern = new RegExp(process.env['NOTEBOOK_EXECUTIONS_TEST_FILES'] ?? '');
  for (const file of readdirSync(__dirname, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.vscode.test.js') && pattern.test(file)) {
      mocha.addFile(path.join(__dirname, file));
    }
  }
  const report: HostReport = { passed: 0, failed: 0, text: [] };
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => {
      resolve();
    });
    runner.on('pass', (test) => {
      report.passed++;
      report.text.push(`  ✔ ${test.fullTitle()} (${String(test.duration ?? 0)} ms)`);
    });
    runner.on('fail', (test, error: unknown) => {
      report.failed++;
      const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report.text.push(`  ✘ ${test.fullTitle()}\n${story.replaceAll(/^/gm, '      ')}`);
    });
  });
  const file = process.env['NOTEBOOK_EXECUTIONS_TEST_REPORT'];
  if (file !== undefined) {
    writeFileSync(file, JSON.stringify(report));
  }
  if (report.failed > 0) {
    throw new Error(`${String(report.failed)} tests failed`);
  }
}
