import { spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { CACHES, RESULTS } from './paths';

/** A missing requirement. The message has two sentences: what is missing, and how to fix it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** Prints the current step. */
export function say(sentence: string): void {
  console.log(sentence);
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Sentence for the user if the program fails. */
  readonly remedy: string;
}

/**
 * Runs a set-up step and writes its output to a log file.
 * @throws SetupError with the last lines of the output if it fails
 */
export async function runStep(program: string, args: readonly string[], options: RunOptions): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  const log = path.join(RESULTS, `${path.basename(program)}-${process.hrtime.bigint().toString()}.log`);
  const stream = createWriteStream(log);
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && program === 'npm',
  });
  child.stdout.pipe(stream, { end: false });
  child.stderr.pipe(stream, { end: false });
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('close', (code, signal) => {
      resolve(code === 0 ? undefined : `it ended with ${signal ?? String(code)}`);
    });
  });
  await new Promise<void>((resolve) => {
    stream.end(resolve);
  });
  if (failure !== undefined) {
    const tail = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-8).join('\n');
    throw new SetupError(
      `${tail}\n${program} ${args.slice(0, 3).join(' ')} … failed: ${failure}. ${options.remedy}`,
    );
  }
}

/** Absolute path of the first of these programs that is on the PATH. */
export function findProgram(names: readonly string[]): string | undefined {
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return names
    .flatMap((name) => folders.flatMap((folder) => extensions.map((ext) => path.join(folder, name + ext))))
    .find((file) => existsSync(file));
}

/** Whether apt-get can install packages: on Debian and its derivatives, as root. */
export function canAptInstall(): boolean {
  return process.getuid?.() === 0 && findProgram(['apt-get']) !== undefined;
}

/** Installs Debian packages. */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const remedy = 'Check that Debian’s packages can be reached and run this again.';
  await runStep('apt-get', ['update', '-q'], { env, remedy });
  await runStep('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], { env, remedy });
}

/**
 * Runs a program's main function. A SetupError is printed without its stack, other errors with it. Programs that it
 * starts keep their caches in the clone.
 */
export function runMain(main: () => Promise<number>): void {
  Object.assign(process.env, CACHES);
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error instanceof SetupError ? error.message : error);
      process.exitCode = 1;
    },
  );
}
