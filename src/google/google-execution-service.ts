import { ServiceError } from '../execution/errors';
import type { Execution, ExecutionRequest, ExecutionWarning } from '../execution/execution';
import { EXECUTION_ID, executionIdOf } from '../execution/execution-name';
import type {
  Capabilities,
  ExecutionInput,
  ExecutionPage,
  ExecutionService,
  LogChunk,
  OutputDocument,
} from '../execution/execution-service';
import { readAll } from '../execution/read-all';
import { isActive, isTerminal } from '../execution/states';
import type { GoogleServiceKind } from '../execution/templates/template';
import type { CloudStorageClient } from './storage/cloud-storage-client';
import { consoleUrl } from './console-url';
import type { ExecutionApi, FoundExecution, SubmissionPlan } from './execution-api';
import {
  documentOf,
  failedCell,
  requestFingerprint,
  ownFolder,
  sourceNameOf,
  type ExecutionFiles,
} from './execution-files';
import { formatGsUri } from './storage/gs-uri';
import { unsupportedFields } from './submission/supported-fields';
import { parameterWarnings, readParameters, stripOutputs } from './submission/input';
import { Remembered, type Details } from './remembered';
import { checkRequest } from './submission/request-checks';
import type { RequestClock } from './requests/request-sender';
import { withFailedCell } from './run-status';

export interface GoogleServiceParts {
  readonly project: string;
  readonly location: string;
  readonly api: ExecutionApi;
  readonly storage: CloudStorageClient;
  readonly files: ExecutionFiles;
  readonly clock: RequestClock;
}

/** Larger outputs are not searched for the failing cell. Bytes. */
const SEARCHED_OUTPUT = 20 * 1024 * 1024;
/** Delays between checks whether a created execution is visible, in milliseconds. */
const VISIBILITY_DELAYS = [250, 500, 1000, 2000];

/** Statuses that mean that nothing was created, so the uploads can be deleted. */
const REFUSALS: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'RESOURCE_EXHAUSTED',
  'NOT_FOUND',
]);

/** Executions on Google Cloud, of either generation. */
export class GoogleExecutionService implements ExecutionService {
  readonly id: string;
  readonly kind: GoogleServiceKind;
  readonly capabilities: Capabilities;
  private readonly remembered = new Remembered();

  constructor(private readonly parts: GoogleServiceParts) {
    const { api, project, location } = parts;
    this.kind = api.kind;
    this.capabilities = api.capabilities;
    this.id = `${api.kind}/${project}/${location}`;
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
    if (!EXECUTION_ID.test(executionId)) {
      throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `Not an execution id: ${executionId}`, {
        field: 'executionId',
      });
    }
    const { api, files, storage } = this.parts;
    const template = request.executionTemplate ?? {};
    checkRequest(this.kind, request);
    const fingerprint = requestFingerprint(request, input.notebook);
    const notebook = stripOutputs(input.notebook);
    // Checks the field before anything is sent.
    const folder = ownFolder(template.outputNotebookFolder, executionId);
    const parameters = await readParameters(template, files, signal);
    const sourceName = sourceNameOf(request);
    const plan = api.plan({ executionId, request, fingerprint, sourceName, notebook, parameters });
    // Checked first, because without its output bucket the run would fail only after its last cell.
    const bucketLocation = await storage.bucketLocation(folder.bucket, signal);
    await this.submit(executionId, plan, input, signal);
    const name = api.nameOf(executionId);
    const found = await this.findCreated(name, signal);
    if (found !== undefined && found.fingerprint !== fingerprint) throw existing(name);
    this.remembered.created(name, request, [
      ...(parameters === undefined ? [] : parameterWarnings(notebook, parameters, template.kernelSpec)),
      ...this.warnings(request, folder.bucket, bucketLocation),
    ]);
    return this.remembered.complete(found?.execution ?? { name, state: 'INITIALIZING' });
  }

  async get(name: string, signal?: AbortSignal): Promise<Execution> {
    const { execution } = await this.parts.api.find(name, signal);
    if (isTerminal(execution.state)) await this.learnDetails(execution, signal);
    return this.remembered.complete(execution);
  }

  async list(page: { pageSize?: number; pageToken?: string }, signal?: AbortSignal): Promise<ExecutionPage> {
    const { found, nextPageToken } = await this.parts.api.page(page, signal);
    const executions = found
      .map(({ execution }) => this.remembered.complete(execution))
      .sort((a, b) => Date.parse(b.createTime ?? '') - Date.parse(a.createTime ?? ''));
    return { executions, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
  }

  async cancel(name: string, signal?: AbortSignal): Promise<Execution> {
    const { api } = this.parts;
    const { execution } = await api.find(name, signal);
    if (isTerminal(execution.state)) return this.remembered.complete(execution);
    await api.cancel(execution, signal);
    return this.get(name, signal);
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    const { api, files } = this.parts;
    const { execution } = await api.find(name, signal);
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
    const folder = execution.executionTemplate?.outputNotebookFolder;
    // The folder of an execution from elsewhere may contain other files.
    if (isOurs(execution) && folder !== undefined)
      await files.removeFolder(ownFolder(folder, executionIdOf(name)), signal);
  }

  async readOutput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined> {
    const { files, storage } = this.parts;
    const named = await files.open(execution.outputNotebookFile, signal);
    if (named !== undefined) return named;
    const found = await this.findOutput(execution, signal);
    return found === undefined ? undefined : storage.document(found.uri, found.object);
  }

  async readInput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined> {
    const { api, files } = this.parts;
    const stored = await files.open(execution.executionTemplate?.inputNotebookFile, signal);
    if (stored !== undefined) return stored;
    const content = await api.inlineInput?.(execution, signal);
    return content === undefined ? undefined : documentOf(content);
  }

  async readLog(execution: Execution): Promise<LogChunk> {
    return Promise.reject(
      new ServiceError('UNIMPLEMENTED', 'logNotAvailable', 'Google Cloud keeps the log in Cloud Logging', {
        name: execution.name,
      }),
    );
  }

  /**
   * Uploads the files and creates the execution. An id that is taken is not an error here: the caller compares the
   * fingerprints.
   */
  private async submit(
    executionId: string,
    plan: SubmissionPlan,
    input: ExecutionInput,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { api, storage } = this.parts;
    try {
      for (const { uri, content, contentType } of plan.uploads)
        await storage.upload(uri, content, { contentType, onUpload: input.onUpload }, signal);
    } catch (error) {
      throw error instanceof ServiceError && error.reason === 'objectExists'
        ? existing(api.nameOf(executionId))
        : error;
    }
    try {
      await plan.insert(signal);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error.reason === 'alreadyExists') return;
      if (REFUSALS.has(error.status)) await this.discardUploads(plan, signal);
      throw error;
    }
  }

  private async discardUploads(plan: SubmissionPlan, signal: AbortSignal | undefined): Promise<void> {
    try {
      for (const { uri } of plan.uploads) await this.parts.storage.remove(uri, signal);
    } catch {
      // The reason of the refusal matters more than a file that could not be deleted.
    }
  }

  /** The created execution; undefined if the service does not show it yet. */
  private async findCreated(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<FoundExecution | undefined> {
    const { api, clock } = this.parts;
    for (const delay of [...VISIBILITY_DELAYS, undefined]) {
      try {
        return await api.find(name, signal);
      } catch (error) {
        if (!(error instanceof ServiceError) || error.status !== 'NOT_FOUND') throw error;
        if (delay !== undefined) await clock.sleep(delay, signal);
      }
    }
    return undefined;
  }

  private warnings(
    request: ExecutionRequest,
    bucket: string,
    bucketLocation: string | undefined,
  ): ExecutionWarning[] {
    const { location } = this.parts;
    const warnings = this.unsupportedFields(request).map((field) => ({
      code: 'fieldIgnored',
      args: [field.replace('executionTemplate.', '')],
    }));
    // Regions contain a hyphen (us-central1); multi-regions (us) and dual regions (nam4) do not.
    return bucketLocation?.includes('-') === true && bucketLocation !== location
      ? [...warnings, { code: 'bucketInOtherRegion', args: [bucket, bucketLocation, location] }]
      : warnings;
  }

  private async findOutput(execution: Execution, signal: AbortSignal | undefined) {
    const id = executionIdOf(execution.name);
    const folder = execution.executionTemplate?.outputNotebookFolder;
    if (folder === undefined) return undefined;
    const ours = isOurs(execution);
    return this.parts.files.findOutput(ours ? formatGsUri(ownFolder(folder, id)) : folder, id, ours, signal);
  }

  private async learnDetails(execution: Execution, signal: AbortSignal | undefined): Promise<void> {
    if (this.remembered.hasDetails(execution.name)) return;
    try {
      this.remembered.ended(execution.name, await this.readDetails(execution, signal));
    } catch (error) {
      signal?.throwIfAborted();
      // The state is correct without the details; the next get requests them again.
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  private async readDetails(execution: Execution, signal: AbortSignal | undefined): Promise<Details> {
    const known = await this.parts.api.runDetails?.(execution, signal);
    const runStatus = { ...execution.runStatus, ...known };
    const uri = await this.outputUri(execution, signal);
    const output = uri === undefined ? undefined : await this.parts.files.open(uri, signal);
    const searched =
      execution.state === 'FAILED' && output !== undefined && (output.size ?? 0) <= SEARCHED_OUTPUT;
    return {
      ...(output === undefined || uri === undefined ? {} : { outputNotebookFile: uri }),
      runStatus: searched
        ? withFailedCell(runStatus, failedCell((await readAll(output, signal)).toString('utf8')))
        : runStatus,
    };
  }
}

function isOurs(execution: Execution): boolean {
  return execution.runStatus?.elsewhere !== true;
}

function existing(name: string): ServiceError {
  const message = `${name} exists with other content`;
  return new ServiceError('ALREADY_EXISTS', 'alreadyExists', message, { executionId: executionIdOf(name) });
}
