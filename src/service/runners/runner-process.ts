import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { ServiceError } from '../../execution/errors';
import type { ProcessExit } from '../../system/process-tree';
import { controlAddress, isOwnDirectory, removeRuntime } from '../../protocol/runtime-directory';
import { nodeEnvironment } from '../../system/processes';

/*
 * Starting of runners. The service does this before its other modules are loaded (main.ts), so this file imports little
 * and calls the file system synchronously.
 */

/** What runners are started with. */
export interface RunnerLauncher {
  /** dist/runner.js */
  readonly script: string;
  /** Parent folder of runtime directories, see protocol/service-paths.ts. */
  readonly runtimeRoot: string;
}

/** A runner's process. */
export interface StartedRunner {
  readonly runtime: string;
  /** Resolves with how it ended, or that it could not be started; never rejects. */
  readonly ended: Promise<ProcessExit>;
  /** Kills it. */
  kill(): void;
}

/** Creates a new runtime directory, 0700. @throws Error if another user owns its root. */
export function makeRuntimeDirectory(root: string): string {
  fs.mkdirSync(root, { recursive: true, mode: 0o700 });
  if (!isOwnDirectory(root)) throw new Error(`${root} is not a directory owned by this user`);
  if (process.platform !== 'win32') fs.chmodSync(root, 0o700);
  const directory = path.join(root, randomBytes(5).toString('hex'));
  fs.mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/**
 * Chooses the parent folder of runtime directories: the first in which a runner can listen.
 * @param roots see protocol/service-paths.ts.
 * @throws ServiceError FAILED_PRECONDITION `noRuntimeDirectory`, whose message lists the problem with each of them.
 */
export async function chooseRuntimeRoot(roots: readonly string[]): Promise<string> {
  const problems: string[] = [];
  for (const root of roots) {
    try {
      await listenOnce(makeRuntimeDirectory(root));
      return root;
    } catch (error) {
      problems.push(`${root}: ${String(error)}`);
    }
  }
  throw new ServiceError(
    'FAILED_PRECONDITION',
    'noRuntimeDirectory',
    `no folder for the sockets of runners (${problems.join('; ') || 'every path is too long'}): ` +
      'set XDG_RUNTIME_DIR to a private folder with a short path, or choose a data directory with a shorter path',
  );
}

/**
 * Checks that a socket can listen in a new runtime directory, and removes the directory.
 * @throws the system's error.
 */
async function listenOnce(directory: string): Promise<void> {
  const server = net.createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(controlAddress(directory), resolve);
    });
  } finally {
    server.close();
    await removeRuntime(directory);
  }
}

/**
 * Starts a runner that outlives the service.
 * @param job path of its job.json; undefined for an idle runner.
 * @param logFile receives its stdout and stderr.
 * @throws Error if the log cannot be opened.
 */
export function spawnRunner(
  launcher: RunnerLauncher,
  runtime: string,
  job: string | undefined,
  logFile: string,
): StartedRunner {
  const log = fs.openSync(
    logFile,
    fs.constants.O_CREAT | fs.constants.O_APPEND | fs.constants.O_WRONLY,
    0o600,
  );
  try {
    const child = spawn(
      process.execPath,
      [launcher.script, '--runtime', runtime, ...(job === undefined ? [] : ['--job', job])],
      {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: runtime,
        env: nodeEnvironment(),
        windowsHide: true,
      },
    );
    child.unref();
    const ended = new Promise<ProcessExit>((resolve) => {
      child.once('error', (error) => {
        resolve({ code: null, signal: null, error });
      });
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
    return { runtime, ended, kill: () => void child.kill('SIGKILL') };
  } finally {
    fs.closeSync(log);
  }
}

/**
 * Starts an idle runner, see PooledRunner.
 * @param logs folder for its log. @throws like {@link makeRuntimeDirectory} and {@link spawnRunner}.
 */
export function startIdleRunner(launcher: RunnerLauncher, logs: string): StartedRunner {
  const log = path.join(logs, 'spare-runner.log');
  fs.rmSync(log, { force: true });
  return spawnRunner(launcher, makeRuntimeDirectory(launcher.runtimeRoot), undefined, log);
}
