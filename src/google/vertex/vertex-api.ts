import { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import { executionIdOf, type Execution } from '../../execution/execution';
import type { Capabilities } from '../../execution/execution-service';
import type { ExecutionApi, FoundExecution, Submission, SubmissionPlan } from '../execution-api';
import { inputUri, NOTEBOOK_TYPE, ownFolder } from '../execution-files';
import { formatGsUri } from '../gs-uri';
import { withParameters } from '../input';
import { readLabels } from '../labels';
import { awaitOperation, OperationSchema } from '../operations';
import type { RequestSender } from '../requests';
import { fromJob, jobName, JobSchema, toJob, type NotebookExecutionJob } from './job-mapper';

/**
 * Bytes of a notebook that still travel in the request itself. No limit is documented for `directNotebookSource`; the
 * smallest documented one of a Vertex AI request is 1.5 MB (online prediction), and base64 adds a third.
 */
export const INLINE_LIMIT = 1_000_000;

const PageSchema = z.object({
  notebookExecutionJobs: z._default(z.array(JobSchema), []),
  nextPageToken: z.optional(z.string()),
});
const OperationsSchema = z.object({ operations: z._default(z.array(OperationSchema), []) });

/** Errors of an operation's cancel that say: not this way. */
const NOT_CANCELLABLE: ReadonlySet<string> = new Set([
  'UNIMPLEMENTED',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
]);

/** Vertex AI `notebookExecutionJobs` (Vertex AI API v1). */
export class VertexApi implements ExecutionApi {
  readonly kind = 'vertex';
  readonly capabilities: Capabilities = {
    cancel: true,
    log: false,
    liveOutput: false,
    cancelMayFail: true,
    sampledHistory: true,
    opaqueRun: true,
    partialEcho: true,
    detailsOnGet: true,
  };
  private readonly api: aiplatform_v1.Aiplatform;
  private readonly parent: string;

  /** @param endpoint of the location: `https://us-central1-aiplatform.googleapis.com/` */
  constructor(
    private readonly sender: RequestSender,
    private readonly project: string,
    private readonly location: string,
    endpoint: string,
  ) {
    this.api = new aiplatform_v1.Aiplatform({ rootUrl: endpoint });
    this.parent = `projects/${project}/locations/${location}`;
  }

  nameOf(executionId: string): string {
    return jobName(this.parent, executionId);
  }

  plan(submission: Submission): SubmissionPlan {
    const { executionId, request, fingerprint, sourceName, parameters } = submission;
    const template = request.executionTemplate ?? {};
    const content =
      parameters === undefined
        ? submission.notebook
        : withParameters(submission.notebook, parameters, template.kernelSpec);
    const uri = inputUri(ownFolder(template.outputNotebookFolder, executionId), sourceName);
    const inline = content.length <= INLINE_LIMIT;
    const source = inline ? { content } : { uri: formatGsUri(uri) };
    const requestBody = toJob(executionId, request, source, { fingerprint, sourceName });
    return {
      uploads: inline ? [] : [{ uri, content, contentType: NOTEBOOK_TYPE }],
      insert: async (signal) => {
        await this.sender.send(
          OperationSchema,
          (options) =>
            this.jobs.create(
              { parent: this.parent, notebookExecutionJobId: executionId, requestBody },
              options,
            ),
          {
            ...this.context,
            name: this.nameOf(executionId),
            ...(template.serviceAccount === undefined ? {} : { serviceAccount: template.serviceAccount }),
          },
          signal,
        );
      },
    };
  }

  async find(name: string, signal?: AbortSignal): Promise<FoundExecution> {
    return this.found(await this.job(name, undefined, signal));
  }

  async page(
    { pageSize, pageToken }: { pageSize?: number; pageToken?: string },
    signal?: AbortSignal,
  ): Promise<{ found: FoundExecution[]; nextPageToken: string | undefined }> {
    const answer = await this.sender.send(
      PageSchema,
      (options) =>
        this.jobs.list(
          {
            parent: this.parent,
            orderBy: 'create_time desc',
            ...(pageSize === undefined ? {} : { pageSize }),
            ...(pageToken === undefined ? {} : { pageToken }),
          },
          options,
        ),
      this.context,
      signal,
    );
    return {
      found: answer.notebookExecutionJobs.map((job) => this.found(job)),
      nextPageToken: answer.nextPageToken === '' ? undefined : answer.nextPageToken,
    };
  }

  async cancel(execution: Execution, signal?: AbortSignal): Promise<void> {
    const name = this.nameOf(executionIdOf(execution.name));
    const context = { ...this.context, name };
    try {
      const { operations } = await this.sender.send(
        OperationsSchema,
        (options) => this.jobs.operations.list({ name }, options),
        context,
        signal,
      );
      const operation = operations.find(({ done }) => done !== true);
      if (operation === undefined)
        throw new ServiceError('NOT_FOUND', 'operationNotFound', 'No operation is running');
      await this.sender.send(
        z.unknown(),
        (options) =>
          operation.name.includes('/notebookExecutionJobs/')
            ? this.jobs.operations.cancel({ name: operation.name }, options)
            : this.api.projects.locations.operations.cancel({ name: operation.name }, options),
        context,
        signal,
      );
    } catch (error) {
      if (error instanceof ServiceError && NOT_CANCELLABLE.has(error.status)) {
        throw new ServiceError(
          'FAILED_PRECONDITION',
          'cancelNotPossible',
          error.message,
          { name },
          { cause: error },
        );
      }
      throw error;
    }
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const own = this.nameOf(executionIdOf(name));
    const context = { ...this.context, name: own };
    const remove = async (): Promise<void> => {
      const operation = await this.sender.send(
        OperationSchema,
        (options) => this.jobs.delete({ name: own }, options),
        context,
        signal,
      );
      await awaitOperation(
        this.sender,
        operation,
        (operationName, options) =>
          this.api.projects.locations.operations.get({ name: operationName }, options),
        context,
        signal,
      );
    };
    try {
      await remove();
    } catch (error) {
      // It was there when the caller looked: an earlier attempt, whose answer was lost, deleted it.
      if (!(error instanceof ServiceError) || error.status !== 'NOT_FOUND') throw error;
    }
  }

  async inlineInput(execution: Execution, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const job = await this.job(execution.name, 'NOTEBOOK_EXECUTION_JOB_VIEW_FULL', signal);
    const content = job.directNotebookSource?.content;
    return content === undefined ? undefined : Buffer.from(content, 'base64');
  }

  private async job(
    name: string,
    view: 'NOTEBOOK_EXECUTION_JOB_VIEW_FULL' | undefined,
    signal: AbortSignal | undefined,
  ): Promise<NotebookExecutionJob> {
    const own = this.nameOf(executionIdOf(name));
    return this.sender.send(
      JobSchema,
      (options) => this.jobs.get({ name: own, ...(view === undefined ? {} : { view }) }, options),
      { ...this.context, name: own },
      signal,
    );
  }

  private found(job: NotebookExecutionJob): FoundExecution {
    return { execution: fromJob(this.parent, job), fingerprint: readLabels(job.labels).fingerprint };
  }

  private get jobs(): aiplatform_v1.Resource$Projects$Locations$Notebookexecutionjobs {
    return this.api.projects.locations.notebookExecutionJobs;
  }

  private get context(): { project: string; location: string } {
    return { project: this.project, location: this.location };
  }
}
