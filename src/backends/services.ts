import * as path from 'node:path';
import { systemClock } from '../tracking/clock';
import type { WindowFocus } from '../tracking/completion-notifier';
import { MachineMonitor } from '../tracking/machine-monitor';
import { LOCAL_RATES } from '../tracking/poll-rates';
import { TrackingService } from '../tracking/tracking-service';
import { ServiceRegistry, type RegistryOptions } from './service-registry';

/** What the services of a window need. */
export interface ServicesOptions extends Omit<RegistryOptions, 'tracking'> {
  readonly window: WindowFocus;
  /** Identifies the workspace; empty for a window without one. */
  readonly workspace: string;
}

/** The execution services of a window, and what it knows of their executions. */
export interface Services {
  readonly tracking: TrackingService;
  readonly registry: ServiceRegistry;
  readonly monitor: MachineMonitor;
  /** Loads the records of earlier windows, then tracks this machine's service. */
  restore(): Promise<void>;
  /** Carries out deletions that could still be undone, and stops tracking. Executions keep running. */
  close(): Promise<void>;
}

/** Builds the services of a window. Starts no process and sends nothing. */
export function createServices({ window, storageFolder, workspace, ...options }: ServicesOptions): Services {
  const { log } = options;
  const tracking = new TrackingService({
    clock: systemClock,
    window,
    storageFolder,
    workspace,
    processId: process.pid,
    isAlive,
    random: Math.random,
    log,
  });
  const registry = new ServiceRegistry({ ...options, storageFolder, tracking });
  const monitor = new MachineMonitor({
    machine: registry.embedded,
    store: tracking.store,
    clock: systemClock,
    folder: path.join(storageFolder, 'retention'),
    log,
  });
  return {
    tracking,
    registry,
    monitor,
    restore: async () => {
      await tracking.restore();
      tracking.addService(registry.embedded, LOCAL_RATES);
    },
    close: async () => {
      await tracking.close();
      registry.dispose();
    },
  };
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: the process runs, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
