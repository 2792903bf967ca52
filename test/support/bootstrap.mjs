/*
 * The first step of `npm start`, `npm test` and whatever else must work from a bare clone. It needs nothing but Node:
 * installs the packages when they are not those of the lockfile, builds, and goes on in TypeScript.
 *
 *   node test/support/bootstrap.mjs [--tests[=FOLDER]] PROGRAM [ARGUMENT…]
 *
 * PROGRAM is a bundle in dist/ or out/. --tests: also builds out/, as esbuild.mjs does.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

function run(program, args, remedy) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // npm is a .cmd file on Windows.
    shell: process.platform === 'win32' && program === 'npm',
  });
  if (status !== 0) {
    stop(`${program} ${args.join(' ')} failed${error ? ` (${error.message})` : ''}. ${remedy}`);
  }
}

/** Whether node_modules holds every package of the lockfile in its version (other platforms' optional ones apart). */
function installed() {
  try {
    const read = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8')).packages;
    const present = read('node_modules/.package-lock.json');
    return Object.entries(read('package-lock.json')).every(
      ([name, wanted]) =>
        name === '' ||
        (present[name] === undefined
          ? wanted.optional === true || wanted.peer === true
          : present[name].version === wanted.version),
    );
  } catch {
    return false;
  }
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  stop(`Node ${process.versions.node} is too old: install Node 20.19 or newer and run this again.`);
}
if (!installed()) {
  // Not to standard output, which is the program's own.
  console.error('Installing packages (npm ci) …');
  run(
    'npm',
    ['ci', '--no-fund', '--no-audit'],
    'Check that the npm registry can be reached and run this again.',
  );
}
const given = process.argv.slice(2);
const flags = given[0]?.startsWith('--tests') ? given.splice(0, 1) : [];
const [program = '', ...args] = given;
run(process.execPath, ['esbuild.mjs', '--production', ...flags], 'Mend the error above and run this again.');
const child = spawn(process.execPath, ['--enable-source-maps', path.join(root, program), ...args], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // Ctrl+C reaches the child by itself; others only us.
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
}
// npm's shell dies of a signal without handing it on: then nobody waits for us any more.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref();
child.on('exit', (code) => process.exit(code ?? 1));
