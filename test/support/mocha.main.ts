import * as path from 'node:path';
import { ROOT } from './paths';
import { runSuites } from './mocha';

/* node out/test/support/mocha.main.js unit|window: the suites that run in plain Node. Most tests wait for other processes. */
const [, , suite] = process.argv;
const options =
  suite === 'window'
    ? { ending: '.e2e.test.js', timeout: 300_000 }
    : { ending: '.unit.test.js', timeout: 120_000 };
void runSuites({ folder: path.join(ROOT, 'out/test', suite ?? 'unit'), jobs: 2, ...options }).then(
  ({ failed }) => {
    // What a test left open (a socket of ZeroMQ, a server) must not keep the run from its end.
    process.exit(failed > 0 ? 1 : 0);
  },
);
