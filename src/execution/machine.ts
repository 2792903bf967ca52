import type { Execution } from './execution';

/** What the service of this machine says about itself; the part of its ServiceInfo that people are shown. */
export interface MachineInfo {
  /** `{version}-{hash}` of what it runs from. */
  readonly build: string;
  readonly pid: number;
  readonly startTime: string;
  readonly running: number;
  readonly queued: number;
  readonly maxConcurrent: number;
  readonly spare: boolean;
  readonly executions: number;
  readonly diskBytes?: number | undefined;
  readonly setAside: readonly string[];
  /** The last time that executions were deleted for their age or for their size. */
  readonly retention?: { readonly time: string; readonly count: number; readonly bytes: number } | undefined;
}

/** Executions that were deleted together, or would be. */
export interface CleanedUp {
  readonly count: number;
  readonly bytes: number;
  /** When the oldest of them ended. */
  readonly oldest?: string | undefined;
}

/** The service of this machine beside its executions: looked after by the person. Errors are ServiceErrors. */
export interface MachineService {
  readonly id: string;
  /** Undefined where none runs; none is started. */
  info(): Promise<MachineInfo | undefined>;
  /** Replaces the service, also one that hangs. What runs goes on. */
  restart(): Promise<void>;
  /**
   * Names of the Jupyter kernels that an execution here can be run with.
   * @param interpreter absolute path of the Python that is chosen, and its complete environment
   */
  kernels(
    interpreter: string | undefined,
    environment: Readonly<Record<string, string>>,
  ): Promise<readonly string[]>;
  /** Deletes what had ended before a time (RFC 3339) and is not pinned, or only tells what that would be. */
  cleanUp(endedBefore: string, dryRun: boolean): Promise<CleanedUp>;
  /** Deletes the executions whose record cannot be read, which are in no list. Answers how many they were. */
  deleteSetAside(): Promise<number>;
}

/** True for an execution that {@link MachineService.cleanUp} deletes. */
export function isCleanedUp({ runStatus, updateTime }: Execution, endedBefore: string): boolean {
  const end = Date.parse(runStatus?.endTime ?? updateTime ?? '');
  return runStatus?.pinned !== true && end <= Date.parse(endedBefore);
}
