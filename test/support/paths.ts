import { existsSync } from 'node:fs';
import * as path from 'node:path';

/** The clone: the nearest folder above the running bundle that contains package.json. */
export const ROOT = findRoot(__dirname);

function findRoot(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : findRoot(path.dirname(folder));
}

/** Where VS Code is kept between runs. */
export const VSCODE_CACHE = path.join(ROOT, '.vscode-test');

/** Logs, screenshots and reports of the last run. Parallel runs need different folders. */
export const RESULTS = process.env['NOTEBOOK_EXECUTIONS_TEST_RESULTS'] ?? path.join(ROOT, 'out/results');

/** Files that programs would write to the user's home, and files kept between runs. */
export const CACHE = path.join(ROOT, '.cache');

/** Environment variables that keep the files of pip, VS Code, Jupyter and kernels out of the user's home. */
export const CACHES = {
  XDG_CACHE_HOME: CACHE,
  IPYTHONDIR: path.join(CACHE, 'ipython'),
  JUPYTER_CONFIG_DIR: path.join(CACHE, 'jupyter'),
  MPLCONFIGDIR: path.join(CACHE, 'matplotlib'),
};
