import { execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { open, stat, readFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ServiceError } from '../execution/errors';
import { PARENT, servicePaths, type ServicePaths } from '../protocol/service-paths';
import type { ServiceInfo } from '../execution/machine';
import { claimDataDirectory } from '../protocol/data-directory';
import { errorCode, makePrivateDirectory } from '../system/files';
import { bootId, nodeEnvironment } from '../system/processes';
import { readSmallFile } from '../system/small-file';
import { installBundles, type InstalledBundles } from './bundles';
import { ConnectionError, type Connection, type HttpClient } from './http-client';

/** Options for finding and starting a service. */
export interface LocatorOptions {
  readonly dataDirectory: string;
  /** The extension's `dist` folder. */
  readonly bundles: string;
  readonly version: string;
  /** Node that runs the service; `process.execPath` when absent. */
  readonly nodePath?: string | undefined;
  /** The service exits after this many seconds without executions and requests. */
  readonly idleSeconds: number;
  readonly log: (message: string) => void;
}

/** Milliseconds for the service to answer a probe; a healthy one needs only a few. */
const PROBE_MS = 5000;
/** Milliseconds for a service to start, including the time to end a previous one that hangs. */
const START_MS = 20_000;
const LOG_BYTES = 2_000_000;

/** A service that answered. */
interface Located {
  readonly connection: Connection;
  readonly info: ServiceInfo;
}

/** Finds the service of this user, host and data directory, and starts one if none runs. */
export class ServiceLocator {
  private readonly paths: ServicePaths;
  private located: Promise<Connection> | undefined;
  private installed: Promise<InstalledBundles> | undefined;
  /**
   * Whether a service with another build of the same version may be replaced: only until this window has started a
   * service itself. Otherwise two windows with different builds would replace each other's service forever.
   */
  private mayReplace = true;

  constructor(
    private readonly options: LocatorOptions,
    private readonly http: HttpClient,
  ) {
    this.paths = servicePaths(options.dataDirectory);
  }

  /**
   * The connection to a service that answers; starts a service if necessary.
   * @throws ServiceError UNAVAILABLE: `serviceNotResponding`, `serviceNotStarted` (args `log`: the last lines of its
   * log, `error`: the system's error, if there is one); PERMISSION_DENIED `tokenFileExposed` (args `path`);
   * FAILED_PRECONDITION `dataDirectoryForeign`, see protocol/data-directory.ts.
   */
  async connect(): Promise<Connection> {
    this.located ??= this.connectOrStart();
    try {
      return await this.located;
    } catch (error) {
      this.located = undefined;
      throw error;
    }
  }

  /** Forgets a connection that no longer works. */
  forget(): void {
    this.located = undefined;
  }

  /** The running service, or undefined; does not start one. @throws ServiceError like {@link connect}. */
  async find(): Promise<Located | undefined> {
    const { LocationSchema, readEndpoint } = await import('./answer-schemas');
    const endpoint = await readEndpoint(this.paths);
    if (endpoint?.host !== os.hostname() || endpoint.boot !== (await bootId())) return undefined;
    const connection = { endpoint: endpoint.endpoint, token: await readToken(endpoint.tokenFile) };
    if (connection.token === '') return undefined;
    try {
      const answer = await this.http.send(connection, {
        method: 'GET',
        path: `v1/${PARENT}`,
        timeout: PROBE_MS,
      });
      const { metadata } = LocationSchema.parse(answer);
      return { connection, info: metadata };
    } catch (error) {
      if (error instanceof ServiceError && error.reason === 'serviceNotResponding') throw error;
      // No process listens there, or another process uses the port now.
      if (!(error instanceof ConnectionError))
        this.options.log(`unexpected response, not the service: ${String(error)}`);
      return undefined;
    }
  }

  private async connectOrStart(): Promise<Connection> {
    const { build } = await this.install();
    let running = await this.find();
    // If a window with an older version started its service first, that service is replaced, too.
    while (running === undefined || this.shallReplace(running.info.build, build)) {
      this.mayReplace = false;
      running = await this.start(running?.info.build);
    }
    return running.connection;
  }

  private shallReplace(running: string, own: string): boolean {
    const order = compareVersions(own, running);
    return order > 0 || (order === 0 && running !== own && this.mayReplace);
  }

  /** Replaces the running service, even if it hangs, by a new one; executions keep running. */
  async restart(): Promise<void> {
    this.located = this.stop()
      .then(() => this.start(undefined))
      .then(({ connection }) => connection);
    await this.connect();
  }

  /** Asks the running service to exit, and kills it if it does not react. Executions keep running. */
  async stop(): Promise<void> {
    this.forget();
    const { bundles, dataDirectory, nodePath } = this.options;
    const args = [path.join(bundles, 'service.js'), 'stop', '--data-dir', dataDirectory];
    await promisify(execFile)(nodePath ?? process.execPath, args, {
      env: nodeEnvironment(),
      windowsHide: true,
    });
  }

  private async install(): Promise<InstalledBundles> {
    const { bundles, version } = this.options;
    this.installed ??= claimDataDirectory(this.paths)
      .then(() => installBundles(bundles, version, this.paths.versions))
      .catch((error: unknown) => {
        this.installed = undefined;
        if (error instanceof ServiceError) throw error;
        throw notStarted(`cannot copy the bundles: ${String(error)}`, '', error);
      });
    return this.installed;
  }

  /** @param replaced build of the service that is replaced. */
  private async start(replaced: string | undefined): Promise<Located> {
    const { build, service } = await this.install();
    const { dataDirectory, nodePath, idleSeconds } = this.options;
    await makePrivateDirectory(this.paths.host);
    const log = await openLog(this.paths.log);
    const logStart = (await log.stat()).size;
    const args = [
      'serve',
      '--data-dir',
      dataDirectory,
      '--build',
      build,
      '--idle-seconds',
      String(idleSeconds),
    ];
    const child = spawn(
      nodePath ?? process.execPath,
      [service, ...args, ...(replaced === undefined ? [] : ['--replace'])],
      {
        detached: true,
        stdio: ['ignore', 'ignore', log.fd],
        cwd: this.paths.host,
        env: nodeEnvironment(),
        windowsHide: true,
      },
    );
    child.unref();
    let ended: string | undefined;
    let cause: Error | undefined;
    child.once('error', (error) => {
      cause = error;
      ended = error.message;
    });
    child.once('exit', (code, signal) => (ended ??= signal ?? `exit code ${code ?? 'unknown'}`));
    try {
      const deadline = performance.now() + START_MS;
      let graceAfterEnd = 40;
      for (;;) {
        const endpoint = await (await import('./answer-schemas')).readEndpoint(this.paths);
        // The service that is being replaced may still answer for a moment.
        if (endpoint !== undefined && (replaced === undefined || endpoint.build !== replaced)) {
          const located = await this.find();
          if (located !== undefined) return located;
        }
        // If another window started its service first, ours exits while the other one may still be starting.
        if (ended !== undefined && graceAfterEnd-- <= 0) break;
        if (performance.now() > deadline) break;
        await delay(20);
      }
    } finally {
      await log.close();
    }
    throw notStarted(ended ?? `not up within ${START_MS} ms`, await tail(this.paths.log, logStart), cause);
  }
}

function notStarted(why: string, log: string, cause?: unknown): ServiceError {
  return new ServiceError(
    'UNAVAILABLE',
    'serviceNotStarted',
    `the service did not start: ${why}`,
    { log, ...(cause instanceof Error && { error: cause.message }) },
    { cause },
  );
}

/** Opens for appending; a log that has grown too large is first renamed to `{file}.1`. */
async function openLog(file: string): Promise<fs.promises.FileHandle> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES) await fs.promises.rename(file, `${file}.1`);
  return open(file, 'a', 0o600);
}

async function tail(file: string, from: number): Promise<string> {
  const text = (await readFile(file).catch(() => Buffer.alloc(0))).subarray(from).toString('utf8');
  return text.slice(-2000).trim();
}

/**
 * Reads the token of the service.
 * @returns an empty string if there is no token.
 * @throws ServiceError `tokenFileExposed` if other users can read the file.
 */
export async function readToken(file: string, platform: NodeJS.Platform = process.platform): Promise<string> {
  try {
    const { mode, uid } = await stat(file);
    const foreign = process.getuid !== undefined && uid !== process.getuid();
    // Node simulates file modes on Windows; there, the permissions of the user's profile protect the folder.
    if (platform !== 'win32' && ((mode & 0o077) !== 0 || foreign)) {
      throw new ServiceError('PERMISSION_DENIED', 'tokenFileExposed', `others can read ${file}`, {
        path: file,
      });
    }
    return await readSmallFile(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Compares the versions of two builds number by number; a development build is older than any other. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((build) =>
    (/^\d+(?:\.\d+)*/.exec(build)?.[0] ?? '0').split('.').map(Number),
  );
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
