import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ServiceError } from '../execution/errors';
import type { Execution, ExecutionRequest } from '../execution/execution';
import { EXECUTION_ID } from '../execution/execution-name';
import type {
  Capabilities,
  ExecutionInput,
  ExecutionPage,
  ExecutionService,
  LogChunk,
  OutputDocument,
} from '../execution/execution-service';
import { FILES } from '../protocol/execution-folder';
import { CLEAN_UP_PATH, MAX_BODY_BYTES, PARENT, servicePaths, stagedName } from '../protocol/service-paths';
import type { CleanUp, ServiceConfig, ServiceInfo } from '../protocol/service-schemas';
import { claimDataDirectory } from '../protocol/data-directory';
import { createFile, errorCode, makePrivateDirectory, readIfExists, replaceFile } from '../system/files';
import type { PageReader } from './answer-schemas';
import { ConnectionError, HttpClient, type HttpRequest } from './http-client';
import { openDocument, readLogChunk } from './local-files';
import { ServiceLocator } from './service-locator';

/** What the embedded service is made with. */
export interface EmbeddedServiceOptions {
  /** Folder for everything the service keeps, see {@link defaultDataDirectory}. */
  readonly dataDirectory: string;
  /** The extension's `dist` folder with service.js, runner.js and node_modules/zeromq. */
  readonly bundles: string;
  /** Version of the extension; a service of an older one is replaced. */
  readonly version: string;
  /** Absolute path of the Node to run service and runners with; `process.execPath` when absent. */
  readonly nodePath?: string | undefined;
  /** Settings of the service; written to its config.json. See also {@link EmbeddedExecutionService.configure}. */
  readonly config?: ServiceConfig | undefined;
  /** The service leaves after so many seconds without executions and requests; 600 when absent. */
  readonly idleSeconds?: number | undefined;
  /** Gets technical English for the log; never a secret. */
  readonly log?: ((message: string) => void) | undefined;
}

/** Milliseconds for a request. Creating reads, checks and copies the notebook. */
const TIMEOUT = 10_000;
const CREATE_TIMEOUT = 60_000;
/** Removing thousands of folders takes its time. */
const CLEAN_UP_TIMEOUT = 600_000;
/** Milliseconds between looks at a delete that waits for the execution to end, and in all. */
const DELETE_POLL = 100;
const DELETE_TIMEOUT = 60_000;

/** Loaded with the first request: schemas take longer to build than all else that a window does when it starts. */
const answers = () => import('./answer-schemas');

/**
 * Executions on this machine: the client of the embedded service. Nothing happens before the first call; the first call
 * of any method finds the service or starts it. The service outlives this object.
 */
export class EmbeddedExecutionService implements ExecutionService {
  readonly id = 'embedded';
  readonly capabilities: Capabilities = {
    cancel: true,
    log: true,
    liveOutput: true,
    queuesInOrder: true,
  };
  readonly #http = new HttpClient();
  readonly #locator: ServiceLocator;
  readonly #staging: string;
  #configured: Promise<void> | undefined;
  #newest: PageReader | undefined;

  constructor(private readonly options: EmbeddedServiceOptions) {
    const { idleSeconds = 600, log = () => undefined } = options;
    this.#locator = new ServiceLocator({ ...options, idleSeconds, log }, this.#http);
    this.#staging = path.join(servicePaths(options.dataDirectory).dataDirectory, 'staging');
  }

  /**
   * {@inheritDoc ExecutionService.create}
   * `executionTemplate.inputNotebookFile` is not read: the notebook is `input`. Besides the service's own reasons (see
   * src/service/create/request.ts): `stagingNotWritable`, args `code`.
   */
  async create(
    executionId: string,
    execution: ExecutionRequest,
    input: ExecutionInput,
    signal?: AbortSignal,
  ): Promise<Execution> {
    await this.#configure();
    const staged = path.join(this.#staging, stagedName());
    try {
      await makePrivateDirectory(this.#staging);
      await createFile(staged, input.notebook);
    } catch (error) {
      const code = errorCode(error) ?? String(error);
      throw new ServiceError('RESOURCE_EXHAUSTED', 'stagingNotWritable', `cannot write ${staged}: ${code}`, {
        code,
      });
    }
    try {
      const body = {
        ...execution,
        executionTemplate: {
          ...execution.executionTemplate,
          inputNotebookFile: pathToFileURL(staged).href,
        },
      };
      checkSize(body);
      const answer = await this.#send({
        method: 'POST',
        path: `v1/${PARENT}/executions?executionId=${encodeURIComponent(executionId)}`,
        body,
        timeout: CREATE_TIMEOUT,
        signal,
      });
      const { parseExecution, OperationSchema } = await answers();
      return parseExecution(OperationSchema.parse(answer).response);
    } finally {
      await fs.rm(staged, { force: true });
    }
  }

  async get(name: string, signal?: AbortSignal): Promise<Execution> {
    return this.#execution({ method: 'GET', path: pathOf(name), timeout: TIMEOUT, signal });
  }

  async list(page: { pageSize?: number; pageToken?: string }, signal?: AbortSignal): Promise<ExecutionPage> {
    const query = new URLSearchParams();
    if (page.pageSize !== undefined) query.set('pageSize', String(page.pageSize));
    if (page.pageToken !== undefined) query.set('pageToken', page.pageToken);
    const answer = await this.#send({
      method: 'GET',
      path: `v1/${PARENT}/executions?${query.toString()}`,
      timeout: TIMEOUT,
      signal,
    });
    const { PageReader } = await answers();
    // The newest are asked for with every tick of a window, others now and then.
    if (page.pageToken !== undefined) return new PageReader().read(answer);
    this.#newest ??= new PageReader();
    return this.#newest.read(answer);
  }

  async cancel(name: string, signal?: AbortSignal): Promise<Execution> {
    return this.#execution({ method: 'POST', path: `${pathOf(name)}:cancel`, timeout: TIMEOUT, signal });
  }

  async pin(name: string, pinned: boolean, signal?: AbortSignal): Promise<Execution> {
    const path = `${pathOf(name)}:${pinned ? 'pin' : 'unpin'}`;
    return this.#execution({ method: 'POST', path, timeout: TIMEOUT, signal });
  }

  /**
   * Deletes what had ended before a time and is not pinned, or only tells what that would be.
   * @param endedBefore RFC 3339
   */
  async cleanUp(endedBefore: string, dryRun: boolean, signal?: AbortSignal): Promise<CleanUp> {
    const body = { endedBefore, dryRun };
    const request = { method: 'POST', path: CLEAN_UP_PATH, body, timeout: CLEAN_UP_TIMEOUT, signal } as const;
    const answer = await this.#send(request);
    return (await answers()).CleanUpSchema.parse(answer);
  }

  async deleteSetAside(): Promise<number> {
    const ids = (await this.info())?.setAside ?? [];
    for (const id of ids) await this.delete(`${PARENT}/executions/${id}`);
    return ids.length;
  }

  /** {@inheritDoc ExecutionService.delete} Resolves when it is gone; `deleteTakesLong` (DEADLINE_EXCEEDED) after a minute. */
  async delete(name: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.#send({ method: 'DELETE', path: pathOf(name), timeout: TIMEOUT, signal });
    let { done } = (await answers()).OperationSchema.parse(answer);
    const deadline = performance.now() + DELETE_TIMEOUT;
    while (!done) {
      if (performance.now() > deadline) {
        throw new ServiceError('DEADLINE_EXCEEDED', 'deleteTakesLong', `${name} is still ending`);
      }
      await delay(DELETE_POLL, undefined, { signal });
      done = await this.get(name, signal).then(
        () => false,
        (error: unknown) => {
          if (error instanceof ServiceError && error.status === 'NOT_FOUND') return true;
          throw error;
        },
      );
    }
  }

  /** The output in the place that the execution names; where it was moved away from there, the service's own copy. */
  async readOutput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined> {
    signal?.throwIfAborted();
    const named = execution.outputNotebookFile;
    return (
      (await openDocument(named === undefined ? undefined : fileURLToPath(named))) ??
      openDocument(siblingOf(execution, FILES.output))
    );
  }

  async readInput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined> {
    signal?.throwIfAborted();
    return openDocument(siblingOf(execution, FILES.input));
  }

  async readLog(execution: Execution, offset: number, signal?: AbortSignal): Promise<LogChunk> {
    signal?.throwIfAborted();
    return readLogChunk(siblingOf(execution, FILES.kernelLog), offset);
  }

  /** What runs, or undefined when no service does; none is started. */
  async info(): Promise<ServiceInfo | undefined> {
    return (await this.#locator.find())?.info;
  }

  /**
   * Settings from now on. A running service takes them over before the next create, and counts
   * `maxConcurrent` from then on.
   */
  async configure(config: ServiceConfig): Promise<void> {
    this.#configured = this.#writeConfig(config);
    await this.#configured;
  }

  /** {@inheritDoc MachineService.kernels} No service is asked: they are looked for as it does. */
  async kernels(
    interpreter: string | undefined,
    environment: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> {
    const { kernelNames } = await import('../system/kernelspecs');
    return kernelNames(interpreter, environment);
  }

  /** Ends the service, if it runs, and starts a new one. Running executions go on. A service that hangs is ended by force. */
  async restart(): Promise<void> {
    await this.#locator.restart();
  }

  /** Ends the service, if it runs. Running executions go on, and the next call starts it again. */
  async stop(): Promise<void> {
    await this.#locator.stop();
  }

  /** Closes the connections; the service goes on. */
  dispose(): void {
    this.#http.dispose();
  }

  /** Sends a request that is answered with an execution. */
  async #execution(request: HttpRequest): Promise<Execution> {
    const answer = await this.#send(request);
    return (await answers()).parseExecution(answer);
  }

  /** Sends a request; where nobody answers any more, once again to a service that does: every request may be repeated. */
  async #send(request: HttpRequest): Promise<unknown> {
    const { signal } = request;
    for (let attempt = 1; ; attempt++) {
      const connection = await abortable(this.#locator.connect(), signal);
      try {
        return await this.#http.send(connection, request);
      } catch (error) {
        // A former service's token: another one listens there now.
        const stale = error instanceof ServiceError && error.reason === 'tokenInvalid';
        if (!(error instanceof ConnectionError) && !stale) throw error;
        this.#locator.forget();
        if (attempt < 3) continue;
        throw new ServiceError('UNAVAILABLE', 'serviceNotReachable', error.message, {}, { cause: error });
      }
    }
  }

  async #configure(): Promise<void> {
    this.#configured ??= this.#writeConfig(this.options.config ?? {});
    try {
      await this.#configured;
    } catch (error) {
      this.#configured = undefined;
      if (error instanceof ServiceError) throw error;
      this.options.log?.(`config.json not written: ${String(error)}`);
    }
  }

  async #writeConfig(config: ServiceConfig): Promise<void> {
    const paths = servicePaths(this.options.dataDirectory);
    const { config: file } = paths;
    const text = JSON.stringify(config);
    await claimDataDirectory(paths);
    if ((await readIfExists(file)) !== text) await replaceFile(file, text);
  }
}

/**
 * The service ends a connection over which too much comes, and its answer may get lost with it.
 * @throws ServiceError `parametersInvalid`: nothing else of a request is that large.
 */
function checkSize(body: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(body));
  if (bytes <= MAX_BODY_BYTES) return;
  const message = `the request has ${bytes} bytes, at most ${MAX_BODY_BYTES} can be sent`;
  throw new ServiceError('INVALID_ARGUMENT', 'parametersInvalid', message, {
    field: 'executionTemplate.parameters',
    code: 'tooLarge',
    bytes: String(bytes),
    limit: String(MAX_BODY_BYTES),
  });
}

/** @throws ServiceError NOT_FOUND for a name that no execution of this service has. */
function pathOf(name: string): string {
  const id = name.startsWith(`${PARENT}/executions/`) ? name.slice(`${PARENT}/executions/`.length) : '';
  if (EXECUTION_ID.test(id)) return `v1/${name}`;
  throw new ServiceError('NOT_FOUND', 'executionNotFound', `no execution ${name}`, { executionId: id });
}

/** A file in the folder of an execution: where the snapshot of its input is. */
function siblingOf(execution: Execution, name: string): string | undefined {
  const input = execution.executionTemplate?.inputNotebookFile;
  return input?.startsWith('file:') === true
    ? path.join(path.dirname(fileURLToPath(input)), name)
    : undefined;
}

/** What others wait for too is not ended by one who does not want to wait any longer. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is what it is
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
