import { constants } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { ServiceError } from '../execution/errors';
import { removeRuntime } from '../protocol/runtime-directory';
import { claimDataDirectory } from '../protocol/data-directory';
import { DEVELOPMENT_BUILD, runtimeRoots, servicePaths } from '../protocol/service-paths';
import { makePrivateDirectory } from '../system/files';
import {
  chooseRuntimeRoot,
  startIdleRunner,
  type RunnerLauncher,
  type StartedRunner,
} from './runners/runner-process';

/*
 * The service's process. The first execution needs a runner, which takes as long to start as the service. So the runner
 * is started first, and most of this program is loaded only afterwards (esbuild runs a dynamically imported module when
 * it is imported).
 */

const USAGE = `usage: service.js serve --data-dir DIR [options]
       service.js stop --data-dir DIR

serve  runs the service in the foreground and prints one line of JSON: {"endpoint", "tokenFile"}
stop   stops the service of this data directory; running executions continue

  --max-concurrent N   maximum number of running executions (default: half the cores)
  --no-spare           do not start kernels ahead of time
  --idle-seconds N     exit after N seconds without executions and requests (default: never)
  --runner FILE        bundle of the runner (default: runner.js beside service.js)
  --cancel-ms N        timeout for cancelling, in milliseconds; then the runner is killed (default: 60000)
  --build NAME         build name that is reported to clients
  --replace            replace a running service of another build
  --unless-running     exit with status 0 if a service is already running`;

function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${process.pid} ${message}\n`);
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      'data-dir': { type: 'string' },
      'max-concurrent': { type: 'string' },
      'no-spare': { type: 'boolean' },
      'idle-seconds': { type: 'string' },
      runner: { type: 'string' },
      'cancel-ms': { type: 'string' },
      build: { type: 'string' },
      replace: { type: 'boolean' },
      'unless-running': { type: 'boolean' },
    },
  });
  const [command, ...more] = positionals;
  const dataDirectory = values['data-dir'];
  if (dataDirectory === undefined || more.length > 0) throw new Error(USAGE);
  if (command === 'stop') {
    const { stopRunning } = await import('./takeover');
    await stopRunning(dataDirectory);
    return;
  }
  if (command !== 'serve') throw new Error(USAGE);
  const paths = servicePaths(dataDirectory);
  await claimDataDirectory(paths);
  await makePrivateDirectory(paths.host);
  const script = values.runner ?? path.join(__dirname, 'runner.js');
  const launcher = { script, runtimeRoot: await chooseRuntimeRoot(runtimeRoots(paths)) };
  const startedRunner = startRunner(launcher, paths.host);
  const { serve } = await import('./daemon');
  const { ServiceConfigSchema } = await import('../protocol/service-schemas');
  const { AlreadyRunningError } = await import('./takeover');
  const maxConcurrent = values['max-concurrent'];
  const daemon = await serve({
    dataDirectory,
    config: ServiceConfigSchema.parse({
      ...(maxConcurrent === undefined ? {} : { maxConcurrent: Number(maxConcurrent) }),
      ...(values['no-spare'] === true ? { spare: false } : {}),
    }),
    build: values.build ?? DEVELOPMENT_BUILD,
    replace: values.replace ?? false,
    idleSeconds: values['idle-seconds'] === undefined ? undefined : Number(values['idle-seconds']),
    launcher,
    startedRunner,
    cancelMs: Number(values['cancel-ms'] ?? 60_000),
    log,
  }).catch(async (error: unknown): Promise<never> => {
    if (!(error instanceof AlreadyRunningError)) throw error;
    // No client has connected to the runner: it would wait for one until its timeout.
    startedRunner?.kill();
    if (startedRunner !== undefined) await removeRuntime(startedRunner.runtime);
    log(String(error));
    process.exit(values['unless-running'] === true ? 0 : 1);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void daemon.stop(`${signal} ${constants.signals[signal]}`));
  // The process that started the service may be gone, and with it the other end of these pipes.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.stdout.write(`${JSON.stringify({ endpoint: daemon.endpoint, tokenFile: daemon.tokenFile })}\n`);
  await daemon.stopped;
}

/** Starts the runner of the first execution; undefined if that fails: `serve` will meet and report the same problem. */
function startRunner(launcher: RunnerLauncher, logs: string): StartedRunner | undefined {
  try {
    return startIdleRunner(launcher, logs);
  } catch {
    return undefined;
  }
}

// Keep the young generation small: a service lives long and does little (with 10,000 executions 78 MB, not 107).
setFlagsFromString('--semi-space-growth-factor=1');
if (isMainThread) {
  main().then(
    // Do not wait for work in progress: every file is replaced as a whole.
    () => process.exit(0),
    (error: unknown) => {
      // An error that the user can fix is logged as one sentence, without a stack trace.
      if (error instanceof ServiceError) log(error.message);
      else log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      process.exit(1);
    },
  );
} else {
  void import('./worker').then(({ serveAsWorker }) => {
    serveAsWorker();
  });
}
