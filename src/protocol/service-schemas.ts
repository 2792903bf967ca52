import * as z from 'zod/mini';
import { ServiceInfoSchema } from '../execution/machine';
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
