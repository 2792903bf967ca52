import type { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import type { Execution, ExecutionRequest } from '../../execution/execution';
import { executionIdOf } from '../../execution/execution-name';
import { ownFolder, withoutOwnFolder } from '../execution-files';
import type { OtherSource } from '../submission/other-source';
import { formatGsUri } from '../storage/gs-uri';
import { readLabels, withOurLabels } from '../labels';
import { runStatusOf } from '../run-status';
import { unknownFields } from './unknown-fields';
import { JobSchema, type NotebookExecutionJob } from './job-schema';
import { stateOfJob } from './job-states';
import { ENTRY_LABEL, imageOfText, imageText, WORKBENCH, workbenchRuntimeOf } from './workbench';

type Job = aiplatform_v1.Schema$GoogleCloudAiplatformV1NotebookExecutionJob;

/** Location of a job's notebook: in the request itself, in Cloud Storage, or in a Dataform repository. */
export type JobSource = { readonly content: Uint8Array } | OtherSource;

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
  const workbenchRuntime = workbenchRuntimeOf(request);
  return {
    displayName: cutText(request.displayName ?? stem(marks.sourceName) ?? executionId, 128),
    ...sourceOf(source),
    gcsOutputUri: formatGsUri(ownFolder(template.outputNotebookFolder, executionId)).replace(/\/$/, ''),
    labels: {
      ...(workbenchRuntime === undefined ? {} : { [ENTRY_LABEL]: WORKBENCH }),
      ...withOurLabels(template.labels, {
        fingerprint: marks.fingerprint,
        templateName: runOptions.templateName,
        source: marks.sourceName,
        image: imageText(request),
      }),
    },
    ...environmentOf(request),
    ...(workbenchRuntime === undefined ? {} : { workbenchRuntime }),
    ...(template.serviceAccount === undefined ? {} : { serviceAccount: template.serviceAccount }),
    ...(vertex.executionUser === undefined ? {} : { executionUser: vertex.executionUser }),
    ...(template.kernelSpec === undefined ? {} : { kernelName: template.kernelSpec }),
    ...(runOptions.timeout === undefined ? {} : { executionTimeout: durationOf(runOptions.timeout) }),
    ...(vertex.kmsKeyName === undefined ? {} : { encryptionSpec: { kmsKeyName: vertex.kmsKeyName } }),
  };
}

function sourceOf(source: JobSource): Job {
  if ('content' in source)
    return { directNotebookSource: { content: Buffer.from(source.content).toString('base64') } };

  if ('uri' in source) return { gcsNotebookSource: { ...source } };
  const { repository, commit } = source;
  return {
    dataformRepositorySource: {
      dataformRepositoryResourceName: repository,
      ...(commit === undefined ? {} : { commitSha: commit }),
    },
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
  const { diskSizeGb, shieldedInstance, reservation } = vertex;
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
        ...given({ gpuPartitionSize: vertex.gpuPartitionSize, tpuTopology: vertex.tpuTopology }),
        ...(reservation === undefined
          ? {}
          : {
              reservationAffinity: given({
                reservationAffinityType: reservation.type,
                key: reservation.key,
                values: reservation.values,
              }),
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
      ...(shieldedInstance === undefined
        ? {}
        : {
            shieldedInstanceConfig: given({
              enableSecureBoot: shieldedInstance.secureBoot,
              enableVtpm: shieldedInstance.vtpm,
              enableIntegrityMonitoring: shieldedInstance.integrityMonitoring,
            }),
          }),
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

/** Converts a job to an execution. Data that a job has no field for (parameters, the source's path) is missing. */
export function fromJob(parent: string, job: NotebookExecutionJob): Execution {
  const id = executionIdOf(job.name);
  const labels = readLabels(job.labels);
  const state = stateOfJob(job.jobState);
  const ours = labels.fingerprint !== undefined;
  const { machineSpec, networkSpec, persistentDiskSpec, shieldedInstanceConfig } =
    job.customEnvironmentSpec ?? {};
  const reservation = machineSpec?.reservationAffinity;
  const dataform = job.dataformRepositorySource;
  const { containerImageUri, vmImage } = imageOfText(labels.image);
  const lost = notRepeated(job, labels);
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
        containerImageUri,
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
          vmImage,
          shieldedInstance: nonEmpty(
            given({
              secureBoot: shieldedInstanceConfig?.enableSecureBoot,
              vtpm: shieldedInstanceConfig?.enableVtpm,
              integrityMonitoring: shieldedInstanceConfig?.enableIntegrityMonitoring,
            }),
          ),
          reservation: nonEmpty(
            given({
              type: reservation?.reservationAffinityType,
              key: reservation?.key,
              values: reservation?.values,
            }),
          ),
          gpuPartitionSize: machineSpec?.gpuPartitionSize,
          tpuTopology: machineSpec?.tpuTopology,
          inputGeneration: job.gcsNotebookSource?.generation,
          dataform: nonEmpty(
            given({ repository: dataform?.dataformRepositoryResourceName, commit: dataform?.commitSha }),
          ),
        }),
      ),
    }),
    runStatus: {
      ...runStatusOf({
        state,
        createTime: job.createTime,
        updateTime: job.updateTime,
        error: job.status,
        elsewhere: !ours,
      }),
      ...(lost.length === 0 ? {} : { notRepeated: lost }),
    },
  };
}

/** What another job cannot repeat: fields that this client does not know, and an image that is not known. */
function notRepeated(job: NotebookExecutionJob, labels: ReturnType<typeof readLabels>): string[] {
  if (labels.fingerprint !== undefined) return labels.image === '' ? ['workbenchRuntime'] : [];
  const workbench = job.labels?.[ENTRY_LABEL] === WORKBENCH;
  return [...(workbench ? ['workbenchRuntime'] : []), ...unknownFields(JobSchema, job)];
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The properties whose value is not undefined. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

function nonEmpty<T extends object>(values: T): T | undefined {
  return Object.keys(values).length === 0 ? undefined : values;
}
