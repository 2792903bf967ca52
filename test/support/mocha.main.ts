import * as path from 'node:path';
import { ROOT } from './paths';
import { runSuites } from './mocha';

/* node out/test/support/mocha.main.js unit|long|root|window: the suites in plain Node. Most tests wait for processes. */
const SUITES = {
  unit: { folder: 'unit', ending: '.unit.test.js', timeout: 300_000 },
  long: { folder: 'unit', ending: '.long.test.js', timeout: 300_000 },
  root: { folder: 'unit', ending: '.root.test.js', timeout: 300_000 },
  window: { folder: 'window', ending: '.e2e.test.js', timeout: 600_000 },
};
const { folder, ...options } = SUITES[process.argv[2] as keyof typeof SUITES];
void runSuites({ folder: path.join(ROOT, 'out/test', folder), jobs: 2, ...options }).then(({ failed }) => {
  // Resources that a test left open, such as a ZeroMQ socket or a server, must not keep the process running.
  process.exit(failed > 0 ? 1 : 0);
});
