import * as z from 'zod/mini';
import { readSmallFile } from '../system/small-file';
import type { ServicePaths } from './service-paths';

/** Address and token file of a running service. */
export const EndpointSchema = z.object({
  version: z.literal(1),
  /** `http://127.0.0.1:PORT/` */
  endpoint: z.string(),
  tokenFile: z.string(),
  host: z.string(),
  /** Boot id of the host, see {@link bootId}; an endpoint of another boot is stale. */
  boot: z.string(),
  pid: z.number(),
  build: z.string(),
});
export type Endpoint = z.infer<typeof EndpointSchema>;

/** Settings of the service: `config.json` in the data directory. Read at start and, if changed, before each create. */
export const ServiceConfigSchema = z.object({
  /** Executions that run at the same time; if absent, half the cores, at least 1. */
  maxConcurrent: z.optional(z.number().check(z.int(), z.minimum(1))),
  /** Keep one kernel started ahead after a run; true if absent. */
  spare: z.optional(z.boolean()),
  /** Keep the machine awake while executions run; true if absent. */
  keepAwake: z.optional(z.boolean()),
  /** Executions are deleted so many days after their end; 30 if absent, 0 for never. */
  retentionDays: z.optional(z.number().check(z.minimum(0))),
  /** Above so many bytes, the executions that ended first are deleted; 5 GiB if absent, 0 for no limit. */
  retentionBytes: z.optional(z.number().check(z.minimum(0))),
  /** Patterns of parameters' names, see execution/secrets/secret-names.ts, whose values the notebook's metadata do not show. */
  secretParameters: z.optional(z.array(z.string())),
});
export type ServiceConfig = z.infer<typeof ServiceConfigSchema>;

/** What was deleted together, or would be: number of executions, bytes, and when the oldest of them ended. */
export const CleanUpSchema = z.object({
  count: z.number(),
  bytes: z.number(),
  oldest: z.optional(z.string()),
});
export type CleanUp = z.infer<typeof CleanUpSchema>;

/** The last automatic deletion of executions for their age or size. */
export const RetentionNoticeSchema = z.object({
  /** When it happened; identifies the notice. */
  time: z.string(),
  count: z.number(),
  bytes: z.number(),
});
export type RetentionNotice = z.infer<typeof RetentionNoticeSchema>;

/** `metadata` of the location `projects/local/locations/local`: information about the service. */
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

/** The location as the service returns it. */
export const LocationSchema = z.object({ metadata: ServiceInfoSchema });

/** Reads the endpoint file; undefined if it is missing or invalid. */
export async function readEndpoint(paths: ServicePaths): Promise<Endpoint | undefined> {
  try {
    return EndpointSchema.parse(JSON.parse(await readSmallFile(paths.endpoint)));
  } catch {
    return undefined;
  }
}
