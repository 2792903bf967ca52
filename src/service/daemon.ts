import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import { runtimeRoots, servicePaths, type ServicePaths } from '../protocol/service-paths';
import type { ServiceInfo } from '../execution/machine';
import type { Endpoint, ServiceConfig } from '../protocol/service-schemas';
import { deferred } from '../system/deferred';
import { replaceFile } from '../system/files';
import { bootId } from '../system/processes';
import { routes } from './api/routes';
import { scheduleRoutes } from './api/schedule-routes';
import { ApiServer } from './api/server';
import { ConfigReader } from './config';
import { HEARTBEAT_MS } from './executions/other-hosts';
import type { ServiceLock } from './lock';
import { createParts, type PartsOptions, type ServiceParts } from './parts';
import type { StartedRunner } from './runners/runner-process';
import { removeAbandonedRuntimes, removeFormerFiles, removeUnfinished } from './stale-files';
import { takeLock, type TakeoverOptions } from './takeover';
import { Upkeep } from './upkeep';

/** Options of {@link serve}. */
export interface ServeOptions extends TakeoverOptions, PartsOptions {
  /** A data directory of this product, see data-directory.ts. */
  readonly dataDirectory: string;
  /** Overrides config.json. */
  readonly config: ServiceConfig;
  /** Stop after this many seconds without executions and requests; never if undefined. */
  readonly idleSeconds: number | undefined;
  /** An idle runner that was started before the service, see main.ts. */
  readonly startedRunner: StartedRunner | undefined;
}

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
  const { log } = options;
  const paths = servicePaths(options.dataDirectory);
  const lock = await takeLock(paths, options);
  await removeFormerFiles(paths);
  const boot = await bootId();
  const config = await ConfigReader.open(paths.config, options.config, log);
  const parts = createParts(options, paths, boot, config);
  parts.runnerPool.ensureIdleRunner(options.startedRunner);
  await parts.retention.open();
  await parts.schedules.load();
  await parts.manager.start();
  const service = new RunningService(options, paths, boot, lock, config, parts);
  await service.listen();
  return service;
}

class RunningService implements Daemon {
  endpoint = '';
  readonly tokenFile: string;
  readonly stopped: Promise<void>;
  private readonly startTime = new Date().toISOString();
  private readonly token = randomBytes(32).toString('base64url');
  private readonly server: ApiServer;
  private readonly ended = deferred<undefined>();
  private upkeep: Upkeep | undefined;
  private stopping: Promise<void> | undefined;
  // Monotonic: changes of the system clock do not affect these.
  private lastRequest = performance.now();
  private lastHeartbeat = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: ServeOptions,
    private readonly paths: ServicePaths,
    private readonly boot: string,
    private readonly lock: ServiceLock,
    private readonly config: ConfigReader,
    private readonly parts: ServiceParts,
  ) {
    this.tokenFile = paths.token;
    this.stopped = this.ended.promise;
    const handler = routes(parts.manager, {
      info: () => this.info(),
      cleanUp: (before, dryRun) => parts.retention.cleanUp(before, dryRun),
      stop: () => {
        // Let the answer be sent first.
        setImmediate(() => void this.stop('requested by a client'));
      },
      reloadConfig: () => this.reloadConfig(),
      schedules: scheduleRoutes(parts.schedules.manager),
    });
    this.server = new ApiServer(
      this.token,
      (request) => {
        this.lastRequest = performance.now();
        return handler(request);
      },
      options.log,
    );
  }

  /** Listens, writes the address and the token, and starts the regular tasks. */
  async listen(): Promise<void> {
    const { paths, options } = this;
    const { log, idleSeconds } = options;
    this.endpoint = await this.server.listen();
    await replaceFile(paths.token, this.token, 'new');
    const endpoint: Endpoint = {
      version: 1,
      endpoint: this.endpoint,
      tokenFile: paths.token,
      host: os.hostname(),
      boot: this.boot,
      pid: process.pid,
      build: options.build,
    };
    await replaceFile(paths.endpoint, JSON.stringify(endpoint), 'new');
    log(`build ${options.build} listens on ${this.endpoint}`);
    this.parts.schedules.start();
    void Promise.all([removeUnfinished(paths), this.removeRuntimes()]).catch((error: unknown) => {
      log(`cannot remove stale files: ${String(error)}`);
    });
    this.upkeep = new Upkeep({ check: () => this.check(), sweep: () => this.sweep() }, idleSeconds, log);
  }

  async stop(reason: string): Promise<void> {
    this.stopping ??= this.shutDown(reason);
    await this.stopping;
  }

  private async shutDown(reason: string): Promise<void> {
    const { keepAwake, schedules, runnerPool } = this.parts;
    this.options.log(`stopping: ${reason}`);
    this.upkeep?.stop();
    schedules.stop();
    keepAwake.update(false);
    runnerPool.close();
    if (await this.lock.isHeld()) {
      await fs.rm(this.paths.endpoint, { force: true });
      await fs.rm(this.paths.token, { force: true });
    }
    await this.server.close();
    this.ended.resolve(undefined);
  }

  private info(): ServiceInfo {
    const { manager, runnerPool, store, disk, retention } = this.parts;
    return {
      build: this.options.build,
      pid: process.pid,
      host: os.hostname(),
      startTime: this.startTime,
      running: manager.running,
      queued: manager.queued,
      maxConcurrent: this.config.current.maxConcurrent,
      spare: runnerPool.ready,
      setAside: store.setAside,
      executions: manager.executions.size,
      diskBytes: disk.lastTotal(manager.executions),
      retention: retention.notice,
    };
  }

  private async reloadConfig(): Promise<void> {
    const { keepAwake, manager, runnerPool } = this.parts;
    await this.config.reload();
    if (!this.config.current.spare) runnerPool.endSpare();
    keepAwake.update(manager.running > 0);
  }

  private async check(): Promise<void> {
    const { manager, others, schedules } = this.parts;
    const { idleSeconds } = this.options;
    if (performance.now() - this.lastHeartbeat > HEARTBEAT_MS) {
      this.lastHeartbeat = performance.now();
      await others.writeHeartbeat().catch(() => undefined);
    }
    await manager.refreshOthers();
    await schedules.refreshOthers();
    if (!(await this.lock.isHeld())) {
      await this.stop('its data directory was removed, or another service has taken the lock');
      return;
    }
    await this.removeRuntimes();
    const idleMs = performance.now() - this.lastRequest;
    const isNeeded = manager.busy || schedules.waits;
    if (idleSeconds !== undefined && !isNeeded && idleMs > idleSeconds * 1000) await this.stop('idle');
  }

  private async sweep(): Promise<void> {
    await this.config.reload();
    await this.parts.retention.sweep();
  }

  /** Removes abandoned runtime directories from all possible roots: the choice of the root may have changed. */
  private async removeRuntimes(): Promise<void> {
    const { manager, runnerPool } = this.parts;
    const isUsed = (runtime: string): boolean =>
      runnerPool.runtimes.has(runtime) || manager.runtimes.has(runtime);
    await removeAbandonedRuntimes(runtimeRoots(this.paths), isUsed);
  }
}
