import { ServiceError } from '../../execution/errors';
import { EXECUTION_ID } from '../../execution/execution-name';
import { FILES } from '../../protocol/execution-folder';
import { errorCode } from '../../system/files';
import type { Entry } from '../executions/entry';
import type { ExecutionIndex } from '../executions/execution-index';
import { storageError, type FolderStore } from '../executions/folder-store';
import { now } from '../executions/record';
import { accept, type HostIdentity } from './accept-request';
import { readClientFile } from './client-files';
import { contentOf, fieldInvalid, type CreateRequest } from './request';

/** Dependencies of an {@link ExecutionCreator}. */
export interface CreatorOptions {
  readonly store: FolderStore;
  readonly hostIdentity: HostIdentity;
  /** Patterns of names, see RunnerJob; read again each time. */
  readonly secretParameters: () => string[];
}

/** Creates executions: in the store, then in the index, as QUEUED. */
export class ExecutionCreator {
  /** Creates in progress, so that two identical creates at the same time make one execution. */
  private readonly creating = new Map<string, Promise<Entry>>();

  constructor(
    private readonly options: CreatorOptions,
    private readonly index: ExecutionIndex,
  ) {}

  /** Whether any create is in progress. */
  get isBusy(): boolean {
    return this.creating.size > 0;
  }

  /** Whether an execution of this id is being created. */
  isCreating(id: string): boolean {
    return this.creating.has(id);
  }

  /** Resolves when no create of this id is in progress, however it ended. */
  async settled(id: string): Promise<void> {
    await this.creating.get(id)?.catch(() => undefined);
  }

  /**
   * Creates an execution, or returns the existing one if id and content are the same.
   * @param signal aborted when the client disconnects: an execution that is not accepted by then is not created.
   * @throws ServiceError, see request.ts, parameters.ts, client-files.ts and resolve-kernel.ts; ALREADY_EXISTS
   *   `alreadyExists`; RESOURCE_EXHAUSTED `storageNotWritable`.
   */
  async create(id: string, request: CreateRequest, signal?: AbortSignal): Promise<Entry> {
    if (!EXECUTION_ID.test(id)) throw fieldInvalid('executionId', `must match ${EXECUTION_ID.source}`);
    const notebook = await readClientFile(
      request.executionTemplate.inputNotebookFile,
      'executionTemplate.inputNotebookFile',
    );
    const content = await contentOf(request, notebook);
    const existing = await this.existing(id);
    if (existing !== undefined) {
      if (existing.record.content === content) return existing;
      throw alreadyExists(id);
    }
    signal?.throwIfAborted();
    const created = this.createExecution(id, request, notebook, content, signal);
    this.creating.set(id, created);
    try {
      return await created;
    } finally {
      this.creating.delete(id);
    }
  }

  /** Checks a request as {@link create} does, without creating anything. @throws ServiceError like {@link create}. */
  async check(request: CreateRequest, notebook: Uint8Array): Promise<void> {
    const { store, hostIdentity, secretParameters } = this.options;
    await accept('check', request, notebook, '', store, hostIdentity, secretParameters());
  }

  /** The execution of an id, after a create in progress. A create that its client aborted does not count. */
  private async existing(id: string): Promise<Entry | undefined> {
    for (;;) {
      const creating = this.creating.get(id);
      if (creating === undefined) return this.index.get(id);
      try {
        return await creating;
      } catch (error) {
        if (error instanceof ServiceError) throw error;
      }
    }
  }

  private async createExecution(
    id: string,
    request: CreateRequest,
    notebook: Uint8Array,
    content: string,
    signal: AbortSignal | undefined,
  ): Promise<Entry> {
    const { record, job } = await accept(
      id,
      request,
      notebook,
      content,
      this.options.store,
      this.options.hostIdentity,
      this.options.secretParameters(),
      signal,
    );
    const entry: Entry = { record };
    try {
      // On disk it is QUEUED from the start: a folder that exists is complete.
      const queued = {
        ...record,
        state: 'QUEUED',
        history: [...record.history, { state: 'QUEUED', time: now() }],
      };
      const jobText = JSON.stringify(job);
      await this.options.store.create(queued, {
        [FILES.input]: notebook,
        [FILES.job]: jobText,
        ...((record.runOptions.maxAttempts ?? 1) > 1 ? { 'retry.json': jobText } : {}),
      });
      Object.assign(record, queued);
      // Visible to clients only now that a crash can no longer undo it.
      this.index.add(entry);
      return entry;
    } catch (error) {
      // The folder belongs to a record that was set aside: its files must not be overwritten.
      if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') throw alreadyExists(id);
      throw storageError(error);
    }
  }
}

function alreadyExists(executionId: string): ServiceError {
  const message = `execution ${executionId} exists with other content`;
  return new ServiceError('ALREADY_EXISTS', 'alreadyExists', message, { executionId });
}
