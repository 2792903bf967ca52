import { existsSync } from 'node:fs';
import * as path from 'node:path';

/** The clone: the nearest folder above the running bundle that holds package.json. */
export const ROOT = findRoot(__dirname);

function findRoot(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : findRoot(path.dirname(folder));
}

/** Where VS Code is kept between runs. */
export const VSCODE_CACHE = path.join(ROOT, '.vscode-test');

/** Where logs, screenshots and reports of the last run are left. Two runs at once need two such folders. */
export const RESULTS = process.env['NOTEBOOK_EXECUTIONS_TEST_RESULTS'] ?? path.join(ROOT, 'out/results');
