import { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import { notebooks_v1 } from 'googleapis/build/src/apis/notebooks/v1';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import { encodeParameters } from '../../notebook/parameters/parse';
import { customJobOf } from '../console-url';
import type { FoundExecution, PlannedUpload, PreparedRequest, SubmissionPlan } from '../execution-api';
import { inputUri, NOTEBOOK_TYPE, ownFolder } from '../execution-files';
import { formatGsUri, inFolder } from '../storage/gs-uri';
import { readLabels } from '../labels';
import type { RequestSender } from '../requests/request-sender';
import { ResourceApi, type ResourceMethods } from '../resource-api';
import { runStatusOf } from '../run-status';
import { fromV1, toV1, V1ExecutionSchema, type V1Execution } from './execution-mapper';

const PageSchema = z.pipe(
  z.object({
    executions: z._default(z.array(V1ExecutionSchema), []),
    nextPageToken: z.optional(z.string()),
  }),
  z.transform(({ executions: resources, nextPageToken }) => ({ resources, nextPageToken })),
);

/** The fields of a custom job that this client reads (Vertex AI API v1). */
const CustomJobSchema = z.object({
  startTime: z.optional(z.string()),
  endTime: z.optional(z.string()),
  error: z.optional(z.object({ code: z.optional(z.number()), message: z.optional(z.string()) })),
});

/** The Notebooks API v1, whose executions run as custom jobs of Vertex AI (or as Dataproc jobs). */
export class NotebooksApi extends ResourceApi<V1Execution> {
  readonly kind = 'notebooks';
  protected readonly methods: ResourceMethods<V1Execution>;
  private readonly executions: notebooks_v1.Resource$Projects$Locations$Executions;

  /**
   * @param endpoint `https://notebooks.googleapis.com/`
   * @param jobsEndpoint Vertex AI's endpoint of a location, for the jobs
   */
  constructor(
    sender: RequestSender,
    project: string,
    location: string,
    endpoint: string,
    private readonly jobsEndpoint: (location: string) => string,
  ) {
    super(sender, project, location, 'executions');
    const { locations } = new notebooks_v1.Notebooks({ rootUrl: endpoint }).projects;
    const { executions } = locations;
    this.executions = executions;
    this.methods = {
      get: (params, options) => executions.get(params, options),
      list: (params, options) => executions.list(params, options),
      delete: (params, options) => executions.delete(params, options),
      getOperation: (params, options) => locations.operations.get(params, options),
      schema: V1ExecutionSchema,
      pageSchema: PageSchema,
    };
  }

  plan(prepared: PreparedRequest): SubmissionPlan {
    const { executionId, request, fingerprint, sourceName, parameters, notebook, other } = prepared;
    const folder = ownFolder(request.executionTemplate?.outputNotebookFolder, executionId);
    const own = inputUri(folder, sourceName);
    const uploads: PlannedUpload[] =
      notebook === undefined ? [] : [{ uri: own, content: notebook, contentType: NOTEBOOK_TYPE }];
    const input = other !== undefined && 'uri' in other ? other.uri : formatGsUri(own);
    // The format of `parameters` is undocumented, but that of a parameter file is documented: YAML. A file of the user
    // is not sent as it is: the service would read it as YAML 1.1, and it may be deleted before the run.
    let parametersFile: string | undefined;
    if (parameters !== undefined) {
      const uri = inFolder(folder, 'input/parameters.yaml');
      parametersFile = formatGsUri(uri);
      uploads.push({
        uri,
        content: Buffer.from(encodeParameters(parameters)),
        contentType: 'application/yaml',
      });
    }
    const files = { input, parameters: parametersFile };
    const requestBody = toV1(executionId, request, files, { fingerprint, sourceName });
    const params = { parent: this.parent, executionId, requestBody };
    return this.planOf(prepared, uploads, (options) => this.executions.create(params, options));
  }

  async cancel(execution: Execution, signal?: AbortSignal): Promise<void> {
    const job = customJobOf(execution.jobUri);
    if (job === undefined) {
      throw new ServiceError(
        'FAILED_PRECONDITION',
        'cancelNotPossible',
        'There is no job that can be cancelled',
        {
          name: execution.name,
        },
      );
    }
    await this.sender.send(
      z.unknown(),
      (options) => this.customJobs(job.location).cancel({ name: job.name, requestBody: {} }, options),
      { ...this.context, name: job.name },
      signal,
    );
  }

  /** The entries of a custom job, as in `gcloud ai custom-jobs stream-logs`. */
  logFilter({ name, jobUri }: Execution): string | undefined {
    if (jobUri === undefined || jobUri === '') return undefined;
    const job = customJobOf(jobUri);
    if (job === undefined) {
      throw new ServiceError('UNIMPLEMENTED', 'logNotAvailable', `The log of ${jobUri} is not known`, {
        name,
      });
    }
    return `resource.type="ml_job" AND resource.labels.job_id="${job.id.replace(/\W/g, '')}"`;
  }

  /** When and why the job behind the execution ended; the execution does not contain this. */
  async runDetails(
    execution: Execution,
    signal?: AbortSignal,
  ): Promise<Partial<NonNullable<Execution['runStatus']>>> {
    const job = customJobOf(execution.jobUri);
    if (job === undefined) return {};
    const { startTime, endTime, error } = await this.sender.send(
      CustomJobSchema,
      (options) => this.customJobs(job.location).get({ name: job.name }, options),
      { ...this.context, name: job.name },
      signal,
    );
    const { state, createTime, updateTime } = execution;
    const elsewhere = execution.runStatus?.elsewhere === true;
    return runStatusOf({ state, createTime, updateTime, startTime, endTime, error, elsewhere });
  }

  private customJobs(location: string): aiplatform_v1.Resource$Projects$Locations$Customjobs {
    const api = new aiplatform_v1.Aiplatform({ rootUrl: this.jobsEndpoint(location) });
    return api.projects.locations.customJobs;
  }

  protected found(answer: V1Execution): FoundExecution {
    return {
      execution: fromV1(this.parent, answer),
      fingerprint: readLabels(answer.executionTemplate?.labels).fingerprint,
    };
  }
}
