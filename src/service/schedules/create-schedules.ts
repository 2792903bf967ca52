import type { OtherHosts } from '../executions/other-hosts';
import { ScheduleEntries } from './schedule-entries';
import { ScheduleManager, type ScheduleManagerOptions } from './schedule-manager';
import { ScheduleStore } from './schedule-store';
import { ScheduledRuns } from './scheduled-runs';
import { Scheduler, systemClock, type SchedulerClock } from './scheduler';

/** Dependencies of {@link createSchedules}. */
export interface SchedulesOptions extends Pick<ScheduleManagerOptions, 'executions' | 'place'> {
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
  look(): void;
  /** Reads again what other hosts have done. */
  refreshOthers(): Promise<void>;
  /** Starts no more runs. */
  stop(): void;
}

/** Creates the parts of the schedules and connects them. Nothing is read or started yet. */
export function createSchedules(options: SchedulesOptions): Schedules {
  const { directory, place, hosts, executions, clock = systemClock, log } = options;
  const store = new ScheduleStore(directory, place.host, log);
  const entries = new ScheduleEntries({ store, hosts, place, log });
  const runs = new ScheduledRuns(store, executions);
  const scheduler = new Scheduler({ entries, runs, executions, clock, log });
  return {
    manager: new ScheduleManager({ entries, store, scheduler, runs, executions, place, clock }),
    get waits() {
      return scheduler.waits;
    },
    load: () => entries.load(),
    start: () => {
      scheduler.start();
    },
    look: () => {
      scheduler.look();
    },
    refreshOthers: async () => {
      await entries.refreshOthers();
      scheduler.look();
    },
    stop: () => {
      scheduler.stop();
    },
  };
}
