import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { EXECUTION_ID, type Execution, type ExecutionWarning } from '../execution/execution';
import { ServiceError } from '../execution/errors';
import { isTerminal } from '../execution/states';
import { FILES, type RunnerJob } from '../runner/job';
import { PARENT } from './endpoint';
import { errorCode } from './files';
import type { FolderStore } from './folder-store';
import type { OtherHosts } from './other-hosts';
import { inspectNotebook, readClientFile } from './input';
import { resolveKernel } from './kernelspecs';
import { outputName } from './output';
import { kernelEnvironment } from './processes';
import { now, present, type ExecutionRecord } from './record';
import {
  checkInterpreter,
  checkOutputFolder,
  contentOf,
  fieldInvalid,
  readParameters,
  resolveWorkingDirectory,
  sourcePath,
  stemOf,
  type CreateRequest,
} from './request';
import type { Entry, Supervisor } from './supervisor';
import { unsupportedFields } from './unsupported-fields';
import * as path from 'node:path';

/** Pages of a list, as in Google's APIs: larger ones are cut to the largest. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

/** What a manager works with. */
export interface ManagerOptions {
  readonly store: FolderStore;
  readonly supervisor: Supervisor;
  readonly others: OtherHosts;
  /** This host and its boot. */
  readonly place: { readonly host: string; readonly boot: string };
  /** How many may run at the same time; asked anew each time. */
  readonly maxConcurrent: () => number;
  readonly log: (message: string) => void;
}

/**
 * The executions of this service: what the API can do with them, and the queue in front of the runners. Everything known
 * is in memory and on disk; memory leads, and what a client was told is on disk.
 */
export class ExecutionManager {
  readonly #entries = new Map<string, Entry>();
  /** Ids by creation, oldest first. */
  #order: string[] = [];
  /** Creates under way, so that the same create sent twice at once is one. */
  readonly #creating = new Map<string, Promise<Entry>>();
  readonly #running = new Set<string>();

  /** Executions that another host runs, see other-hosts.ts. */
  readonly #theirs = new Set<string>();

  constructor(private readonly options: ManagerOptions) {}

  /** Reads all records, takes over what runs, and goes on with what waits. */
  async start(): Promise<void> {
    const records = await this.options.store.load();
    records.sort((a, b) =>
      a.createTime < b.createTime || (a.createTime === b.createTime && a.id < b.id) ? -1 : 1,
    );
    for (const record of records) {
      const entry: Entry = { record };
      this.#entries.set(record.id, entry);
      this.#order.push(record.id);
    }
    for (const entry of this.#entries.values()) {
      const { record } = entry;
      if (isTerminal(record.state)) {
        if (record.deleteTime !== undefined) this.#background(this.#remove(entry));
      } else if (this.options.others.isTheirs(record)) {
        this.#theirs.add(record.id);
      } else if (record.state !== 'QUEUED') {
        this.#supervise(entry, this.options.supervisor.adopt(entry));
      }
    }
    await this.refreshOthers();
    this.#pump();
  }

  /** Looks again at what other hosts run. What a host that is gone had begun is brought to an end here. */
  async refreshOthers(): Promise<void> {
    for (const id of this.#theirs) {
      const entry = this.#entries.get(id);
      const record = this.options.store.read(id);
      if (entry === undefined || record === undefined) {
        this.#theirs.delete(id);
        this.#forget(id);
        continue;
      }
      Object.assign(entry.record, record);
      if (isTerminal(record.state)) {
        entry.status = undefined;
        this.#theirs.delete(id);
      } else if (await this.options.others.isGone(record.host ?? '')) {
        this.#theirs.delete(id);
        if (record.state !== 'QUEUED') this.#supervise(entry, this.options.supervisor.adopt(entry));
      } else {
        entry.status = await this.options.supervisor.readStatus(record);
      }
    }
  }

  /** Runtime directories of executions that have not ended. */
  get runtimes(): Set<string> {
    const runtimes = [...this.#entries.values()].map(({ record }) => record.runtime);
    return new Set(runtimes.filter((runtime) => runtime !== undefined));
  }

  get running(): number {
    return this.#running.size;
  }

  get queued(): number {
    return [...this.#waiting()].length;
  }

  /** True while anything is to be done; the service must not leave then. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#creating.size > 0 || this.queued > 0;
  }

  /** @throws ServiceError, see request.ts, input.ts and kernelspecs.ts; ALREADY_EXISTS `alreadyExists`. */
  async create(id: string, request: CreateRequest): Promise<Execution> {
    if (!EXECUTION_ID.test(id)) throw fieldInvalid('executionId', `must match ${EXECUTION_ID.source}`);
    const notebook = await readClientFile(
      request.executionTemplate.inputNotebookFile,
      'executionTemplate.inputNotebookFile',
    );
    const content = contentOf(request, notebook);
    const existing = this.#entries.get(id);
    const creating =
      this.#creating.get(id) ?? (existing === undefined ? undefined : Promise.resolve(existing));
    if (creating !== undefined) {
      const { record, status } = await creating;
      if (record.content === content) return present(record, status);
      throw alreadyExists(id);
    }
    const created = this.#create(id, request, notebook, content);
    this.#creating.set(id, created);
    try {
      const { record, status } = await created;
      return present(record, status);
    } finally {
      this.#creating.delete(id);
      this.#pump();
    }
  }

  async #create(id: string, request: CreateRequest, notebook: Uint8Array, content: string): Promise<Entry> {
    const { executionTemplate, runOptions } = request;
    const [facts, parameters, workingDirectory, outputFolder] = await Promise.all([
      inspectNotebook(notebook),
      readParameters(executionTemplate),
      resolveWorkingDirectory(runOptions),
      checkOutputFolder(executionTemplate.outputNotebookFolder),
      checkInterpreter(runOptions.interpreter),
    ]);
    const kernel = await resolveKernel({
      kernelSpec: executionTemplate.kernelSpec,
      interpreter: runOptions.interpreter,
      notebookKernel: facts.kernel,
      notebookLanguage: facts.language,
      env: kernelEnvironment(request.environment ?? process.env),
    });
    const stem = stemOf(request);
    const folder = this.options.store.folder(id);
    const output = this.options.store.file(id, 'output');
    const time = now();
    const record: ExecutionRecord = {
      version: 1,
      id,
      content,
      createTime: time,
      updateTime: time,
      stem,
      displayName: stem.replaceAll(/[^A-Za-z0-9_]/g, '_'),
      description: request.description,
      executionTemplate: {
        ...executionTemplate,
        inputNotebookFile: pathToFileURL(this.options.store.file(id, 'input')).href,
      },
      runOptions: { ...runOptions, workingDirectory },
      state: 'INITIALIZING',
      history: [{ state: 'INITIALIZING', time }],
      ...this.options.place,
      attempt: 1,
      outputNotebookFile: pathToFileURL(output).href,
      runStatus: { warnings: warningsOf(executionTemplate) },
    };
    const job: RunnerJob = {
      version: 1,
      name: `${PARENT}/executions/${id}`,
      attempt: 1,
      folder,
      kernel,
      workingDirectory,
      parameters,
      inputPath: sourcePath(runOptions.source) ?? runOptions.source ?? this.options.store.file(id, 'input'),
      outputPath: outputFolder === undefined ? output : path.join(outputFolder, outputName(record)),
      timeout: runOptions.timeout,
      cellTimeout: runOptions.cellTimeout,
      kernelTimeout: runOptions.kernelTimeout ?? 60,
      allowErrors: runOptions.allowErrors ?? false,
      allowErrorNames: runOptions.allowErrorNames ?? [],
      memoryLimitBytes: runOptions.memoryLimitBytes,
    };
    const entry: Entry = { record };
    this.#entries.set(id, entry);
    this.#order.push(id);
    try {
      // On disk it is QUEUED from the first: a folder that is there is whole.
      const queued = {
        ...record,
        state: 'QUEUED',
        history: [...record.history, { state: 'QUEUED', time: now() }],
      };
      const jobText = JSON.stringify(job);
      await this.options.store.create(queued, {
        [FILES.input]: notebook,
        [FILES.job]: jobText,
        ...((runOptions.maxAttempts ?? 1) > 1 ? { 'retry.json': jobText } : {}),
      });
      Object.assign(record, queued);
      return entry;
    } catch (error) {
      this.#forget(id);
      // A folder whose record was set aside: what it holds is not overwritten.
      if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') throw alreadyExists(id);
      throw storageError(error);
    }
  }

  /** @throws ServiceError NOT_FOUND `executionNotFound` */
  get(id: string): Execution {
    const { record, status } = this.#find(id);
    return present(record, status);
  }

  /** Newest first. @throws ServiceError INVALID_ARGUMENT for a page token that is none of ours. */
  list(pageSize: number, pageToken: string): { executions: Execution[]; nextPageToken?: string } {
    const size = pageSize === 0 ? DEFAULT_PAGE : Math.min(pageSize, MAX_PAGE);
    let next = this.#order.length - 1;
    if (pageToken !== '') {
      const [createTime, id] = decodeToken(pageToken);
      // What was deleted meanwhile must not move the page: the token names a place, not an entry.
      while (next >= 0 && !this.#isOlder(next, createTime, id)) next--;
    }
    const executions: Execution[] = [];
    for (; next >= 0 && executions.length < size; next--) {
      const entry = this.#entries.get(this.#order[next] ?? '');
      if (entry !== undefined) executions.push(present(entry.record, entry.status));
    }
    const last = this.#entries.get(this.#order[next + 1] ?? '')?.record;
    return next < 0 || last === undefined ? { executions } : { executions, nextPageToken: encodeToken(last) };
  }

  #isOlder(index: number, createTime: string, id: string): boolean {
    const record = this.#entries.get(this.#order[index] ?? '')?.record;
    if (record === undefined) return false;
    return record.createTime < createTime || (record.createTime === createTime && record.id < id);
  }

  /**
   * Cancels an execution; one that has ended stays as it is.
   * @throws ServiceError NOT_FOUND; FAILED_PRECONDITION `otherHost` (args `host`) where another host runs it.
   */
  async cancel(id: string): Promise<Execution> {
    const entry = this.#findOwn(id);
    await this.#creating.get(id);
    const { record } = entry;
    if (!isTerminal(record.state) && record.cancelTime === undefined) {
      const time = now();
      Object.assign(record, { cancelTime: time, updateTime: time });
      if (record.state === 'QUEUED') {
        record.state = 'CANCELLED';
        record.history.push({ state: 'CANCELLED', time });
        record.runStatus = {
          ...record.runStatus,
          attempt: record.attempt,
          endTime: time,
          cause: 'cancelled',
        };
        await this.#save(record);
        await rm(this.options.store.file(id, 'job'), { force: true });
        await rm(path.join(this.options.store.folder(id), 'retry.json'), { force: true });
      } else {
        await this.#save(record);
        this.options.supervisor.cancel(entry);
      }
    }
    return present(record, entry.status);
  }

  /**
   * Deletes an execution with its files; one that has not ended is cancelled first and goes when it has ended.
   * @returns true when it is gone. @throws ServiceError like {@link cancel}.
   */
  async delete(id: string): Promise<boolean> {
    const entry = this.#findOwn(id);
    await this.#creating.get(id);
    const { record } = entry;
    record.deleteTime ??= now();
    if (!isTerminal(record.state)) {
      await this.#save(record);
      await this.cancel(id);
    }
    if (this.#running.has(id)) return false;
    await this.#remove(entry);
    return true;
  }

  /** Whether an execution of this id exists and is about to be deleted. */
  isBeingDeleted(id: string): boolean {
    return this.#entries.get(id)?.record.deleteTime !== undefined;
  }

  #find(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new ServiceError('NOT_FOUND', 'executionNotFound', `no execution ${id}`, { executionId: id });
  }

  #findOwn(id: string): Entry {
    const entry = this.#find(id);
    if (!this.#theirs.has(id)) return entry;
    const { host = '' } = entry.record;
    throw new ServiceError('FAILED_PRECONDITION', 'otherHost', `${id} runs on ${host}`, { host });
  }

  *#waiting(): Generator<Entry> {
    for (const id of this.#order) {
      const entry = this.#entries.get(id);
      if (entry?.record.state === 'QUEUED' && !this.#running.has(id) && !this.#theirs.has(id)) yield entry;
    }
  }

  /** Starts what waits, oldest first, while there is room. */
  #pump(): void {
    for (const entry of this.#waiting()) {
      if (this.#running.size >= this.options.maxConcurrent()) return;
      this.#supervise(entry, this.options.supervisor.run(entry));
    }
  }

  #supervise(entry: Entry, attempt: Promise<void>): void {
    const { id } = entry.record;
    this.#running.add(id);
    const ended = attempt.then(async () => {
      this.#running.delete(id);
      this.#pump();
      if (entry.record.deleteTime !== undefined && isTerminal(entry.record.state)) await this.#remove(entry);
    });
    this.#background(ended);
  }

  async #remove(entry: Entry): Promise<void> {
    const { id } = entry.record;
    await this.options.store.remove(id);
    this.#forget(id);
  }

  #forget(id: string): void {
    this.#entries.delete(id);
    this.#order = this.#order.filter((each) => each !== id);
  }

  async #save(record: ExecutionRecord): Promise<void> {
    try {
      await this.options.store.save(record);
    } catch (error) {
      throw storageError(error);
    }
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.options.log(`in the background: ${String(error)}`);
    });
  }
}

function alreadyExists(executionId: string): ServiceError {
  const message = `execution ${executionId} exists with other content`;
  return new ServiceError('ALREADY_EXISTS', 'alreadyExists', message, { executionId });
}

function warningsOf(template: ExecutionRecord['executionTemplate']): ExecutionWarning[] {
  return unsupportedFields(template).map((field) => ({ code: 'fieldIgnored', args: [field] }));
}

function storageError(error: unknown): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EROFS' && code !== 'EACCES' && code !== 'EFBIG')
    return error;
  return new ServiceError('RESOURCE_EXHAUSTED', 'storageNotWritable', `cannot write: ${code}`, { code });
}

function encodeToken({ createTime, id }: ExecutionRecord): string {
  return Buffer.from(`${createTime} ${id}`).toString('base64url');
}

function decodeToken(token: string): [createTime: string, id: string] {
  const [createTime, id, ...rest] = Buffer.from(token, 'base64url').toString('utf8').split(' ');
  if (createTime !== undefined && id !== undefined && rest.length === 0 && EXECUTION_ID.test(id))
    return [createTime, id];
  throw fieldInvalid('pageToken', 'is not a page token of this service');
}
