import type { Execution } from '../execution/execution';
import { ServiceError } from '../execution/errors';
import { isTerminal } from '../execution/states';
import { ExecutionCreator, type CreatorOptions } from './create/execution-creator';
import { removeJobs } from './executions/attempt-files';
import { showEnding, type Entry } from './executions/entry';
import { ExecutionIndex } from './executions/execution-index';
import { errorCode } from '../system/files';
import { storageError } from './executions/folder-store';
import { OtherExecutions } from './executions/other-executions';
import type { OtherHosts } from './executions/other-hosts';
import { now, present } from './executions/record';
import type { CreateRequest } from './create/request';
import { RunQueue, type QueueOptions } from './attempts/run-queue';

/** Dependencies of an {@link ExecutionManager}. */
export interface ManagerOptions
  extends CreatorOptions, Pick<QueueOptions, 'supervisor' | 'maxConcurrent' | 'onDidChangeRunning' | 'log'> {
  readonly others: OtherHosts;
}

/**
 * The executions of this service, and what the API can do with them. They are in memory and on disk. Memory is
 * authoritative, and everything that a client was answered is on disk.
 */
export class ExecutionManager {
  private readonly index = new ExecutionIndex();
  private readonly creator: ExecutionCreator;
  private readonly queue: RunQueue;
  private readonly others: OtherExecutions;

  constructor(private readonly options: ManagerOptions) {
    const { store, others: hosts, log } = options;
    this.creator = new ExecutionCreator(options, this.index);
    this.others = new OtherExecutions({ store, hosts, log, index: this.index });
    this.queue = new RunQueue({
      ...options,
      index: this.index,
      isOnOtherHost: (id) => this.others.has(id),
      onEnded: async (entry) => {
        if (entry.record.deleteTime !== undefined) await this.remove(entry);
      },
    });
  }

  /** Reads all records, adopts running executions, and starts queued ones. */
  async start(): Promise<void> {
    const records = await this.options.store.load();
    records.sort((a, b) =>
      a.createTime < b.createTime || (a.createTime === b.createTime && a.id < b.id) ? -1 : 1,
    );
    for (const record of records) this.index.add({ record });

    for (const entry of this.index) {
      const { record } = entry;
      if (isTerminal(record.state)) {
        if (record.deleteTime !== undefined) this.background(this.remove(entry));
        // The previous service may have been killed while it cancelled a queued execution.
        else if (record.runStatus?.startTime === undefined) this.background(this.removeJobs(record.id));
      } else if (!this.others.note(record) && record.state !== 'QUEUED') {
        this.queue.adopt(entry);
      }
    }
    await this.refreshOthers();
  }

  /** Reads what other hosts have done, and takes over the unfinished executions of hosts that are gone. */
  async refreshOthers(): Promise<void> {
    const inherited = await this.others.refresh(
      (id) => this.creator.isCreating(id) || this.queue.isRunning(id),
    );
    for (const entry of inherited) if (entry.record.state !== 'QUEUED') this.queue.adopt(entry);

    this.queue.pump();
  }

  /** Runtime directories of executions that have not ended. */
  get runtimes(): Set<string> {
    const runtimes = [...this.index].map(({ record }) => record.runtime);
    return new Set(runtimes.filter((runtime) => runtime !== undefined));
  }

  /** All executions, in any state. */
  get executions(): ExecutionIndex {
    return this.index;
  }

  get running(): number {
    return this.queue.running;
  }

  get queued(): number {
    return this.queue.queued;
  }

  /** True while there is work: the service must not stop then. */
  get busy(): boolean {
    return this.running > 0 || this.creator.isBusy || this.queued > 0;
  }

  /**
   * Creates an execution, or returns the existing one if id and content are the same, see {@link ExecutionCreator}.
   */
  async create(id: string, request: CreateRequest, signal?: AbortSignal): Promise<Execution> {
    try {
      const { record, status } = await this.creator.create(id, request, signal);
      return present(record, status);
    } finally {
      this.queue.pump();
    }
  }

  /** Checks a request as {@link create} does, without creating anything. @throws ServiceError like {@link create}. */
  async check(request: CreateRequest, notebook: Uint8Array): Promise<void> {
    await this.creator.check(request, notebook);
  }

  /** The execution with this id. @throws ServiceError NOT_FOUND `executionNotFound` */
  get(id: string): Execution {
    const { record, status } = this.find(id);
    return present(record, status);
  }

  /**
   * Cancels an execution; one that has ended stays as it is. The request to cancel is on disk before the answer.
   * @throws ServiceError NOT_FOUND; FAILED_PRECONDITION `otherHost` (args `host`) if another host runs it;
   *   RESOURCE_EXHAUSTED (args `code`) if the request cannot be saved: `storageNotWritable` for a queued execution,
   *   which stays queued; `cancelNotSaved` for a running one, which is being cancelled nevertheless.
   */
  async cancel(id: string): Promise<Execution> {
    const entry = await this.findOwn(id);
    const { record } = entry;
    if (record.state === 'QUEUED') await this.cancelWaiting(entry);
    else if (!isTerminal(record.state)) await this.cancelRunning(entry);
    return present(record, entry.status);
  }

  /** Cancels a running execution, even if that cannot be saved: a full disk may be the reason for cancelling. */
  private async cancelRunning(entry: Entry): Promise<void> {
    const { record } = entry;
    if (record.cancelTime === undefined) {
      const time = now();
      Object.assign(record, { cancelTime: time, updateTime: time });
      this.options.supervisor.cancel(entry);
    }
    // Also if it was requested before, since that may not have been saved.
    await this.save(entry).catch((error: unknown) => {
      throw error instanceof ServiceError && error.reason === 'storageNotWritable'
        ? cancelNotSaved(error.args)
        : error;
    });
  }

  /** Cancels a queued execution. If that cannot be saved, it stays queued, because a restarted service would run it. */
  private async cancelWaiting(entry: Entry): Promise<void> {
    const { record } = entry;
    const time = now();
    const ending = {
      state: 'CANCELLED',
      cancelTime: time,
      updateTime: time,
      history: [...record.history, { state: 'CANCELLED', time }],
      runStatus: { ...record.runStatus, attempt: record.attempt, endTime: time, cause: 'cancelled' },
    };
    entry.ending = ending;
    try {
      await this.save(entry);
    } catch (error) {
      if (entry.ending === ending) entry.ending = undefined;
      this.queue.pump();
      throw error;
    }
    showEnding(entry, ending);
    await this.removeJobs(record.id);
  }

  /** Removes the job of an execution that will not run: it contains the user's environment. */
  private async removeJobs(id: string): Promise<void> {
    const { store, log } = this.options;
    for (const error of await removeJobs(store, id)) log(`${id}: cannot remove its job: ${String(error)}`);
  }

  /**
   * Deletes an execution with its files, even if its record cannot be read. One that has not ended is cancelled first,
   * and removed when it has ended. The request to delete is on disk before the answer.
   * @returns true when it is removed; false if it will be.
   * @throws ServiceError like {@link cancel}; RESOURCE_EXHAUSTED `storageNotWritable` if the disk prevents it.
   */
  async delete(id: string): Promise<boolean> {
    const { store } = this.options;
    if (this.index.get(id) === undefined && store.isSetAside(id)) {
      await store.remove(id).catch((error: unknown) => {
        throw storageError(error);
      });
      return true;
    }
    const entry = await this.findOwn(id);
    const { record } = entry;
    const previous = record.deleteTime;
    record.deleteTime ??= now();
    try {
      // A queued execution is cancelled below, and that write saves the delete time too.
      const isRemovedLater = !isTerminal(record.state) || this.queue.isRunning(id);
      if (isRemovedLater && record.state !== 'QUEUED') await this.save(entry);
      await this.cancel(id);
      if (this.queue.isRunning(id)) return false;
      await this.remove(entry);
      return true;
    } catch (error) {
      if (error instanceof ServiceError && error.reason === 'executionNotFound') {
        // It has ended, and is being removed already.
        await this.remove(entry);
        return true;
      }
      record.deleteTime = previous;
      throw storageError(error);
    }
  }

  /**
   * Pins an execution, so that it is not deleted for its age or size, or unpins it.
   * @throws ServiceError like {@link cancel}.
   */
  async pin(id: string, pinned: boolean): Promise<Execution> {
    const entry = await this.findOwn(id);
    const { record, status } = entry;
    const previous = record.pinned;
    record.pinned = pinned;
    await this.save(entry).catch((error: unknown) => {
      record.pinned = previous;
      throw error;
    });
    return present(record, status);
  }

  /** Whether an execution of this id exists and is to be deleted. */
  isBeingDeleted(id: string): boolean {
    return this.index.get(id)?.record.deleteTime !== undefined;
  }

  private find(id: string): Entry {
    const entry = this.index.get(id);
    if (entry !== undefined) return entry;
    throw notFound(id);
  }

  /** An execution of this host; waits for a create in progress. */
  private async findOwn(id: string): Promise<Entry> {
    await this.creator.settled(id);
    const entry = this.find(id);
    if (!this.others.has(id)) return entry;
    const { host = '' } = entry.record;
    throw new ServiceError('FAILED_PRECONDITION', 'otherHost', `${id} runs on ${host}`, { host });
  }

  private async remove(entry: Entry): Promise<void> {
    const { id } = entry.record;
    await this.options.store.remove(id);
    this.index.forget(id);
  }

  /** @throws ServiceError `executionNotFound` if its folder is gone, `storageNotWritable`. */
  private async save(entry: Entry): Promise<void> {
    try {
      await this.options.store.save(entry);
    } catch (error) {
      throw errorCode(error) === 'ENOENT' ? notFound(entry.record.id) : storageError(error);
    }
  }

  private background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.options.log(`error in a background task: ${String(error)}`);
    });
  }
}

function notFound(executionId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'executionNotFound', `no execution ${executionId}`, { executionId });
}

function cancelNotSaved(args: Readonly<Record<string, string>>): ServiceError {
  const message =
    `the execution is being cancelled, but that could not be saved (${args['code'] ?? ''}): ` +
    'if the service stops before the execution has ended, cancel it again';
  return new ServiceError('RESOURCE_EXHAUSTED', 'cancelNotSaved', message, args);
}
