import * as z from 'zod/mini';
import { ApiDouble, ApiError } from './api-double';
import type { CheckedCall } from './discovery';
import { JobRun, type Run } from './job-run';
import type { LoggingDouble } from './logging-double';
import type { StorageDouble } from './storage-double';
import type { TokenDouble } from './token-double';

/** The project number of `my-project`, which Google uses in resource names. */
export const PROJECT_NUMBER = '123456789012';
export const LOCATIONS = ['us-central1', 'europe-west4'];
/** The only runtime template. */
const RUNTIME_TEMPLATE = `projects/${PROJECT_NUMBER}/locations/us-central1/notebookRuntimeTemplates/1`;

/** The only reserved label that is accepted. */
const ENTRY_LABEL = 'aiplatform.googleapis.com/colab_enterprise_entry_service';

const JobSchema = z.looseObject({
  displayName: z.optional(z.string()),
  gcsOutputUri: z.string(),
  executionTimeout: z.optional(z.string()),
  serviceAccount: z.optional(z.string()),
  executionUser: z.optional(z.string()),
  customEnvironmentSpec: z.optional(
    z.looseObject({
      machineSpec: z.optional(
        z.looseObject({
          acceleratorType: z.optional(z.string()),
          acceleratorCount: z.optional(z.number()),
          reservationAffinity: z.optional(
            z.object({
              reservationAffinityType: z.string(),
              key: z.optional(z.string()),
              values: z.optional(z.array(z.string())),
            }),
          ),
        }),
      ),
      persistentDiskSpec: z.optional(
        z.object({ diskType: z.optional(z.string()), diskSizeGb: z.optional(z.string()) }),
      ),
    }),
  ),
  workbenchRuntime: z.optional(
    z.object({
      customContainerImage: z.optional(z.looseObject({ repository: z.string() })),
      vmImage: z.optional(
        z.object({ project: z.string(), name: z.optional(z.string()), family: z.optional(z.string()) }),
      ),
    }),
  ),
  notebookRuntimeTemplateResourceName: z.optional(z.string()),
  directNotebookSource: z.optional(z.object({ content: z.string() })),
  gcsNotebookSource: z.optional(z.object({ uri: z.string(), generation: z.optional(z.string()) })),
  dataformRepositorySource: z.optional(
    z.object({ dataformRepositoryResourceName: z.string(), commitSha: z.optional(z.string()) }),
  ),
  labels: z.optional(z.record(z.string(), z.string())),
});
type Job = z.infer<typeof JobSchema>;

export interface StoredJob {
  readonly name: string;
  readonly job: Job;
  readonly run: JobRun;
  readonly operation: string;
}

interface Operation {
  readonly job: string;
  readonly verb: 'create' | 'delete';
  /** Of a creation that fails. */
  error?: { code: number; message: string } | undefined;
}

/** A job that runs an execution of the Notebooks API. */
export interface StoredCustomJob {
  readonly name: string;
  readonly run: JobRun;
}

/** Google's checks of project and location. */
export function checkParent([project = '', location = '']: readonly string[]): void {
  if (project !== 'my-project' && project !== PROJECT_NUMBER) {
    throw new ApiError('PERMISSION_DENIED', `Permission denied on resource project ${project}.`, [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'CONSUMER_INVALID',
        domain: 'googleapis.com',
        metadata: { consumer: `projects/${project}`, service: 'aiplatform.googleapis.com' },
      },
    ]);
  }
  if (!LOCATIONS.includes(location))
    throw new ApiError('INVALID_ARGUMENT', `Unsupported region for this service: ${location}.`);
}

/** Allows at most 64 labels per resource ("Requirements for labels", Resource Manager documentation). */
export function checkLabels(labels: Readonly<Record<string, string>> = {}): void {
  if (Object.keys(labels).length > 64) throw new ApiError('INVALID_ARGUMENT', 'Too many labels.');
}

/** Vertex AI: notebookExecutionJobs, their operations, custom jobs, locations. */
export class VertexDouble extends ApiDouble {
  readonly jobs = new Map<string, StoredJob>();
  readonly customJobs = new Map<string, StoredCustomJob>();
  /** Whether operations can be cancelled; if not, the response is UNIMPLEMENTED. */
  cancellable = true;
  /**
   * The next create request succeeds, but its operation ends with this error and the job never appears
   * (google.longrunning.Operation: the result is either `error` or `response`).
   */
  failedCreation: { code: number; message: string; done: Promise<void> } | undefined;
  /** Until when new jobs are not visible: the create operation has not finished. */
  visible: Promise<void> | undefined;
  /** Notebooks in Dataform repositories, by resource name. */
  readonly dataform = new Map<string, Buffer>();
  private readonly operations = new Map<string, Operation>();
  private sequence = 9000;

  constructor(
    tokens: TokenDouble,
    private readonly storage: StorageDouble,
    private readonly logging: LoggingDouble,
    private readonly run: Run,
  ) {
    super('aiplatform.v1', tokens);
  }

  /** Adds a job that was created in the console. */
  addElsewhere(id: string, job: Job): StoredJob {
    return this.add(id, job);
  }

  protected handle(call: CheckedCall, body: unknown): unknown {
    switch (call.id.replace('aiplatform.projects.locations.', '')) {
      case 'notebookExecutionJobs.create':
        return this.create(call, body);
      case 'notebookExecutionJobs.get':
        return this.view(this.find(call), call.query.get('view') === 'NOTEBOOK_EXECUTION_JOB_VIEW_FULL');
      case 'notebookExecutionJobs.list':
        return this.list(call);
      case 'notebookExecutionJobs.delete':
        return this.delete(call);
      case 'notebookExecutionJobs.operations.list': {
        const { operation } = this.find(call);
        return { operations: [this.operation(operation)] };
      }
      case 'operations.cancel':
      case 'notebookExecutionJobs.operations.cancel':
        return this.cancelOperation(call);
      case 'operations.get':
      case 'notebookExecutionJobs.operations.get':
        return this.operation(operationName(call));
      case 'customJobs.cancel':
        this.customJob(call).run.cancel();
        return {};
      case 'customJobs.get': {
        const { name, run } = this.customJob(call);
        return {
          name,
          displayName: 'notebook execution',
          jobSpec: {},
          state: `JOB_STATE_${run.state}`,
          createTime: run.createTime,
          updateTime: run.updateTime,
          ...(run.startTime === undefined ? {} : { startTime: run.startTime }),
          ...(run.endTime === undefined ? {} : { endTime: run.endTime }),
          ...(run.message === undefined ? {} : { error: { code: 3, message: run.message } }),
        };
      }
      case 'list':
        return {
          locations: ['global', ...LOCATIONS].map((locationId) => ({
            locationId,
            name: `projects/my-project/locations/${locationId}`,
            displayName: locationId,
          })),
        };
      case 'notebookRuntimeTemplates.list':
        return {
          notebookRuntimeTemplates: [
            {
              name: RUNTIME_TEMPLATE,
              displayName: 'Default',
            },
          ],
        };
      default:
        throw new ApiError('UNIMPLEMENTED', call.id);
    }
  }

  private create(call: CheckedCall, body: unknown): unknown {
    checkParent(call.path);
    const id = call.query.get('notebookExecutionJobId') ?? '';
    if (!/^[a-z0-9][a-z0-9-]{0,127}$/.test(id))
      throw new ApiError('INVALID_ARGUMENT', `Invalid job id ${id}`);
    if (this.jobs.has(id)) throw new ApiError('ALREADY_EXISTS', `NotebookExecutionJob ${id} already exists.`);
    const job = JobSchema.parse(body);
    const one = (values: unknown[], what: string): void => {
      if (values.filter((value) => value !== undefined).length !== 1)
        throw new ApiError('INVALID_ARGUMENT', `Exactly one ${what} must be set.`);
    };
    one([job.directNotebookSource, job.gcsNotebookSource, job.dataformRepositorySource], 'notebook_source');
    one([job.customEnvironmentSpec, job.notebookRuntimeTemplateResourceName], 'environment_spec');
    one([job.serviceAccount, job.executionUser], 'execution_identity');
    checkJob(job);
    const template = job.notebookRuntimeTemplateResourceName;
    if (template !== undefined && template !== RUNTIME_TEMPLATE)
      throw new ApiError('NOT_FOUND', `NotebookRuntimeTemplate ${template} does not exist.`);

    // According to public reports: status 400 for Compute Engine's default account, whether it exists or not.
    if (job.serviceAccount?.endsWith('-compute@developer.gserviceaccount.com') === true) {
      throw new ApiError(
        'INVALID_ARGUMENT',
        `You do not have permission to act as service_account: ${job.serviceAccount}. (or it may not exist).`,
      );
    }
    const { failedCreation } = this;
    if (failedCreation !== undefined) {
      this.failedCreation = undefined;
      const name = this.newOperation(id);
      const operation: Operation = { job: id, verb: 'create' };
      this.operations.set(name, operation);
      const { code, message } = failedCreation;
      void failedCreation.done.then(() => (operation.error = { code, message }));
      return { name, done: false };
    }
    const stored = this.add(id, job);
    return this.operation(stored.operation);
  }

  /** Name of a new operation of a job (`notebookExecutionJobs.operations`, discovery document). */
  private newOperation(id: string): string {
    const location = `projects/${PROJECT_NUMBER}/locations/us-central1`;
    return `${location}/notebookExecutionJobs/${id}/operations/${String((this.sequence += 1))}`;
  }

  private add(id: string, job: Job): StoredJob {
    const location = `projects/${PROJECT_NUMBER}/locations/us-central1`;
    const operation = this.newOperation(id);
    const fileName = job.gcsNotebookSource?.uri.split('/').at(-1) ?? `${job.displayName ?? id}.ipynb`;
    const run = new JobRun(
      async (signal) => {
        const input = await this.input(job);
        const seconds = Number.parseFloat(job.executionTimeout ?? '86400');
        return this.run(input, { signal, timeout: seconds });
      },
      async ({ output, log }) => {
        for (const textPayload of log?.trimEnd().split('\n') ?? []) {
          // How the service marks the entries of a job is not documented; here, by a label.
          this.logging.write(
            { type: 'aiplatform.googleapis.com/NotebookRuntime', labels: { job: id } },
            { textPayload },
          );
        }
        if (output !== undefined) await this.storage.put(`${job.gcsOutputUri}/${id}/${fileName}`, output);
      },
    );
    const stored = { name: `${location}/notebookExecutionJobs/${id}`, job, run, operation };
    if (this.visible === undefined) this.jobs.set(id, stored);
    else void this.visible.then(() => this.jobs.set(id, stored));
    this.operations.set(operation, { job: id, verb: 'create' });
    return stored;
  }

  private async input(job: Job): Promise<Buffer> {
    if (job.directNotebookSource !== undefined)
      return Buffer.from(job.directNotebookSource.content, 'base64');
    const { dataformRepositorySource, gcsNotebookSource } = job;
    if (dataformRepositorySource !== undefined) {
      const notebook = this.dataform.get(dataformRepositorySource.dataformRepositoryResourceName);
      if (notebook === undefined) throw new Error('The test has no such repository.');
      return notebook;
    }
    return this.storage.get(gcsNotebookSource?.uri ?? '');
  }

  private view({ name, job, run }: StoredJob, full: boolean): unknown {
    // Answers have no `workbenchRuntime`: it is an input only (scheduler-jupyter-plugin does not find it in them).
    const { directNotebookSource, workbenchRuntime: _, ...basic } = job;
    return {
      ...basic,
      ...(full && directNotebookSource !== undefined ? { directNotebookSource } : {}),
      executionTimeout: job.executionTimeout ?? '86400s',
      name,
      jobState: run.state.startsWith('JOB_STATE_') ? run.state : `JOB_STATE_${run.state}`,
      createTime: run.createTime,
      updateTime: run.updateTime,
      ...(run.message === undefined ? {} : { status: { code: 3, message: run.message } }),
    };
  }

  private list(call: CheckedCall): unknown {
    checkParent(call.path);
    const all = [...this.jobs.values()].sort((a, b) => b.run.createTime.localeCompare(a.run.createTime));
    const start = Number(call.query.get('pageToken') ?? 0);
    const size = Number(call.query.get('pageSize') ?? 50);
    return {
      notebookExecutionJobs: all.slice(start, start + size).map((job) => this.view(job, false)),
      ...(start + size < all.length ? { nextPageToken: String(start + size) } : {}),
    };
  }

  private delete(call: CheckedCall): unknown {
    const { run, name } = this.find(call);
    const id = name.split('/').at(-1) ?? '';
    run.cancel();
    const operation = `projects/${PROJECT_NUMBER}/locations/us-central1/operations/${String((this.sequence += 1))}`;
    this.operations.set(operation, { job: id, verb: 'delete' });
    void run.ended.then(() => this.jobs.delete(id));
    return this.operation(operation);
  }

  private cancelOperation(call: CheckedCall): unknown {
    if (!this.cancellable)
      throw new ApiError('UNIMPLEMENTED', 'Operation is not implemented, or supported, or enabled.');
    this.jobs.get(this.operations.get(operationName(call))?.job ?? '')?.run.cancel();
    return {};
  }

  private operation(name: string): unknown {
    const operation = this.operations.get(name);
    if (operation === undefined) throw new ApiError('NOT_FOUND', `Operation ${name} not found.`);
    if (operation.error !== undefined) return { name, done: true, error: operation.error };
    const stored = this.jobs.get(operation.job);
    if (operation.verb === 'create' && stored === undefined) return { name, done: false };
    const done = operation.verb === 'delete' ? stored === undefined : stored?.run.terminal !== false;
    return { name, done };
  }

  private find(call: CheckedCall): StoredJob {
    const id = call.path[2] ?? '';
    const job = this.jobs.get(id);
    if (job === undefined) throw new ApiError('NOT_FOUND', `NotebookExecutionJob ${id} is not found.`);
    return job;
  }

  private customJob(call: CheckedCall): StoredCustomJob {
    const job = this.customJobs.get(call.path[2] ?? '');
    if (job === undefined) throw new ApiError('NOT_FOUND', `CustomJob ${call.path[2] ?? ''} is not found.`);
    return job;
  }
}

/** Name of the operation in a call: of a location, or of a job. */
function operationName({ path: [, location = '', ...rest] }: CheckedCall): string {
  const [first = '', second] = rest;
  const tail =
    second === undefined ? `operations/${first}` : `notebookExecutionJobs/${first}/operations/${second}`;
  return `projects/${PROJECT_NUMBER}/locations/${location}/${tail}`;
}

/** Restrictions on a job beyond the discovery document. */
function checkJob(job: Job): void {
  const refuse = (message: string): never => {
    throw new ApiError('INVALID_ARGUMENT', message);
  };
  // Required, at most 128 characters of UTF-8 (discovery document, `displayName`).
  const { displayName = '' } = job;
  if (displayName === '' || displayName.length > 128) refuse('display_name has 1 to 128 characters.');
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/.test(displayName)) refuse('display_name is no valid UTF-8.');
  checkLabels(job.labels);
  for (const [key, value] of Object.entries(job.labels ?? {})) {
    // "System reserved label keys are prefixed with aiplatform.googleapis.com/ and are immutable" (discovery document,
    // `labels`). Google's plugin sends this one (scheduler-jupyter-plugin, services/vertex.py).
    if (key.startsWith('aiplatform.googleapis.com/') && (key !== ENTRY_LABEL || value !== 'workbench'))
      refuse(`Label ${key} is reserved.`);
  }
  const container = job.workbenchRuntime?.customContainerImage;
  const vmImage = job.workbenchRuntime?.vmImage;
  if (job.workbenchRuntime !== undefined) {
    // "Only supported by Colab runtimes" (discovery document, `executionUser`).
    if (job.executionUser !== undefined) refuse('execution_user is not supported by Workbench runtimes.');
    // A runtime template creates a Colab runtime (discovery document).
    if (job.notebookRuntimeTemplateResourceName !== undefined)
      refuse('A runtime template has its own runtime.');
  }
  if (container !== undefined && vmImage !== undefined) refuse('Only one image can be set.');
  // Compute Engine finds an image by its name or as the newest of a family (discovery document, `vmImage`).
  if (vmImage !== undefined && (vmImage.name === undefined) === (vmImage.family === undefined))
    refuse('vm_image needs either a name or a family.');

  if (container?.repository.includes('@') === true) refuse('repository has a digest.');
  const { machineSpec = {}, persistentDiskSpec = {} } = job.customEnvironmentSpec ?? {};
  // Compute Engine requires type and count of an accelerator together (Terraform's products/colab checks both).
  if ((machineSpec.acceleratorType === undefined) !== (machineSpec.acceleratorCount === undefined))
    refuse('accelerator_type and accelerator_count must be set together.');

  if (machineSpec.acceleratorCount === 0) refuse('accelerator_count must be positive.');
  const { reservationAffinity } = machineSpec;
  if (reservationAffinity !== undefined) {
    // "When chosen, the reservation must be identified via the key and values fields" (discovery document).
    const { reservationAffinityType, key, values = [] } = reservationAffinity;
    const named = key !== undefined && values.length > 0;
    if ((reservationAffinityType === 'SPECIFIC_RESERVATION') !== named)
      refuse('key and values belong to a specific reservation.');
  }
  const { diskType, diskSizeGb } = persistentDiskSpec;
  // Compute Engine's smallest disk. A size without a type is probably rejected (Terraform always sends both).
  if (diskSizeGb !== undefined && Number(diskSizeGb) < 10) refuse('disk_size_gb must be at least 10.');
  if (diskSizeGb !== undefined && diskType === undefined) refuse('disk_size_gb needs a disk_type.');
}
