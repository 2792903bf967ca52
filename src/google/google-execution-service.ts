import { ServiceError } from '../execution/errors';
import type { Execution, ExecutionRequest } from '../execution/execution';
import { executionIdOf } from '../execution/execution-name';
import type {
  Capabilities,
  ExecutionInput,
  ExecutionPage,
  ExecutionService,
  LogChunk,
  OutputDocument,
} from '../execution/execution-service';
import { isActive, isTerminal } from '../execution/states';
import type { GoogleServiceKind } from '../execution/templates/template';
import { consoleUrl } from './console-url';
import { EndedDetails } from './ended-details';
import type { ExecutionApi } from './execution-api';
import { ExecutionCreator } from './execution-creator';
import { documentOf, ownFolder, type ExecutionFiles } from './execution-files';
import type { LogReader } from './logging/log-reader';
import { Remembered } from './remembered';
import type { RequestClock } from './requests/request-sender';
import type { CloudStorageClient } from './storage/cloud-storage-client';
import { formatGsUri } from './storage/gs-uri';
import { unsupportedFields } from './submission/supported-fields';
import { UnseenExecutions, type UnseenRecords } from './unseen-executions';

export interface GoogleServiceParts {
  readonly project: string;
  readonly location: string;
  readonly api: ExecutionApi;
  readonly storage: CloudStorageClient;
  readonly files: ExecutionFiles;
  readonly logs: LogReader;
  readonly clock: RequestClock;
  readonly unseen: UnseenRecords;
  /** Name patterns of parameters whose values are not shown. */
  readonly secretParameters: () => readonly string[];
}

/**
 * How often an output that a user opens is looked for if it ended just now, which is within `JUST_NOW`. Milliseconds.
 */
const OUTPUT_DELAYS = [1000, 2000, 4000];
const JUST_NOW = 60_000;

/** Executions on Google Cloud, of either generation. */
export class GoogleExecutionService implements ExecutionService {
  readonly id: string;
  readonly kind: GoogleServiceKind;
  readonly capabilities: Capabilities;
  private readonly remembered = new Remembered();
  private readonly unseen: UnseenExecutions;
  private readonly details: EndedDetails;
  private readonly creator: ExecutionCreator;

  constructor(private readonly parts: GoogleServiceParts) {
    const { api, project, location } = parts;
    this.kind = api.kind;
    this.capabilities = api.capabilities;
    this.id = `${api.kind}/${project}/${location}`;
    const { remembered } = this;
    this.unseen = new UnseenExecutions(this.id, api, parts.clock, parts.unseen);
    this.details = new EndedDetails({
      ...parts,
      remembered,
      outputUri: (execution, signal) => this.outputUri(execution, signal),
    });
    this.creator = new ExecutionCreator({ ...parts, remembered, unseen: this.unseen });
  }

  /** The unsupported fields of a request, to show before `create`. */
  unsupportedFields(request: ExecutionRequest): string[] {
    return unsupportedFields(this.kind, request);
  }

  /** The page of Google's console that shows the execution (or the job behind it). */
  consoleUrl(execution: Execution): string {
    return consoleUrl(this.kind, this.parts.project, this.parts.location, execution);
  }

  /** The `gs://` URI of the output notebook; undefined if there is none yet. */
  async outputUri(execution: Execution, signal?: AbortSignal): Promise<string | undefined> {
    if (execution.outputNotebookFile !== undefined) return execution.outputNotebookFile;
    const found = await this.findOutput(execution, signal);
    return found === undefined ? undefined : formatGsUri(found.uri);
  }

  async create(
    executionId: string,
    request: ExecutionRequest,
    input: ExecutionInput,
    signal?: AbortSignal,
  ): Promise<Execution> {
    return this.creator.create(executionId, request, input, signal);
  }

  async get(name: string, signal?: AbortSignal): Promise<Execution> {
    const execution = await this.find(name, signal);
    if (isTerminal(execution.state)) await this.details.learn(execution, signal);
    return this.remembered.complete(execution);
  }

  async list(page: { pageSize?: number; pageToken?: string }, signal?: AbortSignal): Promise<ExecutionPage> {
    const { found, nextPageToken } = await this.parts.api.page(page, signal);
    const listed = found.map(({ execution }) => execution);
    await this.details.learnLate(listed, signal);
    const executions = [...(await this.unseenIn(listed, nextPageToken === undefined, signal)), ...listed]
      .map((execution) => this.remembered.complete(execution))
      .sort((a, b) => Date.parse(b.createTime ?? '') - Date.parse(a.createTime ?? ''));
    return { executions, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
  }

  async cancel(name: string, signal?: AbortSignal): Promise<Execution> {
    const { api } = this.parts;
    const execution = await this.find(name, signal);
    if (isTerminal(execution.state)) return this.remembered.complete(execution);
    await api.cancel(execution, signal);
    return this.get(name, signal);
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    const { api, files } = this.parts;
    const execution = this.remembered.complete(await this.find(name, signal));
    if (isActive(execution.state)) {
      try {
        await api.cancel(execution, signal);
      } catch (error) {
        // Deleting ends the execution, too.
        if (!(error instanceof ServiceError) || error.reason !== 'cancelNotPossible') throw error;
      }
    }
    await api.remove(name, signal);
    this.remembered.forget(name);
    this.details.forget(name);
    await this.unseen.remove(name);
    const folder = execution.executionTemplate?.outputNotebookFolder;
    // The folder of an execution from elsewhere may contain other files.
    if (isOurs(execution) && folder !== undefined)
      await files.removeFolder(ownFolder(folder, executionIdOf(name)), signal);
  }

  async readOutput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined> {
    const { files, storage, clock } = this.parts;
    const named = await files.open(execution.outputNotebookFile, signal);
    if (named !== undefined) return named;
    for (const delay of [...(this.hasJustEnded(execution) ? OUTPUT_DELAYS : []), undefined]) {
      const found = await this.findOutput(execution, signal);
      if (found !== undefined) return storage.document(found.uri, found.object);
      if (delay !== undefined) await clock.sleep(delay, signal);
    }
    return undefined;
  }

  async readInput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined> {
    const { api, files } = this.parts;
    const { inputGeneration } = execution.runOptions?.vertex ?? {};
    const stored = await files.open(execution.executionTemplate?.inputNotebookFile, signal, inputGeneration);
    if (stored !== undefined) return stored;
    const content = await api.inlineInput?.(execution, signal);
    return content === undefined ? undefined : documentOf(content);
  }

  async readLog(execution: Execution, from: string, signal?: AbortSignal): Promise<LogChunk> {
    const { api, logs, project } = this.parts;
    const filter = api.logFilter(execution);
    if (filter === undefined) return { text: '', next: from };
    return logs.read({ resource: `projects/${project}`, filter, since: execution.createTime, from }, signal);
  }

  /** Whether an output may still appear in Cloud Storage: a cancelled run may have none. */
  private hasJustEnded({ state, runStatus }: Execution): boolean {
    const ended = Date.parse(runStatus?.endTime ?? '');
    return isTerminal(state) && state !== 'CANCELLED' && this.parts.clock.now() - ended < JUST_NOW;
  }

  private async findOutput(execution: Execution, signal: AbortSignal | undefined) {
    const id = executionIdOf(execution.name);
    const folder = execution.executionTemplate?.outputNotebookFolder;
    if (folder === undefined) return undefined;
    const ours = isOurs(execution);
    return this.parts.files.findOutput(ours ? formatGsUri(ownFolder(folder, id)) : folder, id, ours, signal);
  }

  /** The executions that belong to a page, although the service does not show them. */
  private async unseenIn(
    page: readonly Execution[],
    isLast: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Execution[]> {
    const named = new Set(page.map(({ name }) => name));
    const created = ({ createTime }: Execution): number => Date.parse(createTime ?? '');
    // An older one would stretch the page over executions that only follow.
    const oldest = isLast ? -Infinity : Math.min(...page.map(created));
    const executions: Execution[] = [];
    for (const unseen of await this.unseen.all()) {
      if (named.has(unseen.name)) await this.unseen.remove(unseen.name);
      else if (created(unseen) >= oldest) executions.push(...(await this.lookAgain(unseen, signal)));
    }
    return executions;
  }

  /** An execution that no list shows as it is now; none if it is gone. */
  private async lookAgain(unseen: Execution, signal: AbortSignal | undefined): Promise<Execution[]> {
    if (isTerminal(unseen.state)) return [unseen];
    try {
      return [await this.find(unseen.name, signal)];
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ServiceError)) throw error;
      return error.status === 'NOT_FOUND' ? [] : [unseen];
    }
  }

  /** The execution as the service shows it, or as the operation of its creation explains why it does not. */
  private async find(name: string, signal: AbortSignal | undefined): Promise<Execution> {
    try {
      const { execution } = await this.parts.api.find(name, signal);
      await this.unseen.remove(name);
      return execution;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 'NOT_FOUND') throw error;
      const unseen = await this.unseen.find(name, signal);
      if (unseen === undefined) throw error;
      return unseen;
    }
  }
}

function isOurs(execution: Execution): boolean {
  return execution.runStatus?.elsewhere !== true;
}
