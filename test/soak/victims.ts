import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { kill } from '../support/processes';

/** Victims that a round kills with SIGKILL at any moment. `none` is the control: the same notebook, nothing killed. */
export const VICTIMS = ['none', 'editor', 'service', 'runner', 'kernel', 'everything'] as const;
/**
 * Moments at which a round kills: the service while it accepts an execution (`create`), puts an output into its folder
 * (`placing`), has just said that it deletes (`delete`), or takes over from another one (`takeOver`); the runner before its
 * first status (`beforeStatus`), or while it saves the whole output (`finalSave`).
 */
export const MOMENTS = ['create', 'beforeStatus', 'finalSave', 'placing', 'delete', 'takeOver'] as const;
export type Kill = (typeof VICTIMS)[number] | (typeof MOMENTS)[number];

/** Milliseconds between two checks for a moment. */
const POLL_MS = 1;
/** Milliseconds after which a moment counts as missed. */
const TIMEOUT_MS = 30_000;

interface EndpointFile {
  readonly pid: number;
  readonly endpoint: string;
  readonly tokenFile: string;
}

function endpoint(dataDirectory: string): EndpointFile | undefined {
  const hosts = path.join(dataDirectory, 'hosts');
  if (!existsSync(hosts)) return undefined;
  for (const host of readdirSync(hosts)) {
    const file = readIfExists(path.join(hosts, host, 'endpoint.json'));
    if (file !== '') return JSON.parse(file) as EndpointFile;
  }
  return undefined;
}

/** The service process of this data directory, according to its endpoint file. */
function servicePid(dataDirectory: string): number | undefined {
  return endpoint(dataDirectory)?.pid;
}

/** The runner that claimed the execution in this folder. */
function runnerPid(folder: string): number | undefined {
  const pid = Number(readIfExists(path.join(folder, 'claim')));
  return pid > 1 ? pid : undefined;
}

/** The kernel that the runner reported as started. */
function kernelPid(folder: string): number | undefined {
  const status = readIfExists(path.join(folder, 'status.json'));
  return status === ''
    ? undefined
    : (JSON.parse(status) as { kernelProcess?: { pid: number } }).kernelProcess?.pid;
}

/** Text of a file; empty if it does not exist. */
export function readIfExists(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Kills the victim's running processes once. Returns whether there were any.
 * @param folder the execution's folder
 */
export function killVictim(victim: Kill, dataDirectory: string, folder: string): boolean {
  const found: Partial<Record<Kill, (number | undefined)[]>> = {
    service: [servicePid(dataDirectory)],
    runner: [runnerPid(folder)],
    kernel: [kernelPid(folder)],
    everything: [servicePid(dataDirectory), runnerPid(folder), kernelPid(folder)],
  };
  const pids = (found[victim] ?? []).filter((pid) => pid !== undefined);
  for (const pid of pids) kill(pid);
  return pids.length > 0;
}

/** Polls until a value exists. @returns whether it did in time. */
async function waitUntil(look: () => boolean): Promise<boolean> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!look()) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Kills the service as soon as the folder of an execution is created, or a moment later. */
export async function killWhileCreating(dataDirectory: string, id: string): Promise<void> {
  const executions = path.join(dataDirectory, 'executions');
  const names = (): string[] => (existsSync(executions) ? readdirSync(executions) : []);
  if (!(await waitUntil(() => names().some((name) => name === id || name.includes(`-new-${id}-`))))) return;
  await delay(Math.random() * 10);
  killVictim('service', dataDirectory, '');
}

/** Kills the runner as soon as it has claimed an execution. */
export async function killBeforeStatus(folder: string): Promise<void> {
  if (await waitUntil(() => runnerPid(folder) !== undefined)) killVictim('runner', '', folder);
}

/** Kills the runner once its run has ended. @returns whether its journal recorded the end before the kill. */
export async function killWhileSaving(folder: string): Promise<boolean> {
  const journal = path.join(folder, 'journal');
  const hasEnded = (): boolean => readIfExists(journal).includes('"type":"runEnded"');
  const isOver = (): boolean =>
    hasEnded() ||
    (existsSync(folder) &&
      /"state":"(SUCCEEDED|FAILED)"/.test(readIfExists(path.join(folder, 'status.json'))));
  if (!(await waitUntil(isOver))) return false;
  const ended = hasEnded();
  killVictim('runner', '', folder);
  return ended;
}

/** Kills the service once a file of an execution is in the output folder. */
export async function killWhilePlacing(dataDirectory: string, out: string, id: string): Promise<void> {
  const names = (): string[] => (existsSync(out) ? readdirSync(out) : []);
  if (!(await waitUntil(() => names().some((name) => name.includes(id))))) return;
  await delay(Math.random() * 4);
  killVictim('service', dataDirectory, '');
}

/** Deletes an execution as soon as it has ended, and kills the service at its answer. @returns whether it confirmed. */
export async function killAfterDelete(dataDirectory: string, id: string): Promise<boolean> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (Date.now() < deadline) {
    const shown = await ask(dataDirectory, 'GET', id);
    if (/"state":"(SUCCEEDED|FAILED)"/.test(shown ?? '')) break;
    await delay(POLL_MS);
  }
  const answer = await ask(dataDirectory, 'DELETE', id);
  killVictim('service', dataDirectory, '');
  return answer !== undefined;
}

/** The body of a successful response; undefined otherwise. */
async function ask(dataDirectory: string, method: string, id: string): Promise<string | undefined> {
  const { endpoint: url = '', tokenFile = '' } = endpoint(dataDirectory) ?? {};
  if (url === '') return undefined;
  const target = new URL(`v1/projects/local/locations/local/executions/${id}`, url);
  const headers = { authorization: `Bearer ${readIfExists(tokenFile)}` };
  return new Promise((resolve) => {
    const request = http.request(target, { method, headers, agent: false, timeout: 5000 }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('error', () => {
        resolve(undefined);
      });
      response.on('end', () => {
        resolve(response.statusCode === 200 ? body : undefined);
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => {
      resolve(undefined);
    });
    request.end();
  });
}
