import * as os from 'node:os';
import type { ServicePaths } from '../protocol/service-paths';
import { Supervisor } from './attempts/supervisor';
import type { ConfigReader } from './config';
import { ExecutionManager } from './execution-manager';
import { DiskUse } from './executions/disk-use';
import { FolderStore } from './executions/folder-store';
import { OtherHosts } from './executions/other-hosts';
import { present } from './executions/record';
import { Retention } from './executions/retention';
import { TrustedClock } from './executions/trusted-clock';
import { KeepAwake } from './keep-awake';
import type { RunnerLauncher } from './runners/runner-process';
import { RunnerPool } from './runners/runner-pool';
import { createSchedules, type Schedules } from './schedules/create-schedules';

/** Options of {@link createParts}. */
export interface PartsOptions {
  readonly launcher: RunnerLauncher;
  /** Time for a runner to cancel, milliseconds. It needs some seconds if the kernel does not react. */
  readonly cancelMs: number;
  readonly log: (message: string) => void;
}

/** What a service consists of, besides its HTTP server. */
export interface ServiceParts {
  readonly store: FolderStore;
  readonly runnerPool: RunnerPool;
  readonly others: OtherHosts;
  readonly keepAwake: KeepAwake;
  readonly manager: ExecutionManager;
  readonly disk: DiskUse;
  readonly retention: Retention;
  readonly schedules: Schedules;
}

/** Creates the parts of a service and connects them. Nothing is read or started yet. @param boot id of this boot. */
export function createParts(
  { launcher, cancelMs, log }: PartsOptions,
  paths: ServicePaths,
  boot: string,
  config: ConfigReader,
): ServiceParts {
  const host = os.hostname();
  const runnerPool: RunnerPool = new RunnerPool(
    launcher,
    paths.host,
    () => config.current.spare,
    () => manager.queued,
  );
  const store = new FolderStore(paths.executions, host, log);
  const others = new OtherHosts(paths.dataDirectory, host, boot);
  const keepAwake = new KeepAwake(() => config.current.keepAwake, log);
  const hostIdentity = { host, boot };
  const manager = new ExecutionManager({
    store,
    supervisor: new Supervisor({ store, launcher, runnerPool, boot, cancelMs, log }),
    others,
    hostIdentity,
    maxConcurrent: () => config.current.maxConcurrent,
    secretParameters: () => config.current.secretParameters,
    onDidChangeRunning: () => {
      keepAwake.update(manager.running > 0);
      schedules.check();
    },
    log,
  });
  const schedules: Schedules = createSchedules({
    directory: paths.schedules,
    hostIdentity,
    hosts: others,
    executions: {
      create: (id, request) => manager.create(id, request),
      check: (request, notebook) => manager.check(request, notebook),
      find: (id) => {
        const entry = manager.executions.get(id);
        return entry === undefined ? undefined : present(entry.record, entry.status);
      },
    },
    log,
  });
  const disk = new DiskUse(store);
  const retention = new Retention({
    executions: manager.executions,
    remove: ({ record }) => manager.delete(record.id),
    disk,
    clock: new TrustedClock(paths.clock, () => Date.now(), log),
    limits: () => config.current,
    noticeFile: paths.retention,
    log,
  });
  return { store, runnerPool, others, keepAwake, manager, disk, retention, schedules };
}
