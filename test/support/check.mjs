/*
 * npm run check: types, lint, format, and dead code with import cycles, side by side. Prints what fails, and ends with
 * a line for each. Given a file name as argument, the outcome is also written there as JSON.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, '.cache');
// A file's lint depends on the types of others, which eslint's cache does not know: good enough between two commits, and CI goes without.
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
