import type {
  ExecutionRequest,
  ExecutionTemplate,
  RunOptions,
  VertexOptions,
} from '../../execution/execution';
import type { GoogleServiceKind } from '../../execution/templates/template';

/*
 * Which fields of a request each Google service supports. The tables list every field of the contract: a new field does
 * not compile until it is added here.
 */

/** True: supported. False: unsupported. A function: depends on the value. */
type Rule<V> = boolean | ((value: V) => boolean);
type Rules<T> = { readonly [K in keyof T]-?: Rule<NonNullable<T[K]>> };

interface RuleSet {
  readonly executionTemplate: Rules<Omit<ExecutionTemplate, 'vertexAiParameters'>>;
  readonly vertexAiParameters: Rules<NonNullable<ExecutionTemplate['vertexAiParameters']>>;
  readonly runOptions: Rules<Omit<RunOptions, 'vertex'>>;
  readonly vertex: Rules<VertexOptions>;
  /** Fields of the resource itself. */
  readonly execution: { readonly description: boolean };
}

const customTier = (tier: string): boolean => tier === 'CUSTOM' || tier === 'SCALE_TIER_UNSPECIFIED';

const RUN_OPTIONS = {
  source: true,
  templateName: true,
  workingDirectory: false,
  interpreter: false,
  outputName: false,
  environment: false,
  cellTimeout: false,
  kernelTimeout: false,
  allowErrors: (allow: boolean) => !allow,
  allowErrorNames: (names: readonly string[]) => names.length === 0,
  maxAttempts: (attempts: number) => attempts <= 1,
  memoryLimitBytes: false,
} as const;

const RULES: Readonly<Record<GoogleServiceKind, RuleSet>> = {
  vertex: {
    executionTemplate: {
      scaleTier: customTier,
      masterType: true,
      acceleratorConfig: true,
      labels: true,
      inputNotebookFile: true,
      containerImageUri: true,
      outputNotebookFolder: true,
      paramsYamlFile: true,
      parameters: true,
      serviceAccount: true,
      jobType: (type) => type === 'VERTEX_AI' || type === 'JOB_TYPE_UNSPECIFIED',
      dataprocParameters: false,
      kernelSpec: true,
      tensorboard: false,
    },
    vertexAiParameters: { network: true, env: false },
    runOptions: { ...RUN_OPTIONS, timeout: true },
    vertex: {
      runtimeTemplate: true,
      executionUser: true,
      diskType: true,
      diskSizeGb: true,
      subnetwork: true,
      internetAccess: true,
      kmsKeyName: true,
      vmImage: true,
      shieldedInstance: true,
      reservation: true,
      gpuPartitionSize: true,
      tpuTopology: true,
      inputGeneration: true,
      dataform: true,
    },
    execution: { description: false },
  },
  notebooks: {
    executionTemplate: {
      scaleTier: true,
      masterType: true,
      acceleratorConfig: true,
      labels: true,
      inputNotebookFile: true,
      containerImageUri: true,
      outputNotebookFolder: true,
      paramsYamlFile: true,
      parameters: true,
      serviceAccount: true,
      jobType: true,
      dataprocParameters: true,
      kernelSpec: true,
      tensorboard: true,
    },
    vertexAiParameters: { network: true, env: true },
    runOptions: { ...RUN_OPTIONS, timeout: false },
    vertex: {
      runtimeTemplate: false,
      executionUser: false,
      diskType: false,
      diskSizeGb: false,
      subnetwork: false,
      internetAccess: false,
      kmsKeyName: false,
      vmImage: false,
      shieldedInstance: false,
      reservation: false,
      gpuPartitionSize: false,
      tpuTopology: false,
      inputGeneration: false,
      dataform: false,
    },
    execution: { description: true },
  },
};

/**
 * Paths of the fields in a request that the service does not support (`executionTemplate.tensorboard`,
 * `runOptions.cellTimeout`), to show before the request is sent.
 */
export function unsupportedFields(kind: GoogleServiceKind, request: ExecutionRequest): string[] {
  const rules = RULES[kind];
  const { executionTemplate = {}, runOptions = {} } = request;
  const { vertexAiParameters = {}, ...template } = executionTemplate;
  const { vertex = {}, ...options } = runOptions;
  return [
    ...(request.description === undefined || rules.execution.description ? [] : ['description']),
    ...broken('executionTemplate', template, rules.executionTemplate),
    ...broken('executionTemplate.vertexAiParameters', vertexAiParameters, rules.vertexAiParameters),
    ...broken('runOptions', options, rules.runOptions),
    ...broken('runOptions.vertex', vertex, rules.vertex),
  ];
}

function broken<T extends object>(path: string, values: T, rules: Rules<T>): string[] {
  const keys = Object.keys(rules) as (keyof T & string)[];
  return keys.flatMap((key) => {
    const value = values[key];
    const rule = rules[key];
    if (value === undefined || value === null || rule === true) return [];
    return rule !== false && rule(value) ? [] : [`${path}.${key}`];
  });
}
