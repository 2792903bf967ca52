import type { Execution } from './execution';

/** What the service of this machine reports about itself: the part of its ServiceInfo that the user is shown. */
export interface MachineInfo {
  /** `{version}-{hash}` of the bundles it runs from. */
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
  /** The last time that executions were deleted because of their age or size. */
  readonly retention?: { readonly time: string; readonly count: number; readonly bytes: number } | undefined;
}

/** Executions that were deleted by one clean-up, or would be. */
export interface CleanedUp {
  readonly count: number;
  readonly bytes: number;
  /** End time of the oldest one (RFC 3339). */
  readonly oldest?: string | undefined;
}

/** Management of this machine's service: everything the user can do beside its executions. Errors are ServiceErrors. */
export interface MachineService {
  readonly id: string;
  /** Undefined if no service runs; does not start one. */
  info(): Promise<MachineInfo | undefined>;
  /** Replaces the service, even if it hangs. Executions keep running. */
  restart(): Promise<void>;
  /**
   * Names of the Jupyter kernels that can run an execution on this machine.
   * @param interpreter absolute path of the chosen Python
   * @param environment its complete environment
   */
  kernels(
    interpreter: string | undefined,
    environment: Readonly<Record<string, string>>,
  ): Promise<readonly string[]>;
  /** Deletes unpinned executions that ended before a time (RFC 3339). A dry run only reports what would be deleted. */
  cleanUp(endedBefore: string, dryRun: boolean): Promise<CleanedUp>;
  /** Deletes the executions whose record cannot be read; no list contains them. Returns their number. */
  deleteSetAside(): Promise<number>;
}

/** True for an execution that {@link MachineService.cleanUp} deletes. */
export function isCleanedUp({ runStatus, updateTime }: Execution, endedBefore: string): boolean {
  const end = Date.parse(runStatus?.endTime ?? updateTime ?? '');
  return runStatus?.pinned !== true && end <= Date.parse(endedBefore);
}
