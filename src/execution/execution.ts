import * as z from 'zod/mini';
import type { State } from './states';

/*
 * The contract: the Execution resource of the Notebooks API v1 with its own field names, plus two blocks that this
 * product adds, `runOptions` (input) and `runStatus` (output). Times are RFC 3339 in UTC, durations are seconds. The
 * schemas drop unknown fields of an answer: a newer service must not break this client.
 */

const optionalString = z.optional(z.string());
const stringMap = z.record(z.string(), z.string());

const acceleratorConfig = { type: optionalString, coreCount: optionalString };
const dataprocParameters = { cluster: optionalString };
const vertexAiParameters = { network: optionalString, env: z.optional(stringMap) };

/** ExecutionTemplate of the Notebooks API v1, discovery revision 20260812. `parameters` is a YAML or JSON mapping. */
export const ExecutionTemplateSchema = z.object({
  scaleTier: optionalString,
  masterType: optionalString,
  acceleratorConfig: z.optional(z.object(acceleratorConfig)),
  labels: z.optional(stringMap),
  inputNotebookFile: optionalString,
  containerImageUri: optionalString,
  outputNotebookFolder: optionalString,
  paramsYamlFile: optionalString,
  parameters: optionalString,
  serviceAccount: optionalString,
  jobType: optionalString,
  dataprocParameters: z.optional(z.object(dataprocParameters)),
  vertexAiParameters: z.optional(z.object(vertexAiParameters)),
  kernelSpec: optionalString,
  tensorboard: optionalString,
});
export type ExecutionTemplate = z.infer<typeof ExecutionTemplateSchema>;

/** The same fields and no others, for what a user or client writes: a misspelt field would otherwise be ignored. */
export const StrictExecutionTemplateSchema = z.strictObject({
  ...ExecutionTemplateSchema.shape,
  acceleratorConfig: z.optional(z.strictObject(acceleratorConfig)),
  dataprocParameters: z.optional(z.strictObject(dataprocParameters)),
  vertexAiParameters: z.optional(z.strictObject(vertexAiParameters)),
});

/**
 * Options of a Vertex AI notebookExecutionJob that an ExecutionTemplate has no field for (Vertex AI API v1, discovery
 * revision 20261106). No other service reads them.
 */
export const VertexOptionsSchema = z.object({
  /** `projects/{project}/locations/{location}/notebookRuntimeTemplates/{id}`, in place of machine, disk and network. */
  runtimeTemplate: optionalString,
  /** E-mail address of the user that the notebook runs as, in place of `serviceAccount`. */
  executionUser: optionalString,
  /** `pd-standard` (the default), `pd-ssd`, `pd-balanced` … */
  diskType: optionalString,
  /** Size of the disk in GB; 100 when absent. */
  diskSizeGb: z.optional(z.number()),
  /** `projects/{project}/regions/{region}/subnetworks/{subnetwork}` */
  subnetwork: optionalString,
  /** Whether the machine can reach the internet; false when absent. */
  internetAccess: z.optional(z.boolean()),
  /** Cloud KMS key: `projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}`. */
  kmsKeyName: optionalString,
  /** Image of the virtual machine, in place of a container image: the newest of a `family`, or one by its `name`. */
  vmImage: z.optional(z.object({ project: optionalString, name: optionalString, family: optionalString })),
  /** Shielded VM options of the machine. */
  shieldedInstance: z.optional(
    z.object({
      secureBoot: z.optional(z.boolean()),
      vtpm: z.optional(z.boolean()),
      integrityMonitoring: z.optional(z.boolean()),
    }),
  ),
  /** Reservation of Compute Engine that the machine is taken from; `key` and `values` identify a specific one. */
  reservation: z.optional(
    z.object({ type: optionalString, key: optionalString, values: z.optional(z.array(z.string())) }),
  ),
  /** Part of a GPU, such as `1g.10gb`. */
  gpuPartitionSize: optionalString,
  /** Topology of TPUs, such as `2x2x1`. */
  tpuTopology: optionalString,
  /** Version of the object in Cloud Storage that `inputNotebookFile` names; the newest when absent. */
  inputGeneration: optionalString,
  /** Dataform repository whose notebook is executed in place of the submitted one, at a commit or at its head. */
  dataform: z.optional(z.object({ repository: optionalString, commit: optionalString })),
});
export type VertexOptions = z.infer<typeof VertexOptionsSchema>;

/**
 * Options of a run that the resource has no field for. Chosen by the client, echoed by the service (except
 * `environment`).
 */
export const RunOptionsSchema = z.object({
  /**
   * The notebook that the user chose, as a URI (`file:`, `untitled:`, `vscode-remote:` …). For display and opening;
   * never read by a service.
   */
  source: optionalString,
  /**
   * Absolute path. Default: the folder of `source`, else of `inputNotebookFile`, if it is a `file:` URI; else the
   * user's home.
   */
  workingDirectory: optionalString,
  /** Absolute path of a Python executable whose ipykernel runs the notebook, in place of a kernelspec. */
  interpreter: optionalString,
  /** Complete environment of the kernel. Input only: never echoed, logged or kept once the kernel runs. */
  environment: z.optional(stringMap),
  /** Seconds for the whole execution; no limit when absent. When exceeded: EXPIRED, cause `timeout`. */
  timeout: z.optional(z.number()),
  /** Seconds for each cell; no limit when absent. When exceeded: FAILED, cause `cellTimeout`. */
  cellTimeout: z.optional(z.number()),
  /** Seconds within which the kernel must answer; 60 when absent. When exceeded: FAILED, cause `kernelNotReady`. */
  kernelTimeout: z.optional(z.number()),
  /** Continue after failing cells. */
  allowErrors: z.optional(z.boolean()),
  /** Continue after cells that fail with one of these error names. */
  allowErrorNames: z.optional(z.array(z.string())),
  /** Maximum attempts on infrastructure failures (kernel not ready, host lost); 1 when absent. */
  maxAttempts: z.optional(z.number()),
  /** Bytes of memory that the kernel and its children may use together; no limit when absent. */
  memoryLimitBytes: z.optional(z.number()),
  /** Plain file name for the output in `outputNotebookFolder`, made unique there; chosen by the service when absent. */
  outputName: optionalString,
  /** Name of the user's template, for display and re-run. */
  templateName: optionalString,
  vertex: z.optional(VertexOptionsSchema),
});
export type RunOptions = z.infer<typeof RunOptionsSchema>;

/** Why an execution ended (or is ending). `serviceError` is a cause specific to a service; `message` explains it. */
export const CAUSES = [
  'cellError',
  'cellTimeout',
  'timeout',
  'kernelDied',
  'outOfMemory',
  'kernelNotFound',
  'kernelNotReady',
  'notebookInvalid',
  'parametersInvalid',
  'outputNotWritable',
  'cancelled',
  'hostLost',
  'serviceError',
] as const;
export type KnownCause = (typeof CAUSES)[number];
/** A cause as reported; a string outside {@link CAUSES} is shown unchanged. */
export type Cause = KnownCause | (string & {});

/** A cell that failed or is running. `index` counts all cells of the output notebook, from 0. */
export const CellRefSchema = z.object({
  index: z.number(),
  id: optionalString,
  /** Error class (`ename`) and text (`evalue`) of the failing cell, without terminal colours. */
  errorName: optionalString,
  errorValue: optionalString,
});
export type CellRef = z.infer<typeof CellRefSchema>;

/** Something that differed from what the user may expect, as code and arguments; the editor has the sentences. */
export const WarningSchema = z.object({
  code: z.string(),
  args: z.optional(z.array(z.string())),
});
export type ExecutionWarning = z.infer<typeof WarningSchema>;

/** The first line of `message`, as code and arguments, see end-message.ts; the editor has the sentences. */
export const EndDetailSchema = z.object({
  code: z.string(),
  args: z.optional(z.record(z.string(), z.string())),
});
export type EndDetail = z.infer<typeof EndDetailSchema>;

/** The schedule that an execution is a run of. */
export const ScheduledBySchema = z.object({
  /** Resource name of the schedule. It may have been deleted. */
  name: z.string(),
  /** When the run was due; absent if the user triggered it. */
  dueTime: optionalString,
  /** True if clocks skip the due time on that day (daylight saving time begins): the run is due right after the gap. */
  moved: z.optional(z.boolean()),
});
export type ScheduledBy = z.infer<typeof ScheduledBySchema>;

/** What is known about a run beyond `state`. Output only. */
export const RunStatusSchema = z.object({
  /** Number of the attempt, from 1. */
  attempt: z.optional(z.number()),
  /** When the attempt began PREPARING, and when it ended. */
  startTime: optionalString,
  endTime: optionalString,
  /** Every state with the time it was entered, oldest first, so that polling does not miss any. */
  history: z.optional(z.array(z.object({ state: z.string(), time: z.string() }))),
  progress: z.optional(
    z.object({
      /** Number of code cells to run, and of those that are done. */
      totalCells: z.number(),
      completedCells: z.number(),
      /** The running cell, the first line of its source, and when it started. */
      cell: z.optional(
        z.object({ index: z.number(), id: optionalString, firstLine: optionalString, startTime: z.string() }),
      ),
    }),
  ),
  cause: z.optional(z.string()),
  /** Technical English: a kernel's last stderr lines, a list of kernels found, a system error. */
  message: optionalString,
  /** Absent if all of `message` comes from another source: the system, a cloud, a kernel. */
  detail: z.optional(EndDetailSchema),
  cell: z.optional(CellRefSchema),
  kernel: z.optional(
    z.object({
      /** Name of the kernelspec, or the interpreter's path. */
      name: z.string(),
      displayName: optionalString,
      language: optionalString,
    }),
  ),
  /** Host name of the machine that runs it. */
  host: optionalString,
  /** Largest resident memory of the kernel and its children seen so far, in bytes. */
  peakMemoryBytes: z.optional(z.number()),
  warnings: z.optional(z.array(WarningSchema)),
  /** Kept until the user deletes it: exempt from deletion because of age or size. */
  pinned: z.optional(z.boolean()),
  schedule: z.optional(ScheduledBySchema),
  /** True if it was not created with this extension: in a console, by a schedule, by another program. */
  elsewhere: z.optional(z.boolean()),
  /**
   * Paths of fields that a list omits because they are large, such as `executionTemplate.parameters`; `get` returns
   * them.
   */
  omitted: z.optional(z.array(z.string())),
  /** Fields of the service's own resource that another execution cannot repeat, in the service's names. */
  notRepeated: z.optional(z.array(z.string())),
});
export type RunStatus = z.infer<typeof RunStatusSchema>;

/** Execution of the Notebooks API v1 with the two added blocks. */
export const ExecutionSchema = z.object({
  /** `projects/{project}/locations/{location}/executions/{executionId}` */
  name: optionalString,
  displayName: optionalString,
  description: optionalString,
  executionTemplate: z.optional(ExecutionTemplateSchema),
  createTime: optionalString,
  updateTime: optionalString,
  state: optionalString,
  outputNotebookFile: optionalString,
  jobUri: optionalString,
  runOptions: z.optional(RunOptionsSchema),
  runStatus: z.optional(RunStatusSchema),
});
/** An execution as a client sends it: output-only fields may be absent. */
export type ExecutionRequest = z.infer<typeof ExecutionSchema>;
/** An execution as a service returns it. */
export type Execution = ExecutionRequest & { name: string; state: State };

/**
 * Parses one execution of a service's answer.
 * @throws ZodError if it is not an execution: not an object, without a name, or with a field of the wrong type.
 */
export function parseExecution(value: unknown): Execution {
  const execution = AnsweredExecutionSchema.parse(value);
  return { ...execution, state: execution.state ?? 'STATE_UNSPECIFIED' };
}
const AnsweredExecutionSchema = z.extend(ExecutionSchema, { name: z.string() });
