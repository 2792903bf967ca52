import assert from 'node:assert/strict';
import {
  ExecutionTemplateSchema,
  RunOptionsSchema,
  VertexOptionsSchema,
  type ExecutionRequest,
} from '../../../src/execution/execution';
import { unsupportedFields } from '../../../src/google/submission/supported-fields';

/** A value for every field of the contract. */
const EVERYTHING: ExecutionRequest = {
  description: 'nightly',
  executionTemplate: {
    scaleTier: 'BASIC',
    masterType: 'n1-standard-4',
    acceleratorConfig: { type: 'NVIDIA_L4', coreCount: '1' },
    labels: { a: 'b' },
    inputNotebookFile: 'gs://bucket/a.ipynb',
    containerImageUri: 'gcr.io/p/i@sha256:0',
    outputNotebookFolder: 'gs://bucket/out',
    paramsYamlFile: 'file:///p.yaml',
    parameters: 'x: 1',
    serviceAccount: 'a@b',
    jobType: 'DATAPROC',
    dataprocParameters: { cluster: 'c' },
    vertexAiParameters: { network: 'n', env: { A: '1' } },
    kernelSpec: 'python3',
    tensorboard: 't',
  },
  runOptions: {
    source: 'file:///a.ipynb',
    workingDirectory: '/w',
    interpreter: '/p',
    environment: { A: '1' },
    timeout: 1,
    cellTimeout: 1,
    kernelTimeout: 1,
    allowErrors: true,
    allowErrorNames: ['E'],
    maxAttempts: 2,
    memoryLimitBytes: 1,
    outputName: 'o.ipynb',
    templateName: 't',
    vertex: {
      runtimeTemplate: 'r',
      executionUser: 'u',
      diskType: 'd',
      diskSizeGb: 1,
      subnetwork: 's',
      internetAccess: true,
      kmsKeyName: 'k',
      vmImage: { project: 'p', family: 'f' },
      shieldedInstance: { secureBoot: true },
      reservation: { type: 'ANY_RESERVATION' },
      gpuPartitionSize: '1g.10gb',
      tpuTopology: '2x2x1',
      inputGeneration: '1',
      dataform: { repository: 'r' },
    },
  },
};

describe('fields that Google does not support', () => {
  it('are searched among all fields of the contract', () => {
    assert.deepEqual(
      Object.keys(EVERYTHING.executionTemplate ?? {}).sort(),
      Object.keys(ExecutionTemplateSchema.shape).sort(),
    );
    assert.deepEqual(
      Object.keys(EVERYTHING.runOptions ?? {}).sort(),
      Object.keys(RunOptionsSchema.shape).sort(),
    );
    assert.deepEqual(
      Object.keys(EVERYTHING.runOptions?.vertex ?? {}).sort(),
      Object.keys(VertexOptionsSchema.shape).sort(),
    );
  });

  const onBoth = [
    'runOptions.allowErrorNames',
    'runOptions.allowErrors',
    'runOptions.cellTimeout',
    'runOptions.environment',
    'runOptions.interpreter',
    'runOptions.kernelTimeout',
    'runOptions.maxAttempts',
    'runOptions.memoryLimitBytes',
    'runOptions.outputName',
    'runOptions.workingDirectory',
  ];

  it('are reported for Vertex AI', () => {
    assert.deepEqual(
      unsupportedFields('vertex', EVERYTHING).sort(),
      [
        ...onBoth,
        'description',
        'executionTemplate.dataprocParameters',
        'executionTemplate.jobType',
        'executionTemplate.scaleTier',
        'executionTemplate.tensorboard',
        'executionTemplate.vertexAiParameters.env',
      ].sort(),
    );
  });

  it('are reported for the Notebooks API', () => {
    assert.deepEqual(
      unsupportedFields('notebooks', EVERYTHING).sort(),
      [
        ...onBoth,
        'runOptions.timeout',
        ...Object.keys(VertexOptionsSchema.shape).map((field) => `runOptions.vertex.${field}`),
      ].sort(),
    );
  });

  it('are empty when nothing special is requested', () => {
    const plain: ExecutionRequest = {
      executionTemplate: {
        scaleTier: 'CUSTOM',
        masterType: 'n1-standard-4',
        jobType: 'VERTEX_AI',
        inputNotebookFile: 'file:///a.ipynb',
      },
      runOptions: { maxAttempts: 1, allowErrors: false, allowErrorNames: [] },
    };
    assert.deepEqual([...unsupportedFields('vertex', plain), ...unsupportedFields('notebooks', plain)], []);
  });
});
