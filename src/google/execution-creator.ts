import { ServiceError } from '../execution/errors';
import type { Execution, ExecutionRequest, ExecutionWarning } from '../execution/execution';
import { EXECUTION_ID, executionIdOf } from '../execution/execution-name';
import type { ExecutionInput } from '../execution/execution-service';
import { readAll } from '../execution/read-all';
import type { JsonObject } from '../notebook/json';
import { yamlWordWarnings } from '../notebook/parameters/yaml/words';
import type { ExecutionApi, FoundExecution, SubmissionPlan } from './execution-api';
import { ownFolder, requestFingerprint, sourceNameOf, type ExecutionFiles } from './execution-files';
import type { Remembered } from './remembered';
import { failureOfOperation, type Operation } from './requests/operations';
import type { RequestClock } from './requests/request-sender';
import type { CloudStorageClient } from './storage/cloud-storage-client';
import { parameterWarnings, readParameters, stripOutputs } from './submission/input';
import { otherSourceOf, pinnedSource, type OtherSource } from './submission/other-source';
import { checkRequest } from './submission/request-checks';
import { unsupportedFields } from './submission/supported-fields';
import type { UnseenExecutions } from './unseen-executions';

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

interface CreatorParts {
  readonly location: string;
  readonly api: ExecutionApi;
  readonly storage: CloudStorageClient;
  readonly files: ExecutionFiles;
  readonly clock: RequestClock;
  readonly remembered: Remembered;
  readonly unseen: UnseenExecutions;
  /** Name patterns of parameters whose values are not shown. */
  readonly secretParameters: () => readonly string[];
}

/** Creates executions: checks the request, uploads the files, sends the request, and waits until it is visible. */
export class ExecutionCreator {
  constructor(private readonly parts: CreatorParts) {}

  /** See ExecutionService.create. */
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
    const { api, files, storage, remembered, secretParameters } = this.parts;
    const template = request.executionTemplate ?? {};
    checkRequest(api.kind, request);
    const fingerprint = requestFingerprint(request, input.notebook);
    const other = otherSourceOf(api.kind, request);
    const submitted = other === undefined ? stripOutputs(input.notebook) : undefined;
    // Checks the field before anything is sent.
    const folder = ownFolder(template.outputNotebookFolder, executionId);
    const { parameters, words } = await readParameters(template, files, signal);
    const source =
      submitted === undefined && other !== undefined
        ? await this.resolve(other, parameters, signal)
        : { notebook: submitted };
    const { notebook } = source;
    const sourceName = sourceNameOf(api.kind, request);
    const plan = api.plan({ executionId, request, fingerprint, sourceName, parameters, ...source });
    // Checked first, because without its output bucket the run would fail only after its last cell.
    const bucketLocation = await storage.bucketLocation(folder.bucket, signal);
    const operation = await this.submit(executionId, plan, input, signal);
    const name = api.nameOf(executionId);
    const found = await this.findCreated(name, signal);
    if (found !== undefined && found.fingerprint !== fingerprint) throw existing(name);
    const started = found === undefined ? await this.startedOf(operation, plan, signal) : undefined;
    remembered.created(name, request, [
      ...(parameters === undefined || notebook === undefined
        ? []
        : parameterWarnings(notebook, parameters, template.kernelSpec)),
      ...yamlWordWarnings(words, secretParameters()),
      ...this.warnings(request, folder.bucket, bucketLocation),
    ]);
    if (found !== undefined) return remembered.complete(found.execution);
    const displayName = request.displayName ?? sourceName?.replace(/\.ipynb$/i, '') ?? executionId;
    const execution = remembered.complete(this.parts.unseen.create(name, displayName));
    await this.parts.unseen.add(execution, started);
    return execution;
  }

  /**
   * A notebook in place of the submitted one. It is read if parameters must be written into it, otherwise the service
   * reads it.
   */
  private async resolve(
    other: OtherSource,
    parameters: JsonObject | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ notebook?: Uint8Array; other?: OtherSource }> {
    if (!('uri' in other)) return { other };
    const { source, document } = await pinnedSource(other, this.parts.storage, signal);
    return parameters === undefined || this.parts.api.kind === 'notebooks'
      ? { other: source }
      : { notebook: stripOutputs(await readAll(document, signal)) };
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
  ): Promise<Operation | undefined> {
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
      return await plan.insert(signal);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error.reason === 'alreadyExists') return undefined;
      if (REFUSALS.has(error.status)) await this.discardUploads(plan, signal);
      throw error;
    }
  }

  /** The operation that creates an execution that is not visible yet. @throws ServiceError if it has failed */
  private async startedOf(
    started: Operation | undefined,
    plan: SubmissionPlan,
    signal: AbortSignal | undefined,
  ): Promise<Operation | undefined> {
    if (started === undefined) return undefined;
    const operation = started.done === true ? started : await this.parts.api.operation(started.name, signal);
    const failure = failureOfOperation(operation, plan.context);
    if (failure === undefined) return operation;
    await this.discardUploads(plan, signal);
    throw failure;
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
    const { api, location } = this.parts;
    const warnings = unsupportedFields(api.kind, request).map((field) => ({
      code: 'fieldIgnored',
      args: [field.replace('executionTemplate.', '')],
    }));
    // Regions contain a hyphen (us-central1); multi-regions (us) and dual regions (nam4) do not.
    return bucketLocation?.includes('-') === true && bucketLocation !== location
      ? [...warnings, { code: 'bucketInOtherRegion', args: [bucket, bucketLocation, location] }]
      : warnings;
  }
}

function existing(name: string): ServiceError {
  const message = `${name} exists with other content`;
  return new ServiceError('ALREADY_EXISTS', 'alreadyExists', message, { executionId: executionIdOf(name) });
}
