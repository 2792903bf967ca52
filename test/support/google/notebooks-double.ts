import * as z from 'zod/mini';
import { ApiDouble, ApiError } from './api-double';
import type { CheckedCall } from './discovery';
import { JobRun, type Run } from './job-run';
import type { LoggingDouble } from './logging-double';
import type { StorageDouble } from './storage-double';
import type { TokenDouble } from './token-double';
import { checkLabels, checkParent, LOCATIONS, PROJECT_NUMBER, type VertexDouble } from './vertex-double';

const ExecutionSchema = z.looseObject({
  description: z.optional(z.string()),
  executionTemplate: z.looseObject({
    scaleTier: z.string(),
    masterType: z.optional(z.string()),
    jobType: z.optional(z.string()),
    containerImageUri: z.optional(z.string()),
    inputNotebookFile: z.string(),
    outputNotebookFolder: z.string(),
    paramsYamlFile: z.optional(z.string()),
    labels: z.optional(z.record(z.string(), z.string())),
  }),
});
type V1Execution = z.infer<typeof ExecutionSchema>;

interface Stored {
  readonly execution: V1Execution;
  readonly run: JobRun;
  readonly jobUri: string;
  readonly output: string;
}

/** The Notebooks API v1: executions and their operations. Executions run as custom jobs of a Vertex AI double. */
export class NotebooksDouble extends ApiDouble {
  readonly executions = new Map<string, Stored>();
  /** See {@link VertexDouble.failedCreation} and {@link VertexDouble.visible}. */
  failedCreation: VertexDouble['failedCreation'];
  visible: Promise<void> | undefined;
  /** Whether executions still show RUNNING although their job has ended: both may disagree for a while. */
  lagging = false;
  /** Create operations. */
  private readonly creations = new Map<
    string,
    { id: string; error?: { code: number; message: string } | undefined }
  >();
  private readonly deletions = new Map<string, string>();
  private sequence = 100;

  constructor(
    tokens: TokenDouble,
    private readonly storage: StorageDouble,
    private readonly logging: LoggingDouble,
    private readonly vertex: VertexDouble,
    private readonly run: Run,
  ) {
    super('notebooks.v1', tokens);
  }

  /** Adds an execution that another client created. */
  addElsewhere(id: string, execution: V1Execution): Stored {
    return this.add(id, execution);
  }

  protected handle(call: CheckedCall, body: unknown): unknown {
    switch (call.id.replace('notebooks.projects.locations.', '')) {
      case 'executions.create': {
        checkParent(call.path);
        const id = call.query.get('executionId') ?? '';
        if (!/^[a-z][a-z0-9-]{0,62}$/.test(id))
          throw new ApiError('INVALID_ARGUMENT', `Invalid execution_id ${id}`);
        if (this.executions.has(id)) throw new ApiError('ALREADY_EXISTS', `Execution ${id} already exists.`);
        const execution = ExecutionSchema.parse(body);
        const { scaleTier, masterType, jobType, containerImageUri, labels } = execution.executionTemplate;
        if (scaleTier !== 'CUSTOM' || masterType === undefined)
          throw new ApiError('INVALID_ARGUMENT', 'scale_tier must be CUSTOM, with a master_type.');
        // Google's v1 clients require an image for Vertex AI (kubeflow's notebooks executor, gcloud).
        if (jobType !== 'DATAPROC' && containerImageUri === undefined)
          throw new ApiError('INVALID_ARGUMENT', 'container_image_uri is required for job type VERTEX_AI.');
        checkLabels(labels);
        const name = `projects/${PROJECT_NUMBER}/locations/us-central1/operations/operation-${id}`;
        const { failedCreation } = this;
        this.creations.set(name, { id });
        if (failedCreation === undefined) {
          this.add(id, execution);
        } else {
          this.failedCreation = undefined;
          const { code, message } = failedCreation;
          void failedCreation.done.then(() => this.creations.set(name, { id, error: { code, message } }));
        }
        return { name, done: false };
      }
      case 'executions.get':
        return this.view(call.path[2] ?? '');
      case 'executions.list': {
        checkParent(call.path);
        const all = [...this.executions].sort(([, a], [, b]) =>
          b.run.createTime.localeCompare(a.run.createTime),
        );
        const start = Number(call.query.get('pageToken') ?? 0);
        const size = Number(call.query.get('pageSize') ?? 50);
        return {
          executions: all.slice(start, start + size).map(([id]) => this.view(id)),
          ...(start + size < all.length ? { nextPageToken: String(start + size) } : {}),
        };
      }
      case 'executions.delete': {
        const id = call.path[2] ?? '';
        const { run } = this.find(id);
        run.cancel();
        const name = `projects/${PROJECT_NUMBER}/locations/us-central1/operations/operation-${String((this.sequence += 1))}`;
        this.deletions.set(name, id);
        void run.ended.then(() => this.executions.delete(id));
        return { name, done: false };
      }
      case 'operations.get': {
        const name = `projects/${PROJECT_NUMBER}/locations/${call.path[1] ?? ''}/operations/${call.path[2] ?? ''}`;
        const creation = this.creations.get(name);
        if (creation?.error !== undefined) return { name, done: true, error: creation.error };
        if (creation !== undefined) return { name, done: this.executions.has(creation.id) };
        const id = this.deletions.get(name);
        if (id === undefined) throw new ApiError('NOT_FOUND', `${name} is not found.`);
        return { name, done: !this.executions.has(id) };
      }
      case 'list':
        return {
          locations: LOCATIONS.map((locationId) => ({
            locationId,
            name: `projects/my-project/locations/${locationId}`,
          })),
        };
      default:
        throw new ApiError('UNIMPLEMENTED', call.id);
    }
  }

  private add(id: string, execution: V1Execution): Stored {
    const { inputNotebookFile, outputNotebookFolder, paramsYamlFile } = execution.executionTemplate;
    const output = `${outputNotebookFolder}/${(inputNotebookFile.split('/').at(-1) ?? '').replace('.ipynb', '_out.ipynb')}`;
    const run = new JobRun(
      async (signal) => {
        const parameters =
          paramsYamlFile === undefined ? undefined : (await this.storage.get(paramsYamlFile)).toString();
        return this.run(await this.storage.get(inputNotebookFile), { signal, parameters });
      },
      async (result) => {
        for (const textPayload of result.log?.trimEnd().split('\n') ?? []) {
          // As the entries of custom jobs are marked (`gcloud ai custom-jobs stream-logs`).
          this.logging.write({ type: 'ml_job', labels: { job_id: jobId } }, { textPayload });
        }
        if (result.output !== undefined) await this.storage.put(output, result.output);
      },
    );
    const jobId = String((this.sequence += 1));
    const name = `projects/${PROJECT_NUMBER}/locations/us-central1/customJobs/${jobId}`;
    this.vertex.customJobs.set(jobId, { name, run });
    const stored = {
      execution,
      run,
      output,
      jobUri: `https://us-central1-aiplatform.googleapis.com/v1/${name}`,
    };
    if (this.visible === undefined) this.executions.set(id, stored);
    else void this.visible.then(() => this.executions.set(id, stored));
    return stored;
  }

  private view(id: string): unknown {
    const { execution, run, jobUri, output } = this.find(id);
    return {
      ...execution,
      name: `projects/${PROJECT_NUMBER}/locations/us-central1/executions/${id}`,
      displayName: id,
      state: this.lagging && run.terminal ? 'RUNNING' : run.state === 'PENDING' ? 'PREPARING' : run.state,
      createTime: run.createTime,
      updateTime: run.updateTime,
      ...(run.state === 'QUEUED' ? {} : { jobUri }),
      ...(run.endTime === undefined ? {} : { outputNotebookFile: output }),
    };
  }

  private find(id: string): Stored {
    const stored = this.executions.get(id);
    if (stored === undefined) throw new ApiError('NOT_FOUND', `Execution ${id} is not found.`);
    return stored;
  }
}
