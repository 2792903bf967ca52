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
import type { CleanUp, ServiceInfo } from '../execution/machine';
import type { ServiceConfig } from '../protocol/service-schemas';
import { createFile, errorCode, makePrivateDirectory } from '../system/files';
import type { PageReader } from './answer-schemas';
import { ConfigWriter } from './config-writer';
import { EmbeddedSchedules } from './embedded-schedules';
import type { HttpRequest } from './http-client';
import { openDocument, readLogChunk } from './local-files';
import { ServiceClient } from './service-client';

/** Options of the embedded service's client. */
export interface EmbeddedServiceOptions {
  /** Folder for all files of the service, see {@link defaultDataDirectory}. */
  readonly dataDirectory: string;
  /** The extension's `dist` folder with service.js, runner.js and node_modules/zeromq. */
  readonly bundles: string;
  /** Version of the extension; a service of an older version is replaced. */
  readonly version: string;
  /** Absolute path of the Node that runs service and runners; `process.execPath` when absent. */
  readonly nodePath?: string | undefined;
  /** Settings of the service; written to its config.json. See also {@link EmbeddedExecutionService.configure}. */
  readonly config?: ServiceConfig | undefined;
  /** The service exits after this many seconds without executions and requests; 600 when absent. */
  readonly idleSeconds?: number | undefined;
  /** Receives messages for the log, in technical English; never a secret. */
  readonly log?: ((message: string) => void) | undefined;
}

/** Milliseconds for a request. Creating includes reading, checking and copying the notebook. */
const TIMEOUT = 10_000;
const CREATE_TIMEOUT = 60_000;
/** Milliseconds. Removing thousands of folders takes long. */
const CLEAN_UP_TIMEOUT = 600_000;
/** Milliseconds between polls of a delete that waits for the execution to end, and for the whole delete. */
const DELETE_POLL = 100;
const DELETE_TIMEOUT = 60_000;

/** Loaded with the first request: building schemas takes longer than everything else that a window does at startup. */
const answers = () => import('./answer-schemas');

/**
 * Executions on this machine: the client of the embedded service. The first call of any method finds or starts the
 * service; nothing happens before. The service outlives this object.
 */
export class EmbeddedExecutionService implements ExecutionService {
  readonly id = 'embedded';
  readonly capabilities: Capabilities = {
    cancel: true,
    log: true,
    liveOutput: true,
    queuesInOrder: true,
    filters: true,
  };
  readonly schedules = new EmbeddedSchedules(async (request) => {
    await this.config.ensureWritten();
    return this.client.send(request);
  });
  private readonly client: ServiceClient;
  private readonly config: ConfigWriter;
  private readonly staging: string;
  private newest: PageReader | undefined;

  constructor(options: EmbeddedServiceOptions) {
    const { dataDirectory, idleSeconds = 600, config = {}, log = () => undefined } = options;
    this.client = new ServiceClient({ ...options, idleSeconds, log });
    this.config = new ConfigWriter(dataDirectory, config, log);
    this.staging = path.join(servicePaths(dataDirectory).dataDirectory, 'staging');
  }

  /**
   * {@inheritDoc ExecutionService.create} Ignores `executionTemplate.inputNotebookFile`: the notebook is `input`.
   * Besides the service's own reasons (see src/service/create/request.ts): `stagingNotWritable`, args `code`.
   */
  async create(
    executionId: string,
    execution: ExecutionRequest,
    input: ExecutionInput,
    signal?: AbortSignal,
  ): Promise<Execution> {
    await this.config.ensureWritten();
    const staged = path.join(this.staging, stagedName());
    try {
      await makePrivateDirectory(this.staging);
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
      const answer = await this.client.send({
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
    return this.execution({ method: 'GET', path: pathOf(name), timeout: TIMEOUT, signal });
  }

  async list(
    page: { pageSize?: number; pageToken?: string; filter?: string },
    signal?: AbortSignal,
  ): Promise<ExecutionPage> {
    const query = new URLSearchParams();
    if (page.pageSize !== undefined) query.set('pageSize', String(page.pageSize));
    if (page.pageToken !== undefined) query.set('pageToken', page.pageToken);
    if (page.filter !== undefined) query.set('filter', page.filter);
    const answer = await this.client.send({
      method: 'GET',
      path: `v1/${PARENT}/executions?${query.toString()}`,
      timeout: TIMEOUT,
      signal,
    });
    const { PageReader } = await answers();
    // Each poll of a window lists the newest executions, so their reader is kept; other pages are rarely repeated.
    if (page.pageToken !== undefined || page.filter !== undefined) return new PageReader().read(answer);
    this.newest ??= new PageReader();
    return this.newest.read(answer);
  }

  async cancel(name: string, signal?: AbortSignal): Promise<Execution> {
    return this.execution({ method: 'POST', path: `${pathOf(name)}:cancel`, timeout: TIMEOUT, signal });
  }

  async pin(name: string, pinned: boolean, signal?: AbortSignal): Promise<Execution> {
    const path = `${pathOf(name)}:${pinned ? 'pin' : 'unpin'}`;
    return this.execution({ method: 'POST', path, timeout: TIMEOUT, signal });
  }

  /**
   * Deletes unpinned executions that ended before a time. A dry run only reports what would be deleted.
   * @param endedBefore RFC 3339
   */
  async cleanUp(endedBefore: string, dryRun: boolean, signal?: AbortSignal): Promise<CleanUp> {
    const body = { endedBefore, dryRun };
    const request = { method: 'POST', path: CLEAN_UP_PATH, body, timeout: CLEAN_UP_TIMEOUT, signal } as const;
    const answer = await this.client.send(request);
    return (await answers()).CleanUpSchema.parse(answer);
  }

  async deleteSetAside(): Promise<number> {
    const ids = (await this.info())?.setAside ?? [];
    for (const id of ids) await this.delete(`${PARENT}/executions/${id}`);
    return ids.length;
  }

  /**
   * {@inheritDoc ExecutionService.delete} Resolves when it is gone; rejects with `deleteTakesLong` (DEADLINE_EXCEEDED)
   * after a minute.
   */
  async delete(name: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.client.send({ method: 'DELETE', path: pathOf(name), timeout: TIMEOUT, signal });
    let { done } = (await answers()).OperationSchema.parse(answer);
    const deadline = performance.now() + DELETE_TIMEOUT;
    while (!done) {
      if (performance.now() > deadline)
        throw new ServiceError('DEADLINE_EXCEEDED', 'deleteTakesLong', `${name} is still ending`);
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

  /** The output file that the execution names, or the service's own copy if that file no longer exists. */
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

  async readLog(execution: Execution, from: string, signal?: AbortSignal): Promise<LogChunk> {
    signal?.throwIfAborted();
    return readLogChunk(siblingOf(execution, FILES.kernelLog), from);
  }

  /** Information about the running service, or undefined if none runs; does not start one. */
  async info(): Promise<ServiceInfo | undefined> {
    return this.client.info();
  }

  /**
   * Changes the settings. A running service reads them before the next create, and applies `maxConcurrent` from then
   * on.
   */
  async configure(config: ServiceConfig): Promise<void> {
    await this.config.write(config);
  }

  /** {@inheritDoc MachineService.kernels} Needs no service: uses the same search as the service. */
  async kernels(
    interpreter: string | undefined,
    environment: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> {
    const { kernelNames } = await import('../system/kernelspecs');
    return kernelNames(interpreter, environment);
  }

  /** Ends the service, if it runs, and starts a new one; kills a service that hangs. Executions keep running. */
  async restart(): Promise<void> {
    await this.client.restart();
  }

  /** Ends the service, if it runs. Executions keep running; the next call starts the service again. */
  async stop(): Promise<void> {
    await this.client.stop();
  }

  /** Closes the connections; the service keeps running. */
  dispose(): void {
    this.client.dispose();
  }

  /** Sends a request whose answer is an execution. */
  private async execution(request: HttpRequest): Promise<Execution> {
    const answer = await this.client.send(request);
    return (await answers()).parseExecution(answer);
  }
}

/**
 * The service closes a connection whose request body is too large, and its answer may be lost. So check before sending.
 * @throws ServiceError `parametersInvalid`: no other part of a request can be that large.
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

/** @throws ServiceError NOT_FOUND for a name that cannot belong to this service. */
function pathOf(name: string): string {
  const id = name.startsWith(`${PARENT}/executions/`) ? name.slice(`${PARENT}/executions/`.length) : '';
  if (EXECUTION_ID.test(id)) return `v1/${name}`;
  throw new ServiceError('NOT_FOUND', 'executionNotFound', `no execution ${name}`, { executionId: id });
}

/** A file in the folder of an execution, which is the folder of its input snapshot. */
function siblingOf(execution: Execution, name: string): string | undefined {
  const input = execution.executionTemplate?.inputNotebookFile;
  return input?.startsWith('file:') === true
    ? path.join(path.dirname(fileURLToPath(input)), name)
    : undefined;
}
