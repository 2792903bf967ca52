import * as crypto from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';

/*
 * What the service and its clients agree on besides the API; service-schemas.ts describes the content of these files.
 * The data directory may be in a home directory that several hosts share, so everything that belongs to one running
 * service is in a folder named after its host:
 *
 *   notebook-executions.txt           the mark of a data directory, see data-directory.ts
 *   config.json                       ServiceConfig, written by clients, read by the service
 *   executions/{executionId}/         the records, see execution-folder.ts
 *   schedules/{scheduleId}/           the schedules, see service/schedules/schedule-store.ts
 *   versions/{version}-{hash}/        bundles, copied by clients before they start a service
 *   staging/{host}.{pid}.{uuid}.ipynb notebooks that clients hand over with a create, removed by them
 *   hosts/{host}/endpoint.json        Endpoint, 0600, replaced atomically, removed when the service stops
 *   hosts/{host}/token                the bearer token and nothing else, 0600, a new one each start
 *   hosts/{host}/lock.{n}             who is or was the service, see service/lock.ts
 *   hosts/{host}/service.log          log of a detached service
 *   hosts/{host}/retention.json       RetentionNotice
 *   hosts/{host}/clock.json           the confirmed time, see service/executions/trusted-clock.ts
 *   hosts/{host}/run/                 runtime directories of runners, unless the path is too long for a socket
 */

/** A name for a notebook in `staging`, which contains the host and process that created it. */
export function stagedName(host = os.hostname(), pid = process.pid): string {
  return `${fileNameOf(host)}.${pid}.${crypto.randomUUID()}.ipynb`;
}

/** Host and process that created a notebook in `staging`; undefined for any other name. */
export function stagedBy(name: string): { readonly host: string; readonly pid: number } | undefined {
  const [, host, pid] = /^(.+)\.(\d+)\.[0-9a-f-]{36}\.ipynb$/.exec(name) ?? [];
  return host === undefined ? undefined : { host, pid: Number(pid) };
}

/** A host's name for use in a file name: unsuitable characters are replaced. */
export function fileNameOf(host: string): string {
  return host.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.*$/, '_');
}

/** Resource name of the parent of every execution of the service. */
export const PARENT = 'projects/local/locations/local';

/** The files of one service. */
export interface ServicePaths {
  readonly dataDirectory: string;
  readonly config: string;
  readonly executions: string;
  readonly schedules: string;
  readonly versions: string;
  readonly host: string;
  readonly endpoint: string;
  readonly token: string;
  readonly log: string;
  readonly retention: string;
  readonly clock: string;
}

/** The paths of a service's files. @param hostName as from `os.hostname()`. */
export function servicePaths(dataDirectory: string, hostName = os.hostname()): ServicePaths {
  const directory = path.resolve(dataDirectory);
  const host = path.join(directory, 'hosts', fileNameOf(hostName));
  return {
    dataDirectory: directory,
    config: path.join(directory, 'config.json'),
    executions: path.join(directory, 'executions'),
    schedules: path.join(directory, 'schedules'),
    versions: path.join(directory, 'versions'),
    host,
    endpoint: path.join(host, 'endpoint.json'),
    token: path.join(host, 'token'),
    log: path.join(host, 'service.log'),
    retention: path.join(host, 'retention.json'),
    clock: path.join(host, 'clock.json'),
  };
}

/** Most bytes of a root. macOS allows 104 for a socket's path; a runner adds up to 30. Node truncates longer ones. */
const MAX_ROOT_BYTES = 72;

/**
 * Possible roots of runners' runtime directories, best first: in the host's folder, or in one of the system's folders
 * for such files. Roots that are too long for a socket's path are omitted; Windows pipes have no path.
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
    // The XDG specification says to ignore relative paths.
    .filter((base) => base?.startsWith('/') === true)
    .map((base = '') => path.join(base, `nbx-${user}-${hash}`));
  return [...new Set([own, ...roots])].filter((root) => Buffer.byteLength(root) <= MAX_ROOT_BYTES);
}

/** Path, without the leading slash, of the custom method that stops the service; runners keep running. */
export const STOP_PATH = `v1/${PARENT}:stop`;

/** Path, without the leading slash, of the custom method that deletes finished executions. */
export const CLEAN_UP_PATH = `v1/${PARENT}:cleanUp`;

/** Build name of a service that runs directly from its build output. */
export const DEVELOPMENT_BUILD = 'development';

/** Most bytes of a request's body. Parameters of several megabytes are data, and belong in a file. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
