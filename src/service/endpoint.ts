import { readFile } from 'node:fs/promises';
import * as crypto from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';
import * as z from 'zod/mini';

/*
 * What the service and its clients agree on beside the API itself. The data directory may lie on a home directory that
 * several hosts share, so everything that belongs to one running service is in a folder named after its host:
 *
 *   config.json                       ServiceConfig, written by clients, read by the service
 *   executions/{executionId}/         the records, see runner/job.ts
 *   versions/{version}-{hash}/        bundles, copied by clients before they start a service
 *   staging/{host}.{pid}.{uuid}.ipynb notebooks that clients hand over with a create, removed by them
 *   hosts/{host}/endpoint.json        Endpoint, 0600, replaced atomically, removed when the service leaves
 *   hosts/{host}/token                the bearer token and nothing else, 0600, a new one each start
 *   hosts/{host}/lock.{n}             who is or was the service, see service/lock.ts
 *   hosts/{host}/service.log          what a detached service has to say
 *   hosts/{host}/retention.json       RetentionNotice
 *   hosts/{host}/run/                 runtime directories of runners, unless the path is too long for a socket
 */

/** Name of a notebook in `staging`, which tells who made it. */
export function stagedName(host = os.hostname(), pid = process.pid): string {
  return `${fileNameOf(host)}.${pid}.${crypto.randomUUID()}.ipynb`;
}

/** Who made a notebook in `staging`; undefined for another name. */
export function stagedBy(name: string): { readonly host: string; readonly pid: number } | undefined {
  const [, host, pid] = /^(.+)\.(\d+)\.[0-9a-f-]{36}\.ipynb$/.exec(name) ?? [];
  return host === undefined ? undefined : { host, pid: Number(pid) };
}

/** A host's name in that of a file: characters that no file name should have are replaced. */
export function fileNameOf(host: string): string {
  return host.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.*$/, '_');
}

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

/** Resource name that every execution of the service is under. */
export const PARENT = 'projects/local/locations/local';

/** The files of one service. */
export interface ServicePaths {
  readonly dataDirectory: string;
  readonly config: string;
  readonly executions: string;
  readonly versions: string;
  readonly host: string;
  readonly endpoint: string;
  readonly token: string;
  readonly log: string;
  readonly retention: string;
}

/** @param hostName as `os.hostname()` gives it. */
export function servicePaths(dataDirectory: string, hostName = os.hostname()): ServicePaths {
  const directory = path.resolve(dataDirectory);
  const host = path.join(directory, 'hosts', fileNameOf(hostName));
  return {
    dataDirectory: directory,
    config: path.join(directory, 'config.json'),
    executions: path.join(directory, 'executions'),
    versions: path.join(directory, 'versions'),
    host,
    endpoint: path.join(host, 'endpoint.json'),
    token: path.join(host, 'token'),
    log: path.join(host, 'service.log'),
    retention: path.join(host, 'retention.json'),
  };
}

/**
 * Where runtime directories of runners are made: in the host's folder, or where that is too long for the path of a
 * socket (104 bytes on macOS, of which a runner's own part takes up to 30), in the system's temporary folder.
 */
export function runtimeRoot(paths: ServicePaths, platform: NodeJS.Platform = process.platform): string {
  const own = path.join(paths.host, 'run');
  if (platform === 'win32' || Buffer.byteLength(own) <= 72) return own;
  const user = typeof process.getuid === 'function' ? String(process.getuid()) : '';
  const hash = crypto.createHash('sha256').update(paths.host).digest('hex').slice(0, 12);
  const base = process.env['XDG_RUNTIME_DIR'] ?? os.tmpdir();
  return path.join(Buffer.byteLength(base) <= 40 ? base : '/tmp', `nbx-${user}-${hash}`);
}

/** Part of the path of the custom method that ends the service; runners go on. */
export const STOP_PATH = `v1/${PARENT}:stop`;

/** Part of the path of the custom method that deletes executions that have ended. */
export const CLEAN_UP_PATH = `v1/${PARENT}:cleanUp`;

/** Build of a service that runs straight from where it was built. */
export const DEVELOPMENT_BUILD = 'development';

/** The endpoint as its file tells; undefined when there is none or it is of no use. */
export async function readEndpoint(paths: ServicePaths): Promise<Endpoint | undefined> {
  try {
    return EndpointSchema.parse(JSON.parse(await readFile(paths.endpoint, 'utf8')));
  } catch {
    return undefined;
  }
}
