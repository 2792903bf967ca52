import { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import { executionIdOf } from '../../execution/execution-name';
import type { FoundExecution, PlannedUpload, PreparedRequest, SubmissionPlan } from '../execution-api';
import { inputUri, NOTEBOOK_TYPE, ownFolder } from '../execution-files';
import { formatGsUri } from '../storage/gs-uri';
import { withParameters } from '../submission/input';
import { readLabels } from '../labels';
import { OperationSchema } from '../requests/operations';
import type { RequestSender } from '../requests/request-sender';
import { ResourceApi, type ResourceMethods } from '../resource-api';
import { fromJob, toJob, type JobSource } from './job-mapper';
import { JobSchema, type NotebookExecutionJob } from './job-schema';

/**
 * Maximum bytes of a notebook that is sent in the request itself. No limit is documented for `directNotebookSource`;
 * the smallest documented limit of a Vertex AI request is 1.5 MB (online prediction), and base64 adds a third.
 */
export const INLINE_LIMIT = 1_000_000;

const PageSchema = z.pipe(
  z.object({
    notebookExecutionJobs: z._default(z.array(JobSchema), []),
    nextPageToken: z.optional(z.string()),
  }),
  z.transform(({ notebookExecutionJobs: resources, nextPageToken }) => ({ resources, nextPageToken })),
);
const OperationsSchema = z.object({ operations: z._default(z.array(OperationSchema), []) });

/** Errors of an operation's cancel that mean that it cannot be cancelled. */
const NOT_CANCELLABLE: ReadonlySet<string> = new Set([
  'UNIMPLEMENTED',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
]);

/** Vertex AI `notebookExecutionJobs` (Vertex AI API v1). */
export class VertexApi extends ResourceApi<NotebookExecutionJob> {
  readonly kind = 'vertex';
  protected readonly methods: ResourceMethods<NotebookExecutionJob>;
  private readonly locations: aiplatform_v1.Resource$Projects$Locations;

  /** @param endpoint of the location: `https://us-central1-aiplatform.googleapis.com/` */
  constructor(sender: RequestSender, project: string, location: string, endpoint: string) {
    super(sender, project, location, 'notebookExecutionJobs');
    const { locations } = new aiplatform_v1.Aiplatform({ rootUrl: endpoint }).projects;
    const jobs = locations.notebookExecutionJobs;
    this.locations = locations;
    this.methods = {
      get: (params, options) => jobs.get(params, options),
      list: (params, options) => jobs.list(params, options),
      delete: (params, options) => jobs.delete(params, options),
      getOperation: (params, options) => locations.operations.get(params, options),
      schema: JobSchema,
      pageSchema: PageSchema,
    };
  }

  plan(prepared: PreparedRequest): SubmissionPlan {
    const { executionId, request, fingerprint, sourceName } = prepared;
    const { source, uploads } = sourceOf(prepared);
    const requestBody = toJob(executionId, request, source, { fingerprint, sourceName });
    const params = { parent: this.parent, notebookExecutionJobId: executionId, requestBody };
    const { notebookExecutionJobs } = this.locations;
    return this.planOf(prepared, uploads, (options) => notebookExecutionJobs.create(params, options));
  }

  async cancel(execution: Execution, signal?: AbortSignal): Promise<void> {
    const name = this.nameOf(executionIdOf(execution.name));
    const context = { ...this.context, name };
    const ofJobs = this.locations.notebookExecutionJobs.operations;
    try {
      const { operations } = await this.sender.send(
        OperationsSchema,
        (options) => ofJobs.list({ name }, options),
        context,
        signal,
      );
      const operation = operations.find(({ done }) => done !== true);
      if (operation === undefined)
        throw new ServiceError('NOT_FOUND', 'operationNotFound', 'No operation is running');
      await this.sender.send(
        z.unknown(),
        (options) => this.locations.operations.cancel({ name: operation.name }, options),
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

  /**
   * The service does not document how the entries of a job are marked. Google's JupyterLab plugin searches for the job's
   * id in all fields, too; the backticks keep the id's parts together. Audit logs are entries about requests.
   */
  logFilter({ name }: Execution): string {
    const id = executionIdOf(name).replace(/[^\w-]/g, '');
    return `SEARCH("\`${id}\`") AND NOT logName:"cloudaudit.googleapis.com"`;
  }

  async inlineInput(execution: Execution, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const { notebookExecutionJobs } = this.locations;
    const view = 'NOTEBOOK_EXECUTION_JOB_VIEW_FULL';
    const job = await this.fetch(
      execution.name,
      ({ name }, options) => notebookExecutionJobs.get({ name, view }, options),
      signal,
    );
    const content = job.directNotebookSource?.content;
    return content === undefined ? undefined : Buffer.from(content, 'base64');
  }

  protected found(job: NotebookExecutionJob): FoundExecution {
    return { execution: fromJob(this.parent, job), fingerprint: readLabels(job.labels).fingerprint };
  }
}

/** Where the service reads the notebook, and what must be uploaded before. */
function sourceOf({ executionId, request, sourceName, parameters, notebook, other }: PreparedRequest): {
  source: JobSource;
  uploads: PlannedUpload[];
} {
  if (other !== undefined) return { source: other, uploads: [] };
  const { outputNotebookFolder, kernelSpec } = request.executionTemplate ?? {};
  const submitted = notebook ?? new Uint8Array();
  const content = parameters === undefined ? submitted : withParameters(submitted, parameters, kernelSpec);
  if (content.length <= INLINE_LIMIT) return { source: { content }, uploads: [] };
  const uri = inputUri(ownFolder(outputNotebookFolder, executionId), sourceName);
  return { source: { uri: formatGsUri(uri) }, uploads: [{ uri, content, contentType: NOTEBOOK_TYPE }] };
}
