import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isTerminal } from '../../../src/execution/states';
import { parseExecution, type Execution, type RunOptions } from '../../../src/execution/execution';
import type { Orders } from './unruly-disk';

export const ROOT = path.resolve(__dirname, '../../../..');
export const SERVICE = path.join(ROOT, 'dist/service.js');
export const FAKE_RUNNER = path.join(ROOT, 'out/test/unit/service/fake-runner.main.js');
export const PARENT = 'v1/projects/local/locations/local';

const folders: string[] = [];
const services: TestService[] = [];

after(async function () {
  this.timeout(300_000);
  await Promise.all(services.map((service) => service.kill()));
  await Promise.all(
    folders.map((folder) => fs.promises.rm(folder, { recursive: true, force: true, maxRetries: 5 })),
  );
});

/** A temporary folder with an awkward name, removed after the test file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "nbx it's ü-"));
  folders.push(folder);
  return folder;
}

/** An environment in which Jupyter finds one kernel, `fake`. */
export function fakeKernel(folder: string): Record<string, string> {
  const spec = path.join(folder, 'jupyter', 'kernels', 'fake');
  const file = path.join(spec, 'kernel.json');
  if (!fs.existsSync(file)) {
    fs.mkdirSync(spec, { recursive: true });
    fs.writeFileSync(
      file,
      JSON.stringify({
        argv: [process.execPath, '{connection_file}'],
        display_name: 'Fake',
        language: 'fake',
      }),
    );
  }
  return { JUPYTER_PATH: path.join(folder, 'jupyter'), HOME: folder, PATH: '' };
}

export const NOTEBOOK = JSON.stringify({
  cells: [],
  metadata: { kernelspec: { name: 'fake', display_name: 'Fake', language: 'fake' } },
  nbformat: 4,
  nbformat_minor: 5,
});

/** An answer of the service. */
export interface Answer {
  readonly code: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** Start options of a service. */
export interface StartCommand {
  /** Program and arguments before service.js; this Node when absent. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Anything slower hangs, and the test should say where. Milliseconds. */
const TIMEOUT_MS = 100_000;

/** Rejects after a time that is longer than any operation. */
async function rejectAfterTimeout(what: string, more: () => string): Promise<never> {
  await delay(TIMEOUT_MS, undefined, { ref: false });
  throw new Error(`Waited ${TIMEOUT_MS / 1000} s in vain until ${what}: ${more()}`);
}

/** A service in its own process, as any client sees it. */
export class TestService {
  private constructor(
    readonly folder: string,
    readonly process: ChildProcess,
    readonly endpoint: URL,
    readonly token: string,
    readonly stderr: string[],
  ) {}

  /** Starts the service with the fake runner unless `more` says otherwise. */
  static async start(folder: string, ...more: string[]): Promise<TestService> {
    return TestService.startBy(folder, {}, ...more);
  }

  /** Starts it with another command, or with other environment variables. */
  static async startBy(folder: string, by: StartCommand, ...more: string[]): Promise<TestService> {
    const [command = '', ...args] = by.command ?? [process.execPath];
    const child = spawn(
      command,
      [...args, SERVICE, 'serve', '--data-dir', path.join(folder, 'data'), '--runner', FAKE_RUNNER, ...more],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...by.env } },
    );
    const stderr: string[] = [];
    child.stderr.on('data', (data: Buffer) => stderr.push(data.toString()));
    const lines = createInterface(child.stdout);
    const first = await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(() => undefined),
      rejectAfterTimeout('a service says where it listens', () => stderr.join('')),
    ]).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    if (first === undefined) throw new Error(stderr.join(''));
    const { endpoint, tokenFile } = JSON.parse(String(first[0])) as { endpoint: string; tokenFile: string };
    const service = new TestService(
      folder,
      child,
      new URL(endpoint),
      fs.readFileSync(tokenFile, 'utf8'),
      stderr,
    );
    services.push(service);
    return service;
  }

  /** Kills it like a crash. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await Promise.race([
      once(this.process, 'exit'),
      rejectAfterTimeout(`process ${this.process.pid ?? ''} of a service ends that was killed`, () =>
        this.stderr.join(''),
      ),
    ]);
  }

  async request(
    method: string,
    target: string,
    body?: unknown,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<Answer> {
    const request = http.request(new URL(target, this.endpoint), {
      method,
      agent: false,
      headers: { authorization: `Bearer ${this.token}`, ...headers },
    });
    request.setTimeout(TIMEOUT_MS, () => {
      request.destroy(new Error(`No answer to ${method} ${target}: ${this.stderr.join('')}`));
    });
    // The answer may arrive before everything was sent; later connection errors do not matter.
    request.on('error', () => undefined);
    request.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  /** Creates an execution of the fake kernel; `fake` selects the behaviour of the fake runner. */
  async create(
    id: string,
    fake = 'succeed',
    more: { template?: Record<string, unknown>; options?: RunOptions } = {},
  ): Promise<Answer> {
    const input = path.join(this.folder, 'my notebook.ipynb');
    // Tests that create many at once must not rewrite it while it is read.
    if (!fs.existsSync(input)) fs.writeFileSync(input, NOTEBOOK);
    return this.request('POST', `${PARENT}/executions?executionId=${id}`, {
      executionTemplate: {
        inputNotebookFile: pathToFileURL(input).href,
        parameters: JSON.stringify({ fake }),
        ...more.template,
      },
      runOptions: { environment: fakeKernel(this.folder), ...more.options },
    });
  }

  async get(id: string): Promise<Execution> {
    return parseExecution((await this.request('GET', `${PARENT}/executions/${id}`)).body);
  }

  /** Polls until the execution satisfies the condition. Only the test's time limit ends it. */
  async until(id: string, wanted: (execution: Execution) => boolean): Promise<Execution> {
    for (;;) {
      const execution = await this.get(id);
      if (wanted(execution)) return execution;
      await delay(10);
    }
  }

  async ended(id: string): Promise<Execution> {
    return this.until(id, ({ state }) => isTerminal(state));
  }

  async running(id: string): Promise<Execution> {
    return this.until(id, ({ state }) => state === 'RUNNING');
  }

  /**
   * Deletes an execution, and polls until it is gone: its end may be shown before its last process has ended.
   * @returns the first answer.
   */
  async delete(id: string): Promise<Answer> {
    const answer = await this.request('DELETE', `${PARENT}/executions/${id}`);
    let { body } = answer;
    while (body['done'] !== true) {
      await delay(10);
      ({ body } = await this.request('GET', `v1/${String(body['name'])}`));
    }
    return answer;
  }

  /** A file in the folder of an execution. */
  file(id: string, name: string): string {
    return path.join(this.folder, 'data', 'executions', id, name);
  }

  /** Ends a `wait`. */
  go(id: string): void {
    fs.writeFileSync(this.file(id, 'go'), '');
  }

  /** Runs of the fake runners: one line `name attempt` for each. */
  runs(): string[] {
    const file = path.join(this.folder, 'data', 'runs');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
  }
}

/** State names of the history. */
export function states(execution: Execution): string[] {
  return (execution.runStatus?.history ?? []).map(({ state }) => state);
}

/** A service with a simulated faulty disk or clock, see unruly.main.ts. */
export class Unruly {
  private readonly file: string;

  constructor(folder: string, orders: Orders = {}) {
    this.file = path.join(folder, 'orders.json');
    this.order(orders);
  }

  /** Environment variables for a Node that follows the orders; its child processes inherit them. */
  get env(): Record<string, string> {
    const preload = path.join(ROOT, 'out/test/unit/service/unruly.main.js');
    return { UNRULY: this.file, NODE_OPTIONS: `--require ${JSON.stringify(preload)}` };
  }

  /** Replaces all orders. */
  order(orders: Orders): void {
    fs.writeFileSync(`${this.file}.new`, JSON.stringify(orders));
    fs.renameSync(`${this.file}.new`, this.file);
  }
}
