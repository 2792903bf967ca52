/*
 * The first step of `npm start`, `npm test` and other scripts that must work in a fresh clone. It needs only Node. It
 * installs the packages if they differ from the lockfile, builds, and starts a program.
 *
 *   node test/support/bootstrap.mjs [--tests[=FOLDER]] PROGRAM [ARGUMENT…]
 *
 * PROGRAM is a bundle in dist/ or out/. --tests also builds out/, see esbuild.mjs.
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

/** Whether node_modules has every package of the lockfile in its version, except optional ones of other platforms. */
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
  // Not on standard output, which belongs to the program.
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
  // The terminal sends SIGINT (Ctrl+C) to the child as well; other signals reach only this process.
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
}
// If a signal ends npm's shell, the signal is not forwarded. The parent process then changes: end the child.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref();
child.on('exit', (code) => process.exit(code ?? 1));
