import * as z from 'zod/mini';
import type { Execution } from './execution';

/** What was deleted together, or would be: number of executions, bytes, and when the oldest of them ended. */
export const CleanUpSchema = z.object({
  count: z.number(),
  bytes: z.number(),
  oldest: z.optional(z.string()),
});
export type CleanUp = z.infer<typeof CleanUpSchema>;

/** The last automatic deletion of executions for their age or size. */
export const RetentionNoticeSchema = z.object({
  /** When it happened (RFC 3339); identifies the notice. */
  time: z.string(),
  count: z.number(),
  bytes: z.number(),
});
export type RetentionNotice = z.infer<typeof RetentionNoticeSchema>;

/** What the service of this machine reports about itself: `metadata` of its location `projects/local/locations/local`. */
export const ServiceInfoSchema = z.object({
  /** `{version}-{hash}` of the bundles it runs from. */
  build: z.string(),
  pid: z.number(),
  host: z.string(),
  startTime: z.string(),
  running: z.number(),
  queued: z.number(),
  maxConcurrent: z.number(),
  /** True if a kernel that was started ahead is ready. */
  spare: z.boolean(),
  /** Ids of executions that are not listed because their record could not be read. */
  setAside: z.array(z.string()),
  /** Number of executions, and the bytes of their folders as last measured; bytes are absent before that. */
  executions: z._default(z.number(), 0),
  diskBytes: z.optional(z.number()),
  retention: z.optional(RetentionNoticeSchema),
});
export type ServiceInfo = z.infer<typeof ServiceInfoSchema>;

/** Management of this machine's service: everything the user can do beside its executions. Errors are ServiceErrors. */
export interface MachineService {
  readonly id: string;
  /** Undefined if no service runs; does not start one. */
  info(): Promise<ServiceInfo | undefined>;
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
  cleanUp(endedBefore: string, dryRun: boolean): Promise<CleanUp>;
  /** Deletes the executions whose record cannot be read; no list contains them. Returns their number. */
  deleteSetAside(): Promise<number>;
}

/** True for an execution that {@link MachineService.cleanUp} deletes. */
export function isCleanedUp({ runStatus, updateTime }: Execution, endedBefore: string): boolean {
  const end = Date.parse(runStatus?.endTime ?? updateTime ?? '');
  return runStatus?.pinned !== true && end <= Date.parse(endedBefore);
}
