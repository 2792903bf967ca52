import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runnerScript, serve } from './daemon';
import { DEVELOPMENT_BUILD } from './endpoint';
import { ServiceConfigSchema } from './schemas';
import { AlreadyRunningError, stopRunning } from './takeover';
import { serveAsWorker } from './worker';

const USAGE = `usage: service.js serve --data-dir DIR [options]
       service.js stop --data-dir DIR

serve  runs the service in the foreground and prints one line of JSON: {"endpoint", "tokenFile"}
stop   ends the service of this data directory; running executions go on

  --max-concurrent N   executions at the same time (default: half the cores)
  --no-spare           keep no kernel started ahead
  --idle-seconds N     leave after so long without executions and requests (default: never)
  --runner FILE        the runner's bundle (default: beside the service's)
  --cancel-ms N        time for a runner to cancel before it is ended by force (default: 60000)
  --build NAME         name of this build, told to clients
  --replace            take the place of a running service of another build`;

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
    },
  });
  const [command, ...more] = positionals;
  const dataDirectory = values['data-dir'];
  if (dataDirectory === undefined || more.length > 0) throw new Error(USAGE);
  if (command === 'stop') {
    await stopRunning(dataDirectory);
    return;
  }
  if (command !== 'serve') throw new Error(USAGE);
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
    runnerScript: values.runner ?? runnerScript(),
    cancelMs: Number(values['cancel-ms'] ?? 60_000),
    log,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void daemon.stop(`${signal} ${constants.signals[signal]}`));
  }
  // Whoever started it may be gone, and with it the other end of these.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.stdout.write(`${JSON.stringify({ endpoint: daemon.endpoint, tokenFile: daemon.tokenFile })}\n`);
  await daemon.stopped;
}

// A service lives long and works little: young objects get no room to pile up in (with 10,000 executions 78 MB, not 107).
setFlagsFromString('--semi-space-growth-factor=1');
if (!serveAsWorker()) {
  main().then(
    // Without waiting for what is still under way: every file is replaced as a whole.
    () => process.exit(0),
    (error: unknown) => {
      log(
        error instanceof AlreadyRunningError || !(error instanceof Error)
          ? String(error)
          : (error.stack ?? ''),
      );
      process.exit(1);
    },
  );
}
