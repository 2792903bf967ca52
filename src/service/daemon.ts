import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import { routes } from './api/routes';
import { ApiServer } from './api/server';
import { ConfigReader } from './config';
import { ConfirmedTime } from './executions/trusted-clock';
import { runtimeRoots, servicePaths } from '../protocol/service-paths';
import type { Endpoint, ServiceConfig } from '../protocol/service-schemas';
import { DiskUse } from './executions/disk-use';
import { ExecutionManager } from './execution-manager';
import { replaceFile } from '../system/files';
import { FolderStore } from './executions/folder-store';
import { removeAbandonedRuntimes, removeFormer, removeUnfinished } from './stale-files';
import { OtherHosts, SIGN_OF_LIFE_MS } from './executions/other-hosts';
import { KeepAwake } from './keep-awake';
import { bootId } from '../system/processes';
import { Retention } from './executions/retention';
import type { RunnerLauncher, StartedRunner } from './runners/runner-process';
import { SpareKeeper } from './runners/spare-keeper';
import { Supervisor } from './attempts/supervisor';
import { takeLock, type TakeoverOptions } from './takeover';

/** Options of {@link serve}. */
export interface ServeOptions extends TakeoverOptions {
  /** A data directory of this product, see data-directory.ts. */
  readonly dataDirectory: string;
  /** Overrides config.json. */
  readonly config: ServiceConfig;
  /** Stop after so many seconds without executions and requests; never if undefined. */
  readonly idleSeconds: number | undefined;
  readonly launcher: RunnerLauncher;
  /** A waiting runner that was started before the service, see main.ts. */
  readonly startedRunner: StartedRunner | undefined;
  /** Time for a runner to cancel, milliseconds. It needs some seconds if the kernel does not react. */
  readonly cancelMs: number;
}

/** How often the lock, other hosts and the idle time are checked, milliseconds. */
const CHECK_MS = 5000;

/** The first retention sweep comes soon after the start, when no client waits for it; then every hour. Milliseconds. */
const FIRST_SWEEP_MS = 5_000;
const SWEEP_MS = 60 * 60 * 1000;

/** The running service. */
export interface Daemon {
  readonly endpoint: string;
  readonly tokenFile: string;
  /** Stops the service; runners keep running. */
  stop(reason: string): Promise<void>;
  /** Resolves when the service has stopped, for any reason. */
  readonly stopped: Promise<void>;
}

/**
 * Starts the service: takes the lock, reads the records, adopts running executions, and listens.
 * @throws AlreadyRunningError
 */
export async function serve(options: ServeOptions): Promise<Daemon> {
  const { launcher, log } = options;
  const startTime = new Date().toISOString();
  const paths = servicePaths(options.dataDirectory);
  const lock = await takeLock(paths, options);
  await removeFormer(paths);
  const boot = await bootId();
  const config = await ConfigReader.open(paths.config, options.config, log);
  const spares: SpareKeeper = new SpareKeeper(
    launcher,
    paths.host,
    () => config.current.spare,
    () => manager.queued,
  );
  spares.standBy(options.startedRunner);
  const store = new FolderStore(paths.executions, os.hostname(), log);
  const supervisor = new Supervisor({ store, launcher, spares, boot, cancelMs: options.cancelMs, log });
  const others = new OtherHosts(paths.dataDirectory, os.hostname(), boot);
  const keepAwake = new KeepAwake(() => config.current.keepAwake, log);
  const manager = new ExecutionManager({
    store,
    supervisor,
    others,
    place: { host: os.hostname(), boot },
    maxConcurrent: () => config.current.maxConcurrent,
    secretParameters: () => config.current.secretParameters,
    onDidChangeRunning: () => {
      keepAwake.update(manager.running > 0);
    },
    log,
  });
  const disk = new DiskUse(store);
  const retention = new Retention({
    executions: manager.executions,
    remove: ({ record }) => manager.delete(record.id),
    disk,
    time: new ConfirmedTime(paths.clock, () => Date.now(), log),
    limits: () => config.current,
    noticeFile: paths.retention,
    log,
  });
  await retention.open();
  await manager.start();

  // Monotonic: changes of the system clock do not affect it.
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
      executions: manager.executions.size,
      diskBytes: disk.look(manager.executions),
      retention: retention.notice,
    }),
    cleanUp: (before, dryRun) => retention.cleanUp(before, dryRun),
    stop: () => {
      // Let the answer be sent first.
      setImmediate(() => void stop('asked to'));
    },
    reloadConfig: async () => {
      await config.reload();
      if (!config.current.spare) spares.drop();
      keepAwake.update(manager.running > 0);
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
  await replaceFile(paths.token, token, 'new');
  const endpoint: Endpoint = {
    version: 1,
    endpoint: url,
    tokenFile: paths.token,
    host: os.hostname(),
    boot,
    pid: process.pid,
    build: options.build,
  };
  await replaceFile(paths.endpoint, JSON.stringify(endpoint), 'new');
  log(`build ${options.build} listens on ${url}`);
  // In all possible roots: the choice of the root may have changed since the last start.
  const roots = runtimeRoots(paths);
  const removeRuntimes = (): Promise<void> =>
    removeAbandonedRuntimes(
      roots,
      (runtime) => spares.runtimes.has(runtime) || manager.runtimes.has(runtime),
    );
  void Promise.all([removeUnfinished(paths), removeRuntimes()]).catch((error: unknown) => {
    log(`stale files: ${String(error)}`);
  });

  let ended: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (ended = resolve));
  let stopping: Promise<void> | undefined;
  const shutDown = async (reason: string): Promise<void> => {
    log(`leaves: ${reason}`);
    clearInterval(timer);
    clearTimeout(sweeping);
    keepAwake.update(false);
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
    if (!(await lock.isHeld())) {
      await stop('its data directory was removed or taken');
      return;
    }
    await removeRuntimes();
    if (idleSeconds !== undefined && !manager.busy && performance.now() - lastRequest > idleSeconds * 1000)
      await stop('idle');
  };
  const timer = setInterval(
    () =>
      void check().catch((error: unknown) => {
        log(String(error));
      }),
    Math.min(CHECK_MS, (options.idleSeconds ?? CHECK_MS) * 500),
  );
  timer.unref();
  const sweep = async (): Promise<void> => {
    await config.reload();
    await retention.sweep().catch((error: unknown) => {
      log(`retention: ${String(error)}`);
    });
    sweeping = setTimeout(() => void sweep(), SWEEP_MS).unref();
  };
  let sweeping = setTimeout(() => void sweep(), FIRST_SWEEP_MS).unref();
  return { endpoint: url, tokenFile: paths.token, stop, stopped };
}
