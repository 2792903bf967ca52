import * as http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { readSmallFile } from '../system/small-file';
import { servicePaths, STOP_PATH, type ServicePaths } from '../protocol/service-paths';
import { readEndpoint, type Endpoint } from '../protocol/service-schemas';
import { ServiceLock } from './lock';
import { isAlive, type ProcessIdentity } from '../system/processes';

/** Another service serves the data directory. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/** Time for a service to stop after it was asked to, milliseconds. */
const STOP_MS = 5000;
/** Which running service a starting one may replace. */
export interface TakeoverOptions {
  /** `{version}-{hash}`, see protocol/service-paths.ts. */
  readonly build: string;
  /** Replace a running service of another build. */
  readonly replace: boolean;
  readonly log: (message: string) => void;
}

/** Takes the lock of a data directory. @throws AlreadyRunningError */
export async function takeLock(
  paths: ServicePaths,
  { build, replace, log }: TakeoverOptions,
): Promise<ServiceLock> {
  for (;;) {
    const lock = await ServiceLock.acquire(paths.host, log);
    if (lock instanceof ServiceLock) return lock;
    const running = await readEndpoint(paths);
    if (!replace || running?.build === build)
      throw new AlreadyRunningError(`process ${lock.holder.pid} serves ${paths.dataDirectory} already`);
    log(`replacing ${running?.build ?? 'a service that is starting'}`);
    await endService(paths, lock.holder);
  }
}

/** Ends the service that holds the lock: asks it to stop, and kills it if it does not react. Runners keep running. */
async function endService(paths: ServicePaths, holder: ProcessIdentity): Promise<void> {
  const endpoint = await readEndpoint(paths);
  const deadline = performance.now() + STOP_MS;
  if (endpoint?.pid === holder.pid) await askToStop(endpoint, paths.token).catch(() => undefined);
  while (await isAlive(holder)) {
    if (performance.now() > deadline) {
      await killIfAlive(holder);
      await delay(50);
    }
    await delay(10);
  }
}

/** Kills the process if it is alive. @throws SystemError if that is not allowed. */
async function killIfAlive(holder: ProcessIdentity): Promise<void> {
  if (!(await isAlive(holder))) return;
  try {
    process.kill(holder.pid, 'SIGKILL');
  } catch (error) {
    // It may have ended by itself meanwhile: Windows reports EPERM for a process that is just ending.
    if (await isAlive(holder)) throw error;
  }
}

/** The `stop` command. @returns false if no service runs. */
export async function stopRunning(dataDirectory: string): Promise<boolean> {
  const paths = servicePaths(dataDirectory);
  const holder = await ServiceLock.holder(paths.host);
  if (holder === undefined) return false;
  await endService(paths, holder);
  return true;
}

async function askToStop(endpoint: Endpoint, tokenFile: string): Promise<void> {
  const token = await readSmallFile(tokenFile);
  await new Promise<void>((resolve, reject) => {
    const request = http.request(
      new URL(STOP_PATH, endpoint.endpoint),
      { method: 'POST', headers: { authorization: `Bearer ${token}` }, timeout: STOP_MS, agent: false },
      (response) => {
        response.resume();
        response.once('end', resolve);
        response.once('error', reject);
      },
    );
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', reject);
    request.end();
  });
}
