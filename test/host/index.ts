import { runSuites } from '../support/mocha';
import { activated } from './support/executions';

/**
 * Entry point for VS Code, given as `extensionTestsPath`: runs the suites *.vscode.test.ts within the
 * extension host. Rejects when a test fails, so that the exit code of a desktop editor shows it too.
 */
export async function run(): Promise<void> {
  process.setSourceMapsEnabled(true);
  await activated();
  const { failed } = await runSuites({ folder: __dirname, ending: '.vscode.test.js', timeout: 300_000 });
  if (failed > 0) throw new Error(`${String(failed)} tests failed`);
}
