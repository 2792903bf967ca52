import { ServiceError } from '../../execution/errors';
import type { ExecutionRequest, ExecutionTemplate, VertexOptions } from '../../execution/execution';
import type { GoogleServiceKind } from '../../execution/templates/template';
import { checkLabels } from '../labels';

/*
 * Finds errors before anything is sent: requests that Google's services would reject, or accept and fail later.
 * Sources: the discovery documents of aiplatform.v1 (revision 20261106) and notebooks.v1 (20260812), and the checks in
 * Google's own clients (gcloud, Terraform, the notebooks client libraries).
 */

/** `MachineSpec.acceleratorType` of Vertex AI. */
export const VERTEX_ACCELERATORS: readonly string[] = [
  'NVIDIA_TESLA_K80',
  'NVIDIA_TESLA_P100',
  'NVIDIA_TESLA_V100',
  'NVIDIA_TESLA_P4',
  'NVIDIA_TESLA_T4',
  'NVIDIA_TESLA_A100',
  'NVIDIA_A100_80GB',
  'NVIDIA_L4',
  'NVIDIA_H100_80GB',
  'NVIDIA_H100_MEGA_80GB',
  'NVIDIA_H200_141GB',
  'NVIDIA_B200',
  'NVIDIA_GB200',
  'NVIDIA_RTX_PRO_6000',
  'TPU_V2',
  'TPU_V3',
  'TPU_V4_POD',
  'TPU_V5_LITEPOD',
];

/** `SchedulerAcceleratorConfig.type` of the Notebooks API v1. */
export const NOTEBOOKS_ACCELERATORS: readonly string[] = [
  'NVIDIA_TESLA_K80',
  'NVIDIA_TESLA_P100',
  'NVIDIA_TESLA_V100',
  'NVIDIA_TESLA_P4',
  'NVIDIA_TESLA_T4',
  'NVIDIA_TESLA_A100',
  'TPU_V2',
  'TPU_V3',
];

const MACHINE = 'executionTemplate.masterType';
const ACCOUNT = 'executionTemplate.serviceAccount';
const IMAGE = 'executionTemplate.containerImageUri';
const ACCELERATOR = 'executionTemplate.acceleratorConfig';
const RUNTIME = 'runOptions.vertex.runtimeTemplate';
const USER = 'runOptions.vertex.executionUser';
const DISK = 'runOptions.vertex.diskSizeGb';
const VM_IMAGE = 'runOptions.vertex.vmImage';
const RESERVATION = 'runOptions.vertex.reservation';
const GENERATION = 'runOptions.vertex.inputGeneration';
const DATAFORM = 'runOptions.vertex.dataform';
const TIMEOUT = 'runOptions.timeout';

/** `ReservationAffinity.reservationAffinityType` of Vertex AI. */
const SPECIFIC = 'SPECIFIC_RESERVATION';
const RESERVATIONS: readonly string[] = ['NO_RESERVATION', 'ANY_RESERVATION', SPECIFIC];

const MAX_INT32 = 2 ** 31 - 1;
/** Smallest disk of Compute Engine, in GB. */
const MIN_DISK = 10;
/** Maximum seconds of a google.protobuf.Duration. */
const MAX_DURATION = 315_576_000_000;

/**
 * Rejects a request that the service cannot carry out.
 * @throws ServiceError `fieldRequired` {field}, `fieldInvalid` {field, problem}
 */
export function checkRequest(kind: GoogleServiceKind, request: ExecutionRequest): void {
  const { executionTemplate = {}, runOptions = {} } = request;
  checkEmpty('executionTemplate', executionTemplate);
  if (kind === 'vertex') checkEmpty('runOptions.vertex', runOptions.vertex ?? {});
  checkLabels(executionTemplate.labels);
  checkSource(kind, request);
  if (kind === 'vertex') {
    checkEnvironment(executionTemplate, runOptions.vertex ?? {});
    checkAccelerator(executionTemplate, VERTEX_ACCELERATORS);
    checkTimeout(runOptions.timeout);
  } else {
    checkJob(executionTemplate);
    checkAccelerator(executionTemplate, NOTEBOOKS_ACCELERATORS);
  }
}

/** Rejects fields that are set to an empty text: the services take them for missing, or for invalid. */
function checkEmpty(path: string, values: object): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === '' && key !== 'parameters')
      throw invalid(`${path}.${key}`, 'it is empty; set it or remove it');
  }
}

/** Checks the environment and the user of a notebookExecutionJob. */
function checkEnvironment(template: ExecutionTemplate, vertex: VertexOptions): void {
  const { masterType, acceleratorConfig, serviceAccount, containerImageUri, vertexAiParameters } = template;
  const { runtimeTemplate, executionUser, diskType, diskSizeGb, subnetwork, internetAccess, vmImage } =
    vertex;
  if (runtimeTemplate === undefined) {
    if (masterType === undefined) throw required(MACHINE);
  } else {
    const own = [
      masterType,
      acceleratorConfig,
      vertexAiParameters?.network,
      diskType,
      diskSizeGb,
      subnetwork,
      internetAccess,
      vertex.shieldedInstance,
      vertex.reservation,
      vertex.gpuPartitionSize,
      vertex.tpuTopology,
    ];
    if (own.some((value) => value !== undefined)) {
      throw invalid(
        RUNTIME,
        'machine, disk and network come from the runtime template; remove one or the other',
      );
    }
    if (containerImageUri !== undefined)
      throw invalid(IMAGE, 'a runtime template takes no container image; set masterType in its place');

    if (vmImage !== undefined)
      throw invalid(VM_IMAGE, 'a runtime template takes no image; set masterType in its place');
  }
  if (serviceAccount === undefined && executionUser === undefined) throw required(ACCOUNT);
  if (executionUser !== undefined) {
    if (serviceAccount !== undefined)
      throw invalid(USER, 'executionTemplate.serviceAccount is set, too; remove one of them');

    if (containerImageUri !== undefined) {
      throw invalid(
        USER,
        'a container image runs as a service account only; set serviceAccount in its place',
      );
    }
    if (vmImage !== undefined)
      throw invalid(USER, 'an image runs as a service account only; set serviceAccount in its place');
  }
  if (vmImage !== undefined) checkVmImage(vmImage, containerImageUri);
  checkReservation(vertex.reservation);
  if (containerImageUri?.includes('@') === true)
    throw invalid(IMAGE, 'Vertex AI takes an image by its tag, not by a digest');

  if (diskSizeGb !== undefined && !isInteger(diskSizeGb, MIN_DISK, Number.MAX_SAFE_INTEGER))
    throw invalid(DISK, `${String(diskSizeGb)} is no whole number of at least ${String(MIN_DISK)} GB`);
}

function checkVmImage(
  { project, name, family }: NonNullable<VertexOptions['vmImage']>,
  containerImageUri: string | undefined,
): void {
  if (containerImageUri !== undefined)
    throw invalid(VM_IMAGE, 'executionTemplate.containerImageUri is set, too; remove one of them');

  if (project === undefined) throw required(`${VM_IMAGE}.project`);
  if ((name === undefined) === (family === undefined))
    throw invalid(VM_IMAGE, 'it needs either a name or a family');
}

/** Checks a reservation (`ReservationAffinity` of Vertex AI). */
function checkReservation(reservation: VertexOptions['reservation']): void {
  if (reservation === undefined) return;
  const { type, key, values = [] } = reservation;
  if (type === undefined) throw required(`${RESERVATION}.type`);
  if (!RESERVATIONS.includes(type))
    throw invalid(`${RESERVATION}.type`, `${type} is none of ${RESERVATIONS.join(', ')}`);

  if (type === SPECIFIC) {
    if (key === undefined) throw required(`${RESERVATION}.key`);
    if (values.length === 0) throw required(`${RESERVATION}.values`);
  } else if (key !== undefined || values.length > 0) {
    throw invalid(RESERVATION, `key and values need the type ${SPECIFIC}`);
  }
}

/** Checks a source that replaces the submitted notebook. */
function checkSource(kind: GoogleServiceKind, request: ExecutionRequest): void {
  const { inputGeneration, dataform } = request.runOptions?.vertex ?? {};
  const { inputNotebookFile, parameters, paramsYamlFile } = request.executionTemplate ?? {};
  const inStorage = inputNotebookFile?.startsWith('gs://') === true;
  if (kind !== 'vertex') return;
  if (inputGeneration !== undefined) {
    if (!inStorage) throw invalid(GENERATION, 'executionTemplate.inputNotebookFile names no gs:// notebook');
    if (!/^[1-9]\d*$/.test(inputGeneration)) throw invalid(GENERATION, 'it is no number');
  }
  if (dataform === undefined) return;
  if (dataform.repository === undefined) throw required(`${DATAFORM}.repository`);
  if (!/^projects\/[^/]+\/locations\/[^/]+\/repositories\/[^/]+$/.test(dataform.repository)) {
    throw invalid(
      `${DATAFORM}.repository`,
      `${dataform.repository} is no projects/PROJECT/locations/LOCATION/repositories/REPOSITORY`,
    );
  }
  if (inStorage)
    throw invalid(DATAFORM, 'executionTemplate.inputNotebookFile is set, too; remove one of them');
  if ((parameters ?? '').trim() !== '' || paramsYamlFile !== undefined)
    throw invalid(DATAFORM, 'parameters cannot be written into a notebook in Dataform; remove them');
}

/** Checks the machine of an execution of the Notebooks API v1: a container on a machine, or a Dataproc cluster. */
function checkJob({ jobType, masterType, containerImageUri, dataprocParameters }: ExecutionTemplate): void {
  if (jobType === 'DATAPROC') {
    if (dataprocParameters?.cluster === undefined)
      throw required('executionTemplate.dataprocParameters.cluster');

    return;
  }
  if (masterType === undefined) throw required(MACHINE);
  if (containerImageUri === undefined) throw required(IMAGE);
}

/** Checks that an accelerator has a known type and a count. */
function checkAccelerator({ acceleratorConfig }: ExecutionTemplate, types: readonly string[]): void {
  if (acceleratorConfig === undefined) return;
  const { type, coreCount } = acceleratorConfig;
  if (type === undefined) throw required(`${ACCELERATOR}.type`);
  if (coreCount === undefined) throw required(`${ACCELERATOR}.coreCount`);
  if (!types.includes(type)) throw invalid(`${ACCELERATOR}.type`, `${type} is none of ${types.join(', ')}`);

  if (!/^\d+$/.test(coreCount) || !isInteger(Number(coreCount), 1, MAX_INT32))
    throw invalid(`${ACCELERATOR}.coreCount`, `${coreCount} is no whole number of at least 1`);
}

function checkTimeout(timeout: number | undefined): void {
  if (timeout !== undefined && !(timeout >= 1e-9 && timeout <= MAX_DURATION)) {
    throw invalid(
      TIMEOUT,
      `${String(timeout)} is no number of seconds between 0 and ${String(MAX_DURATION)}`,
    );
  }
}

function isInteger(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function required(field: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'fieldRequired', `${field} is required`, { field });
}

function invalid(field: string, problem: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
}
