import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { routes } from './api/routes';
import { ApiServer } from './api/server';
import { ConfigReader } from './config';
import {
  readEndpoint,
  runtimeRoot,
  servicePaths,
  STOP_PATH,
  type Endpoint,
  type ServiceConfig,
  type ServicePaths,
} from './endpoint';
import { ExecutionManager } from './execution-manager';
import { makePrivateDirectory, replaceFile } from './files';
import { FolderStore } from './folder-store';
import { removeLeftovers, runtimesIn } from './leftovers';
import { ServiceLock } from './lock';
import { OtherHosts, SIGN_OF_LIFE_MS } from './other-hosts';
import { bootId, isAlive, type ProcessIdentity } from './processes';
import { SpareKeeper } from './spare-keeper';
import { Supervisor } from './supervisor';

/** What `serve` was called with. */
export interface ServeOptions {
  readonly dataDirectory: string;
  /** Overrides config.json. */
  readonly config: ServiceConfig;
  /** `{version}-{hash}`, see endpoint.ts. */
  readonly build: string;
  /** Take the place of a running service of another build. */
  readonly replace: boolean;
  /** Leave after so many seconds without executions and requests; never when absent. */
  readonly idleSeconds: number | undefined;
  readonly runnerScript: string;
  /** A runner gets so many milliseconds to cancel; it needs some seconds where the kernel does not react. */
  readonly cancelMs: number;
  readonly log: (message: string) => void;
}

/** Another service has the data directory. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/** How long a service that is asked to leave may take, milliseconds. */
const STOP_MS = 5000;
/** How often it is looked whether the service is still wanted, milliseconds. */
const CHECK_MS = 5000;

/** The running service. */
export interface Daemon {
  readonly endpoint: string;
  readonly tokenFile: string;
  /** Ends it; runners go on. */
  stop(reason: string): Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly stopped: Promise<void>;
}

/**
 * Takes the lock, reads the records, takes over what runs and listens.
 * @throws AlreadyRunningError
 */
export async function serve(options: ServeOptions): Promise<Daemon> {
  const { log } = options;
  const startTime = new Date().toISOString();
  const paths = servicePaths(options.dataDirectory);
  await makePrivateDirectory(paths.dataDirectory);
  await makePrivateDirectory(paths.host);
  const lock = await takeLock(paths, options);
  const boot = await bootId();
  const config = await ConfigReader.open(paths.config, options.config, log);
  const launcher = { script: options.runnerScript, runtimeRoot: runtimeRoot(paths) };
  const spares = new SpareKeeper(launcher, paths.host, () => config.current.spare);
  const store = new FolderStore(paths.executions, os.hostname(), log);
  const supervisor = new Supervisor({ store, launcher, spares, boot, cancelMs: options.cancelMs, log });
  const others = new OtherHosts(paths.dataDirectory, os.hostname(), boot);
  const manager = new ExecutionManager({
    store,
    supervisor,
    others,
    place: { host: os.hostname(), boot },
    maxConcurrent: () => config.current.maxConcurrent,
    log,
  });
  // What is there before this service starts anything; later ones are its own.
  const former = await runtimesIn(launcher.runtimeRoot);
  spares.standBy();
  await manager.start();

  // By a clock that nobody sets.
  let lastRequest = performance.now();
  let lastSign = Number.NEGATIVE_INFINITY;
  let stop: (reason: string) => Promise<void> = () => Promise.resolve();
  const handler = routes(manager, {
    info: () => ({
      build: options.build,
      pid: process.pid,
      host: os.hostname(),
      startTime,
      running: manager.running,
      queued: manager.queued,
      maxConcurrent: config.current.maxConcurrent,
      spare: spares.ready,
      setAside: store.setAside,
    }),
    stop: () => {
      // After the answer is on its way.
      setImmediate(() => void stop('asked to'));
    },
    reloadConfig: async () => {
      await config.reload();
      if (!config.current.spare) spares.drop();
    },
  });
  const token = randomBytes(32).toString('base64url');
  const server = new ApiServer(
    token,
    (request) => {
      lastRequest = performance.now();
      return handler(request);
    },
    log,
  );
  const url = await server.listen();
  await replaceFile(paths.token, token);
  const endpoint: Endpoint = {
    version: 1,
    endpoint: url,
    tokenFile: paths.token,
    host: os.hostname(),
    boot,
    pid: process.pid,
    build: options.build,
  };
  await replaceFile(paths.endpoint, JSON.stringify(endpoint));
  log(`build ${options.build} listens on ${url}`);
  const used = manager.runtimes;
  const abandoned = former.filter((runtime) => !used.has(runtime));
  void removeLeftovers(paths, abandoned).catch((error: unknown) => {
    log(`leftovers: ${String(error)}`);
  });

  let ended: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (ended = resolve));
  let stopping: Promise<void> | undefined;
  const shutDown = async (reason: string): Promise<void> => {
    log(`leaves: ${reason}`);
    clearInterval(timer);
    spares.close();
    if (await lock.isHeld()) {
      await fs.rm(paths.endpoint, { force: true });
      await fs.rm(paths.token, { force: true });
    }
    await server.close();
    ended();
  };
  stop = (reason) => (stopping ??= shutDown(reason));
  const check = async (): Promise<void> => {
    const { idleSeconds } = options;
    if (performance.now() - lastSign > SIGN_OF_LIFE_MS) {
      lastSign = performance.now();
      await others.signOfLife().catch(() => undefined);
    }
    await manager.refreshOthers();
    if (!(await lock.isHeld())) await stop('its data directory was removed or taken');
    else if (
      idleSeconds !== undefined &&
      !manager.busy &&
      performance.now() - lastRequest > idleSeconds * 1000
    ) {
      await stop('idle');
    }
  };
  const timer = setInterval(
    () =>
      void check().catch((error: unknown) => {
        log(String(error));
      }),
    Math.min(CHECK_MS, (options.idleSeconds ?? CHECK_MS) * 500),
  );
  timer.unref();
  return { endpoint: url, tokenFile: paths.token, stop, stopped };
}

async function takeLock(paths: ServicePaths, { build, replace, log }: ServeOptions): Promise<ServiceLock> {
  for (;;) {
    const lock = await ServiceLock.acquire(paths.host);
    if (lock instanceof ServiceLock) return lock;
    const running = await readEndpoint(paths);
    if (!replace || running?.build === build) {
      throw new AlreadyRunningError(`process ${lock.holder.pid} serves ${paths.dataDirectory} already`);
    }
    log(`takes over from ${running?.build ?? 'a service that is coming up'}`);
    await endService(paths, lock.holder);
  }
}

/** Ends the service that holds the lock: it is asked, and when it does not react, ended. Runners go on. */
async function endService(paths: ServicePaths, holder: ProcessIdentity): Promise<void> {
  const endpoint = await readEndpoint(paths);
  const deadline = performance.now() + STOP_MS;
  if (endpoint?.pid === holder.pid) await askToStop(endpoint, paths.token).catch(() => undefined);
  while (await isAlive(holder)) {
    if (performance.now() > deadline) {
      if (await isAlive(holder)) process.kill(holder.pid, 'SIGKILL');
      await delay(50);
    }
    await delay(10);
  }
}

/** The `stop` command. @returns false when nothing runs. */
export async function stopRunning(dataDirectory: string): Promise<boolean> {
  const paths = servicePaths(dataDirectory);
  const holder = await ServiceLock.holder(paths.host);
  if (holder === undefined) return false;
  await endService(paths, holder);
  return true;
}

async function askToStop(endpoint: Endpoint, tokenFile: string): Promise<void> {
  const token = await fs.readFile(tokenFile, 'utf8');
  await new Promise<void>((resolve, reject) => {
    const request = http.request(
      new URL(STOP_PATH, endpoint.endpoint),
      { method: 'POST', headers: { authorization: `Bearer ${token}` }, timeout: STOP_MS, agent: false },
      (response) => {
        response.resume();
        response.once('end', resolve);
        response.once('error', reject);
      },
    );
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', reject);
    request.end();
  });
}

/** dist/runner.js beside this bundle. */
export function runnerScript(): string {
  return path.join(__dirname, 'runner.js');
}
