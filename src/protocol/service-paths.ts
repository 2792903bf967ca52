import * as crypto from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';

/*
 * What the service and its clients agree on beside the API itself; what is in these files is described in service-schemas.ts. The data directory may lie on a home directory that
 * several hosts share, so everything that belongs to one running service is in a folder named after its host:
 *
 *   notebook-executions.txt           the mark of a data directory, see service/data-directory.ts
 *   config.json                       ServiceConfig, written by clients, read by the service
 *   executions/{executionId}/         the records, see runner-job.ts
 *   versions/{version}-{hash}/        bundles, copied by clients before they start a service
 *   staging/{host}.{pid}.{uuid}.ipynb notebooks that clients hand over with a create, removed by them
 *   hosts/{host}/endpoint.json        Endpoint, 0600, replaced atomically, removed when the service leaves
 *   hosts/{host}/token                the bearer token and nothing else, 0600, a new one each start
 *   hosts/{host}/lock.{n}             who is or was the service, see service/lock.ts
 *   hosts/{host}/service.log          what a detached service has to say
 *   hosts/{host}/retention.json       RetentionNotice
 *   hosts/{host}/clock.json           what is known of the clock, see service/executions/trusted-clock.ts
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
  readonly clock: string;
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
    clock: path.join(host, 'clock.json'),
  };
}

/** The path of a socket has at most 104 bytes on macOS, of which a runner's own part takes up to 30. Node cuts longer ones. */
const MAX_ROOT_BYTES = 72;

/**
 * Where runtime directories of runners may be made, best first: in the host's folder, or in one of the system's folders for
 * such files. Those whose path is too long for the path of a socket are left out; pipes of Windows have no path.
 */
export function runtimeRoots(
  paths: ServicePaths,
  platform: NodeJS.Platform = process.platform,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): string[] {
  const own = path.join(paths.host, 'run');
  if (platform === 'win32') return [own];
  const user = typeof process.getuid === 'function' ? String(process.getuid()) : '';
  const hash = crypto.createHash('sha256').update(paths.host).digest('hex').slice(0, 12);
  const roots = [env['XDG_RUNTIME_DIR'], env['TMPDIR'], '/tmp', '/var/tmp']
    // The XDG specification: a relative path is to be ignored.
    .filter((base) => base?.startsWith('/') === true)
    .map((base = '') => path.join(base, `nbx-${user}-${hash}`));
  return [...new Set([own, ...roots])].filter((root) => Buffer.byteLength(root) <= MAX_ROOT_BYTES);
}

/** Part of the path of the custom method that ends the service; runners go on. */
export const STOP_PATH = `v1/${PARENT}:stop`;

/** Part of the path of the custom method that deletes executions that have ended. */
export const CLEAN_UP_PATH = `v1/${PARENT}:cleanUp`;

/** Build of a service that runs straight from where it was built. */
export const DEVELOPMENT_BUILD = 'development';

/** Bytes of a request's body: parameters of some megabytes are data, and belong in a file that the notebook reads. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
