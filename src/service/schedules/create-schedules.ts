import type { OtherHosts } from '../executions/other-hosts';
import { ScheduleEntries } from './schedule-entries';
import { ScheduleManager, type ScheduleManagerOptions } from './schedule-manager';
import { ScheduleStore } from './schedule-store';
import { ScheduledRuns } from './scheduled-runs';
import { Scheduler, systemClock, type SchedulerClock } from './scheduler';

/** Dependencies of {@link createSchedules}. */
export interface SchedulesOptions extends Pick<ScheduleManagerOptions, 'executions' | 'hostIdentity'> {
  /** Folder of the schedules. */
  readonly directory: string;
  readonly hosts: OtherHosts;
  readonly clock?: SchedulerClock;
  readonly log: (message: string) => void;
}

/** The schedules of a running service. */
export interface Schedules {
  readonly manager: ScheduleManager;
  /** True while a run is due or will be: the service must not stop then. */
  readonly waits: boolean;
  /** Reads the schedules from disk. */
  load(): Promise<void>;
  /** Starts runs that are due, from now on. */
  start(): void;
  /** Looks for runs that can start: call it when an execution has ended. */
  check(): void;
  /** Reads again what other hosts have done. */
  refreshOthers(): Promise<void>;
  /** Starts no more runs. */
  stop(): void;
}

/** Creates the parts of the schedules and connects them. Nothing is read or started yet. */
export function createSchedules(options: SchedulesOptions): Schedules {
  const { directory, hostIdentity, hosts, executions, clock = systemClock, log } = options;
  const store = new ScheduleStore(directory, hostIdentity.host, log);
  const entries = new ScheduleEntries({ store, hosts, hostIdentity, log });
  const runs = new ScheduledRuns(store, executions);
  const scheduler = new Scheduler({ entries, runs, executions, clock, log });
  return {
    manager: new ScheduleManager({ entries, store, scheduler, runs, executions, hostIdentity, clock }),
    get waits() {
      return scheduler.waits;
    },
    load: () => entries.load(),
    start: () => {
      scheduler.start();
    },
    check: () => {
      scheduler.check();
    },
    refreshOthers: async () => {
      await entries.refreshOthers();
      scheduler.check();
    },
    stop: () => {
      scheduler.stop();
    },
  };
}
