import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { isTerminal } from '../../src/execution/states';
import { nodeEnvironment } from '../../src/system/processes';

const REPOSITORY = path.resolve(__dirname, '../../..');
/** Base URL of the service's resources. */
export const PARENT = '/v1/projects/local/locations/local';

interface ExecutionJson {
  name: string;
  state?: string;
  outputNotebookFile?: string;
  runStatus?: { message?: string; cause?: string };
}

/**
 * The embedded service as any other client sees it: a process that prints its address, and its HTTP API.
 * The product's own client is not used, so that only the service is measured.
 */
export class BenchService {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  private nextId = 0;

  private constructor(
    readonly dataDirectory: string,
    readonly process: ChildProcess,
    private readonly endpoint: URL,
    private readonly token: string,
    private readonly removesData: boolean,
  ) {}

  /** Starts the service in the foreground. The environment is that of the test Python environment. */
  static async start(options: {
    spare: boolean;
    concurrency?: number;
    dataDirectory?: string;
  }): Promise<BenchService> {
    const dataDirectory = options.dataDirectory ?? mkdtempSync(path.join(tmpdir(), 'nbx-bench-'));
    const child = spawn(
      process.execPath,
      [
        path.join(REPOSITORY, 'dist/service.js'),
        'serve',
        '--data-dir',
        dataDirectory,
        '--max-concurrent',
        String(options.concurrency ?? 1),
        ...(options.spare ? [] : ['--no-spare']),
      ],
      // The environment in which the editor starts it.
      { stdio: ['ignore', 'pipe', 'ignore'], env: nodeEnvironment() },
    );
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { endpoint, tokenFile } = JSON.parse(line) as { endpoint: string; tokenFile: string };
    const token = readFileSync(tokenFile, 'utf8').trim();
    const removesData = options.dataDirectory === undefined;
    return new BenchService(dataDirectory, child, new URL(endpoint), token, removesData);
  }

  /** Address and access token, for requests that our client would not send. */
  get address(): { port: number; token: string } {
    return { port: Number(this.endpoint.port), token: this.token };
  }

  /** Creates an execution of the notebook at `file` and returns its resource name. */
  async create(file: string): Promise<string> {
    this.nextId += 1;
    const id = `bench-${String(process.pid)}-${String(this.nextId)}`;
    await this.request('POST', `${PARENT}/executions?executionId=${id}`, {
      executionTemplate: { inputNotebookFile: pathToFileURL(file).href },
      runOptions: { interpreter: pythonFile('python'), environment: pythonEnvironment() },
    });
    return `${PARENT.slice('/v1/'.length)}/executions/${id}`;
  }

  /** Waits until the execution has ended and returns the text of its output. Throws unless it SUCCEEDED. */
  async waitForOutput(name: string): Promise<() => string> {
    return this.poll(async () => outputOf((await this.request('GET', `/v1/${name}`)) as ExecutionJson));
  }

  /** Like {@link waitForOutput}, for the last `count` executions: one list contains them all, as in the editor. */
  async waitForLast(count: number): Promise<(() => string)[]> {
    return this.poll(async () => {
      const answer = await this.request('GET', `${PARENT}/executions?pageSize=${String(count)}`);
      const outputs = (answer as { executions: ExecutionJson[] }).executions.map(outputOf);
      const ended = outputs.filter((output) => output !== undefined);
      return ended.length === outputs.length ? ended : undefined;
    });
  }

  /**
   * Polls until there is an answer. Polling affects the measurement: it sees the end late, and it takes processor time from
   * the run. Each time it waits a hundredth of the elapsed time, so that neither effect exceeds one percent.
   */
  private async poll<T>(ask: () => Promise<T | undefined>): Promise<T> {
    const start = performance.now();
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      const wait = Math.max(2, (performance.now() - start) / 100);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Sends one request; a 4xx or 5xx answer rejects with the answer's text. */
  async request(method: string, requestPath: string, body?: unknown): Promise<unknown> {
    const request = http.request(new URL(requestPath, this.endpoint), {
      method,
      agent: this.agent,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${requestPath}: ${text}`);
    return JSON.parse(text);
  }

  /** Waits until a spare kernel is ready, according to the location's metadata. */
  async spareReady(): Promise<void> {
    for (;;) {
      const location = (await this.request('GET', PARENT)) as { metadata?: { spare?: boolean } };
      if (location.metadata?.spare === true) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends the service and removes its data, unless the data existed before. */
  async stop(): Promise<void> {
    this.agent.destroy();
    const stop = spawn(
      process.execPath,
      [path.join(REPOSITORY, 'dist/service.js'), 'stop', '--data-dir', this.dataDirectory],
      { stdio: 'inherit' },
    );
    const exits = this.process.exitCode === null ? once(this.process, 'exit') : undefined;
    await once(stop, 'exit');
    await exits;
    if (this.removesData) rmSync(this.dataDirectory, { recursive: true, force: true });
  }
}

/** Reads the text of its output; undefined while it has not ended. Throws unless it SUCCEEDED. */
function outputOf({ name, state, runStatus, outputNotebookFile }: ExecutionJson): (() => string) | undefined {
  if (!isTerminal(state)) return undefined;
  if (state !== 'SUCCEEDED')
    throw new Error(`${name} ended as ${String(state)}: ${JSON.stringify(runStatus)}`);
  return () => readFileSync(new URL(outputNotebookFile ?? ''), 'utf8');
}

/** A program of the test Python environment, e.g. `python` or `papermill`. */
export function pythonFile(program: string): string {
  return path.join(REPOSITORY, '.venv/bin', program);
}

/** This process's environment with the test Python environment activated. */
export function pythonEnvironment(): Record<string, string> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    ...environment,
    VIRTUAL_ENV: path.join(REPOSITORY, '.venv'),
    PATH: `${path.join(REPOSITORY, '.venv/bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
  };
}
