/*
 * npm run check: runs types, lint, format, and dead code with import cycles in parallel. Prints the output of what
 * failed, and then one line for each. With a file name as argument, also writes the result there as JSON.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, '.cache');
// eslint's cache ignores that a file's lint depends on the types of other files. This is acceptable between two
// commits. CI runs without the cache.
const lintCache = process.env.CI
  ? []
  : ['--cache', '--cache-strategy', 'content', '--cache-location', `${cache}/eslint`];
const CHECKS = {
  types: ['typescript/bin/tsc', '-p', '.', '--incremental', '--tsBuildInfoFile', `${cache}/tsc.tsbuildinfo`],
  lint: ['eslint/bin/eslint.js', '--max-warnings', '0', ...lintCache, '.'],
  format: [
    'prettier/bin/prettier.cjs',
    '--check',
    '--log-level',
    'warn',
    '--cache',
    '--cache-location',
    `${cache}/prettier`,
    '.',
  ],
  'dead code': ['knip/bin/knip.js', '--treat-config-hints-as-errors'],
};

function check([script = '', ...args]) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules', script), ...args], { cwd: root });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('close', (code) =>
      resolve({ output, failed: code !== 0, seconds: (Date.now() - started) / 1000 }),
    );
  });
}

const results = await Promise.all(
  Object.entries(CHECKS).map(async ([name, command]) => ({ name, ...(await check(command)) })),
);
for (const { name, output, failed } of results) {
  if (failed) {
    console.log(`── ${name}\n${output.trimEnd()}\n`);
  }
}
for (const { name, failed, seconds } of results) {
  console.log(`${failed ? '✘' : '✔'} ${name} (${seconds.toFixed(1)} s)`);
}
const failed = results.filter((each) => each.failed).length;
const [, , report] = process.argv;
if (report !== undefined) {
  writeFileSync(report, JSON.stringify({ passed: results.length - failed, failed }));
}
process.exitCode = failed === 0 ? 0 : 1;
