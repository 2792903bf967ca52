import type { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import * as z from 'zod/mini';
import type { Execution, ExecutionRequest } from '../../execution/execution';
import { executionIdOf } from '../../execution/execution-name';
import { ownFolder, withoutOwnFolder } from '../execution-files';
import { formatGsUri } from '../storage/gs-uri';
import { readLabels, withOurLabels } from '../labels';
import { runStatusOf } from '../run-status';
import { stateOfJob } from './job-states';

type Job = aiplatform_v1.Schema$GoogleCloudAiplatformV1NotebookExecutionJob;

const text = z.optional(z.string());

/** The fields of a NotebookExecutionJob that this client reads (Vertex AI API v1, discovery revision 20261106). */
export const JobSchema = z.object({
  name: z.string(),
  displayName: text,
  jobState: text,
  createTime: text,
  updateTime: text,
  executionTimeout: text,
  executionUser: text,
  serviceAccount: text,
  kernelName: text,
  gcsOutputUri: text,
  scheduleResourceName: text,
  notebookRuntimeTemplateResourceName: text,
  labels: z.optional(z.record(z.string(), z.string())),
  gcsNotebookSource: z.optional(z.object({ uri: text, generation: text })),
  directNotebookSource: z.optional(z.object({ content: text })),
  encryptionSpec: z.optional(z.object({ kmsKeyName: text })),
  status: z.optional(z.object({ code: z.optional(z.number()), message: text })),
  customEnvironmentSpec: z.optional(
    z.object({
      machineSpec: z.optional(
        z.object({
          machineType: text,
          acceleratorType: text,
          acceleratorCount: z.optional(z.union([z.number(), z.string()])),
        }),
      ),
      persistentDiskSpec: z.optional(z.object({ diskType: text, diskSizeGb: text })),
      networkSpec: z.optional(
        z.object({ network: text, subnetwork: text, enableInternetAccess: z.optional(z.boolean()) }),
      ),
    }),
  ),
  workbenchRuntime: z.optional(
    z.object({ customContainerImage: z.optional(z.object({ repository: text, tag: text })) }),
  ),
});
export type NotebookExecutionJob = z.infer<typeof JobSchema>;

/** Location of a job's notebook: in the request itself, or in Cloud Storage. */
export type JobSource = { readonly content: Uint8Array } | { readonly uri: string };

/** Resource name of a job with the configured project: Google's answers contain the project's number instead. */
export function jobName(parent: string, id: string): string {
  return `${parent}/notebookExecutionJobs/${id}`;
}

/**
 * The job for a request that passed `checkRequest`.
 * @throws ServiceError `fieldRequired`, `fieldInvalid` of the output folder
 */
export function toJob(
  executionId: string,
  request: ExecutionRequest,
  source: JobSource,
  marks: { fingerprint: string; sourceName: string | undefined },
): Job {
  const { executionTemplate: template = {}, runOptions = {} } = request;
  const { vertex = {} } = runOptions;
  return {
    displayName: cutText(request.displayName ?? stem(marks.sourceName) ?? executionId, 128),
    ...('uri' in source
      ? { gcsNotebookSource: { uri: source.uri } }
      : { directNotebookSource: { content: Buffer.from(source.content).toString('base64') } }),
    gcsOutputUri: formatGsUri(ownFolder(template.outputNotebookFolder, executionId)).replace(/\/$/, ''),
    labels: withOurLabels(template.labels, {
      fingerprint: marks.fingerprint,
      templateName: runOptions.templateName,
      source: marks.sourceName,
    }),
    ...environmentOf(request),
    ...(template.containerImageUri === undefined
      ? {}
      : { workbenchRuntime: { customContainerImage: imageOf(template.containerImageUri) } }),
    ...(template.serviceAccount === undefined ? {} : { serviceAccount: template.serviceAccount }),
    ...(vertex.executionUser === undefined ? {} : { executionUser: vertex.executionUser }),
    ...(template.kernelSpec === undefined ? {} : { kernelName: template.kernelSpec }),
    ...(runOptions.timeout === undefined ? {} : { executionTimeout: durationOf(runOptions.timeout) }),
    ...(vertex.kmsKeyName === undefined ? {} : { encryptionSpec: { kmsKeyName: vertex.kmsKeyName } }),
  };
}

/** Either a runtime template, or a machine with its disk and network. */
function environmentOf({ executionTemplate: template = {}, runOptions = {} }: ExecutionRequest): Job {
  const { vertex = {} } = runOptions;
  if (vertex.runtimeTemplate !== undefined)
    return { notebookRuntimeTemplateResourceName: vertex.runtimeTemplate };

  const { masterType, acceleratorConfig, vertexAiParameters } = template;
  const network = {
    ...(vertexAiParameters?.network === undefined ? {} : { network: vertexAiParameters.network }),
    ...(vertex.subnetwork === undefined ? {} : { subnetwork: vertex.subnetwork }),
    ...(vertex.internetAccess === undefined ? {} : { enableInternetAccess: vertex.internetAccess }),
  };
  const { diskSizeGb } = vertex;
  // The service may reject a size without a type; naming the default type is harmless.
  const diskType = vertex.diskType ?? (diskSizeGb === undefined ? undefined : DEFAULT_DISK);
  return {
    customEnvironmentSpec: {
      machineSpec: {
        ...(masterType === undefined ? {} : { machineType: masterType }),
        ...(acceleratorConfig?.type === undefined
          ? {}
          : {
              acceleratorType: acceleratorConfig.type,
              acceleratorCount: Number(acceleratorConfig.coreCount),
            }),
      },
      ...(diskType === undefined
        ? {}
        : {
            persistentDiskSpec: {
              diskType,
              ...(diskSizeGb === undefined ? {} : { diskSizeGb: String(diskSizeGb) }),
            },
          }),
      ...(Object.keys(network).length === 0 ? {} : { networkSpec: network }),
    },
  };
}

/** The disk type if none is named. */
const DEFAULT_DISK = 'pd-standard';

/** A text of at most `most` UTF-16 units that does not end in half a surrogate pair. */
function cutText(text: string, most: number): string {
  let cut = '';
  for (const character of text) {
    if (cut.length + character.length > most) break;
    cut += character;
  }
  return cut;
}

/** Seconds as a google.protobuf.Duration in JSON, with at most nine digits after the point. */
function durationOf(seconds: number): string {
  return `${seconds.toFixed(9).replace(/\.?0+$/, '')}s`;
}

/** A notebook's file name without its extension. */
function stem(fileName: string | undefined): string | undefined {
  const name = fileName?.replace(/\.ipynb$/i, '');
  return name === '' ? undefined : name;
}

/** `registry/name:tag`; a colon before a slash belongs to a port. */
function imageOf(uri: string): { repository: string; tag?: string } {
  const match = /^(.+):([^/:]+)$/.exec(uri);
  return match?.[1] === undefined || match[2] === undefined
    ? { repository: uri }
    : { repository: match[1], tag: match[2] };
}

/** Converts a job to an execution. Data that a job has no field for (parameters, the source's path) is missing. */
export function fromJob(parent: string, job: NotebookExecutionJob): Execution {
  const id = executionIdOf(job.name);
  const labels = readLabels(job.labels);
  const state = stateOfJob(job.jobState);
  const ours = labels.fingerprint !== undefined;
  const { machineSpec, networkSpec, persistentDiskSpec } = job.customEnvironmentSpec ?? {};
  const image = job.workbenchRuntime?.customContainerImage;
  const timeout = Number.parseFloat(job.executionTimeout ?? '');
  const diskSizeGb = Number(persistentDiskSpec?.diskSizeGb);
  const accelerator =
    machineSpec?.acceleratorType === 'ACCELERATOR_TYPE_UNSPECIFIED'
      ? undefined
      : machineSpec?.acceleratorType;
  return {
    name: jobName(parent, id),
    displayName: job.displayName ?? stem(labels.source) ?? id,
    state,
    ...given({ createTime: job.createTime, updateTime: job.updateTime }),
    executionTemplate: {
      jobType: 'VERTEX_AI',
      ...given({
        masterType: machineSpec?.machineType,
        labels: labels.others,
        inputNotebookFile: job.gcsNotebookSource?.uri,
        outputNotebookFolder: ours ? withoutOwnFolder(job.gcsOutputUri, id) : job.gcsOutputUri,
        serviceAccount: job.serviceAccount,
        kernelSpec: job.kernelName,
        containerImageUri:
          image?.repository === undefined
            ? undefined
            : image.repository + (image.tag === undefined ? '' : `:${image.tag}`),
        acceleratorConfig:
          accelerator === undefined
            ? undefined
            : { type: accelerator, ...given({ coreCount: machineSpec?.acceleratorCount?.toString() }) },
        vertexAiParameters: networkSpec?.network === undefined ? undefined : { network: networkSpec.network },
      }),
    },
    runOptions: given({
      templateName: labels.templateName,
      timeout: Number.isFinite(timeout) ? timeout : undefined,
      vertex: nonEmpty(
        given({
          runtimeTemplate: job.notebookRuntimeTemplateResourceName,
          executionUser: job.executionUser,
          diskType: persistentDiskSpec?.diskType,
          diskSizeGb: Number.isFinite(diskSizeGb) ? diskSizeGb : undefined,
          subnetwork: networkSpec?.subnetwork,
          internetAccess: networkSpec?.enableInternetAccess,
          kmsKeyName: job.encryptionSpec?.kmsKeyName,
        }),
      ),
    }),
    runStatus: runStatusOf({
      state,
      createTime: job.createTime,
      updateTime: job.updateTime,
      error: job.status,
      elsewhere: !ours,
    }),
  };
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The properties whose value is not undefined. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

function nonEmpty<T extends object>(values: T): T | undefined {
  return Object.keys(values).length === 0 ? undefined : values;
}
