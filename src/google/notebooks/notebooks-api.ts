import { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import { notebooks_v1 } from 'googleapis/build/src/apis/notebooks/v1';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import { executionIdOf, type Execution } from '../../execution/execution';
import type { Capabilities } from '../../execution/execution-service';
import { encodeParameters } from '../../notebook/parameters/parse';
import { customJobOf } from '../console-url';
import type {
  ExecutionApi,
  FoundExecution,
  PlannedUpload,
  Submission,
  SubmissionPlan,
} from '../execution-api';
import { inputUri, NOTEBOOK_TYPE, ownFolder } from '../execution-files';
import { formatGsUri, inFolder } from '../gs-uri';
import { readLabels } from '../labels';
import { awaitOperation, OperationSchema } from '../operations';
import type { RequestSender } from '../requests';
import { runStatusOf } from '../run-status';
import { fromV1, toV1, V1ExecutionSchema, type V1Execution } from './execution-mapper';

const PageSchema = z.object({
  executions: z._default(z.array(V1ExecutionSchema), []),
  nextPageToken: z.optional(z.string()),
});

/** The fields of a custom job that are read (Vertex AI API v1). */
const CustomJobSchema = z.object({
  startTime: z.optional(z.string()),
  endTime: z.optional(z.string()),
  error: z.optional(z.object({ code: z.optional(z.number()), message: z.optional(z.string()) })),
});

/** The Notebooks API v1, whose executions run as custom jobs of Vertex AI (or as Dataproc jobs). */
export class NotebooksApi implements ExecutionApi {
  readonly kind = 'notebooks';
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
  private readonly api: notebooks_v1.Notebooks;
  private readonly parent: string;

  /**
   * @param endpoint `https://notebooks.googleapis.com/`
   * @param jobsEndpoint Vertex AI's endpoint of a location, where the jobs are
   */
  constructor(
    private readonly sender: RequestSender,
    private readonly project: string,
    private readonly location: string,
    endpoint: string,
    private readonly jobsEndpoint: (location: string) => string,
  ) {
    this.api = new notebooks_v1.Notebooks({ rootUrl: endpoint });
    this.parent = `projects/${project}/locations/${location}`;
  }

  nameOf(executionId: string): string {
    return `${this.parent}/executions/${executionId}`;
  }

  plan(submission: Submission): SubmissionPlan {
    const { executionId, request, fingerprint, sourceName, parameters, notebook } = submission;
    const template = request.executionTemplate ?? {};
    const folder = ownFolder(template.outputNotebookFolder, executionId);
    const input = inputUri(folder, sourceName);
    const uploads: PlannedUpload[] = [{ uri: input, content: notebook, contentType: NOTEBOOK_TYPE }];
    // How the text of `parameters` is to be written is documented nowhere, that of a parameter file is: YAML.
    let parametersFile: string | undefined;
    const asItIs = template.parameters === undefined && template.paramsYamlFile?.startsWith('gs://') === true;
    if (parameters !== undefined && !asItIs) {
      const uri = inFolder(folder, 'input/parameters.yaml');
      parametersFile = formatGsUri(uri);
      uploads.push({
        uri,
        content: Buffer.from(encodeParameters(parameters)),
        contentType: 'application/yaml',
      });
    }
    const files = { input: formatGsUri(input), parameters: parametersFile };
    const requestBody = toV1(executionId, request, files, { fingerprint, sourceName });
    return {
      uploads,
      insert: async (signal) => {
        await this.sender.send(
          OperationSchema,
          (options) => this.executions.create({ parent: this.parent, executionId, requestBody }, options),
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
    const own = this.nameOf(executionIdOf(name));
    const answer = await this.sender.send(
      V1ExecutionSchema,
      (options) => this.executions.get({ name: own }, options),
      { ...this.context, name: own },
      signal,
    );
    return this.found(answer);
  }

  async page(
    { pageSize, pageToken }: { pageSize?: number; pageToken?: string },
    signal?: AbortSignal,
  ): Promise<{ found: FoundExecution[]; nextPageToken: string | undefined }> {
    const answer = await this.sender.send(
      PageSchema,
      (options) =>
        this.executions.list(
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
      found: answer.executions.map((each) => this.found(each)),
      nextPageToken: answer.nextPageToken === '' ? undefined : answer.nextPageToken,
    };
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

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const own = this.nameOf(executionIdOf(name));
    const context = { ...this.context, name: own };
    try {
      const operation = await this.sender.send(
        OperationSchema,
        (options) => this.executions.delete({ name: own }, options),
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
    } catch (error) {
      // It was there when the caller looked: an earlier attempt, whose answer was lost, deleted it.
      if (!(error instanceof ServiceError) || error.status !== 'NOT_FOUND') throw error;
    }
  }

  /** When and why the job behind the execution ended; the execution itself does not say. */
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

  private found(answer: V1Execution): FoundExecution {
    return {
      execution: fromV1(this.parent, answer),
      fingerprint: readLabels(answer.executionTemplate?.labels).fingerprint,
    };
  }

  private get executions(): notebooks_v1.Resource$Projects$Locations$Executions {
    return this.api.projects.locations.executions;
  }

  private get context(): { project: string; location: string } {
    return { project: this.project, location: this.location };
  }
}
