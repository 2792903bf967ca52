import * as z from 'zod/mini';
import { readSmallFile } from '../system/small-file';
import type { ServicePaths } from './service-paths';

/** Where a running service can be called. */
export const EndpointSchema = z.object({
  version: z.literal(1),
  /** `http://127.0.0.1:PORT/` */
  endpoint: z.string(),
  tokenFile: z.string(),
  host: z.string(),
  /** The host's boot, as {@link bootId} tells; an endpoint of another boot is stale. */
  boot: z.string(),
  pid: z.number(),
  build: z.string(),
});
export type Endpoint = z.infer<typeof EndpointSchema>;

/** Settings of the service; `config.json` in the data directory. Read at start and, when changed, before each create. */
export const ServiceConfigSchema = z.object({
  /** Executions that run at the same time; half the cores, at least 1, when absent. */
  maxConcurrent: z.optional(z.number().check(z.int(), z.minimum(1))),
  /** Keep one kernel started ahead after a run; true when absent. */
  spare: z.optional(z.boolean()),
  /** Keep the machine awake while something runs; true when absent. */
  keepAwake: z.optional(z.boolean()),
  /** Executions that ended so many days ago are deleted; 30 when absent, 0: none for its age. */
  retentionDays: z.optional(z.number().check(z.minimum(0))),
  /** From so many bytes on the executions that ended first are deleted; 5 GiB when absent, 0: none for its size. */
  retentionBytes: z.optional(z.number().check(z.minimum(0))),
  /** Patterns of parameters' names, see execution/secret-names.ts, whose values the notebook's metadata do not show. */
  secretParameters: z.optional(z.array(z.string())),
});
export type ServiceConfig = z.infer<typeof ServiceConfigSchema>;

/** What was deleted together, or would be: how many executions, how large, and when the oldest of them ended. */
export const CleanUpSchema = z.object({
  count: z.number(),
  bytes: z.number(),
  oldest: z.optional(z.string()),
});
export type CleanUp = z.infer<typeof CleanUpSchema>;

/** The last time that executions were deleted for their age or for their size. */
export const RetentionNoticeSchema = z.object({
  /** When it happened; tells one notice from another. */
  time: z.string(),
  count: z.number(),
  bytes: z.number(),
});
export type RetentionNotice = z.infer<typeof RetentionNoticeSchema>;

/** `metadata` of the location `projects/local/locations/local`: the service about itself. */
export const ServiceInfoSchema = z.object({
  /** `{version}-{hash}` of the bundles it runs from. */
  build: z.string(),
  pid: z.number(),
  host: z.string(),
  startTime: z.string(),
  running: z.number(),
  queued: z.number(),
  maxConcurrent: z.number(),
  /** True when a kernel that was started ahead is ready. */
  spare: z.boolean(),
  /** Ids of executions that are not listed because their record was corrupt when the service started. */
  setAside: z.array(z.string()),
  /** How many executions there are, and the bytes of their folders as last measured; absent before the first time. */
  executions: z._default(z.number(), 0),
  diskBytes: z.optional(z.number()),
  retention: z.optional(RetentionNoticeSchema),
});
export type ServiceInfo = z.infer<typeof ServiceInfoSchema>;

/** The location as the service answers it. */
export const LocationSchema = z.object({ metadata: ServiceInfoSchema });

/** The endpoint as its file tells; undefined when there is none or it is of no use. */
export async function readEndpoint(paths: ServicePaths): Promise<Endpoint | undefined> {
  try {
    return EndpointSchema.parse(JSON.parse(await readSmallFile(paths.endpoint)));
  } catch {
    return undefined;
  }
}
