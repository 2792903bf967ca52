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

/** What programs would leave in the user's home, and what is kept from one run to the next. */
export const CACHE = path.join(ROOT, '.cache');

/** Variables that keep in the clone what pip, VS Code, Jupyter and kernels would leave in the person's home. */
export const CACHES = {
  XDG_CACHE_HOME: CACHE,
  IPYTHONDIR: path.join(CACHE, 'ipython'),
  JUPYTER_CONFIG_DIR: path.join(CACHE, 'jupyter'),
  MPLCONFIGDIR: path.join(CACHE, 'matplotlib'),
};
