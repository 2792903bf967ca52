import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionTemplate, RunOptions, VertexOptions } from '../../../src/execution/execution';
import { UserTemplateSchema } from '../../../src/execution/templates/template';
import { unsupportedFields } from '../../../src/google/submission/supported-fields';
import {
  checkRequest,
  NOTEBOOKS_ACCELERATORS,
  VERTEX_ACCELERATORS,
} from '../../../src/google/submission/request-checks';
import { Discovery } from '../../support/google/discovery';
import { ROOT } from '../../support/paths';
import { nextId, NOTEBOOK, OUTPUT_FOLDER, suiteOfCloud } from './cloud-suite';

const ACCOUNT = 'runner@my-project.iam.gserviceaccount.com';
const IMAGE = 'gcr.io/deeplearning-platform-release/base-cpu';
const RUNTIME = 'projects/my-project/locations/us-central1/notebookRuntimeTemplates/7';

const REPOSITORY = 'projects/my-project/locations/us-central1/repositories/r';

interface Broken {
  readonly template: ExecutionTemplate;
  readonly vertex?: VertexOptions;
  readonly timeout?: number;
  readonly reason: 'fieldRequired' | 'fieldInvalid';
  readonly field: string;
}

const machine = { masterType: 'n1-standard-4', serviceAccount: ACCOUNT };
const labels = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${String(index)}`, 'x']));
const accelerator = (type?: string, coreCount?: string): ExecutionTemplate => ({
  acceleratorConfig: {
    ...(type === undefined ? {} : { type }),
    ...(coreCount === undefined ? {} : { coreCount }),
  },
});
const invalid = (field: string, template: ExecutionTemplate, vertex: VertexOptions = {}): Broken => ({
  template,
  vertex,
  reason: 'fieldInvalid',
  field,
});
const required = (field: string, template: ExecutionTemplate, vertex: VertexOptions = {}): Broken => ({
  template,
  vertex,
  reason: 'fieldRequired',
  field,
});

const ON_BOTH: Record<string, Broken> = {
  'an empty account': invalid('executionTemplate.serviceAccount', { ...machine, serviceAccount: '' }),
  'an empty image': invalid('executionTemplate.containerImageUri', { ...machine, containerImageUri: '' }),
  'no machine': required('executionTemplate.masterType', { serviceAccount: ACCOUNT }),
  'a label with capitals': invalid('executionTemplate.labels.Team', { ...machine, labels: { Team: 'x' } }),
  'too many labels': invalid('executionTemplate.labels', {
    ...machine,
    labels: labels(57),
  }),
  'an accelerator without a count': required('executionTemplate.acceleratorConfig.coreCount', {
    ...machine,
    ...accelerator('NVIDIA_TESLA_T4'),
  }),
  'a count without an accelerator': required('executionTemplate.acceleratorConfig.type', {
    ...machine,
    ...accelerator(undefined, '1'),
  }),
  'an accelerator of another catalogue': invalid('executionTemplate.acceleratorConfig.type', {
    ...machine,
    ...accelerator('nvidia-tesla-t4', '1'),
  }),
  ...Object.fromEntries(
    ['0.5', '0', '-1', '1e9', '2147483648', ''].map((count) => [
      `${count === '' ? 'an empty count' : count} accelerators`,
      invalid('executionTemplate.acceleratorConfig.coreCount', {
        ...machine,
        ...accelerator('NVIDIA_TESLA_T4', count),
      }),
    ]),
  ),
};

const ON_VERTEX: Record<string, Broken> = {
  'no identity': required('executionTemplate.serviceAccount', { masterType: 'n1-standard-4' }),
  'two identities': invalid('runOptions.vertex.executionUser', machine, { executionUser: 'me@example.com' }),
  'a user with a container': invalid(
    'runOptions.vertex.executionUser',
    { masterType: 'n1-standard-4', containerImageUri: IMAGE },
    { executionUser: 'me@example.com' },
  ),
  'a container with a runtime template': invalid(
    'executionTemplate.containerImageUri',
    { serviceAccount: ACCOUNT, containerImageUri: IMAGE },
    { runtimeTemplate: RUNTIME },
  ),
  'a container by its digest': invalid('executionTemplate.containerImageUri', {
    ...machine,
    containerImageUri: `${IMAGE}@sha256:0`,
  }),
  'a machine with a runtime template': invalid('runOptions.vertex.runtimeTemplate', machine, {
    runtimeTemplate: RUNTIME,
  }),
  ...Object.fromEntries(
    [9, 10.5, 0, -1].map((diskSizeGb) => [
      `a disk of ${String(diskSizeGb)} GB`,
      invalid('runOptions.vertex.diskSizeGb', machine, { diskSizeGb }),
    ]),
  ),
  'two images': invalid(
    'runOptions.vertex.vmImage',
    { ...machine, containerImageUri: IMAGE },
    { vmImage: { project: 'p', family: 'f' } },
  ),
  'an image without its project': required('runOptions.vertex.vmImage.project', machine, {
    vmImage: { family: 'f' },
  }),
  'an image by name and family': invalid('runOptions.vertex.vmImage', machine, {
    vmImage: { project: 'p', family: 'f', name: 'n' },
  }),
  'an image by neither name nor family': invalid('runOptions.vertex.vmImage', machine, {
    vmImage: { project: 'p' },
  }),
  'an image with a runtime template': invalid(
    'runOptions.vertex.vmImage',
    { serviceAccount: ACCOUNT },
    { runtimeTemplate: RUNTIME, vmImage: { project: 'p', family: 'f' } },
  ),
  'a user with an image': invalid(
    'runOptions.vertex.executionUser',
    { masterType: 'n1-standard-4' },
    { executionUser: 'me@example.com', vmImage: { project: 'p', family: 'f' } },
  ),
  ...Object.fromEntries(
    [
      { shieldedInstance: { secureBoot: true } },
      { reservation: { type: 'ANY_RESERVATION' } },
      { gpuPartitionSize: '1g.10gb' },
      { tpuTopology: '2x2x1' },
    ].map((vertex) => [
      `${Object.keys(vertex).join()} beside a runtime template`,
      invalid(
        'runOptions.vertex.runtimeTemplate',
        { serviceAccount: ACCOUNT },
        { runtimeTemplate: RUNTIME, ...vertex },
      ),
    ]),
  ),
  'a reservation without a type': required('runOptions.vertex.reservation.type', machine, {
    reservation: { key: 'k' },
  }),
  'a reservation of no known type': invalid('runOptions.vertex.reservation.type', machine, {
    reservation: { type: 'MINE' },
  }),
  'a specific reservation without its key': required('runOptions.vertex.reservation.key', machine, {
    reservation: { type: 'SPECIFIC_RESERVATION', values: ['r'] },
  }),
  'a specific reservation without its name': required('runOptions.vertex.reservation.values', machine, {
    reservation: { type: 'SPECIFIC_RESERVATION', key: 'k' },
  }),
  'any reservation with a name': invalid('runOptions.vertex.reservation', machine, {
    reservation: { type: 'ANY_RESERVATION', values: ['r'] },
  }),
  'a version without a notebook': invalid('runOptions.vertex.inputGeneration', machine, {
    inputGeneration: '7',
  }),
  'an invalid version': invalid(
    'runOptions.vertex.inputGeneration',
    { ...machine, inputNotebookFile: 'gs://bucket/a.ipynb' },
    { inputGeneration: 'newest' },
  ),
  'no repository': required('runOptions.vertex.dataform.repository', machine, {
    dataform: { commit: 'abc' },
  }),
  'a repository by another name': invalid('runOptions.vertex.dataform.repository', machine, {
    dataform: { repository: 'mine' },
  }),
  'two notebooks': invalid(
    'runOptions.vertex.dataform',
    { ...machine, inputNotebookFile: 'gs://bucket/a.ipynb' },
    { dataform: { repository: REPOSITORY } },
  ),
  'parameters for a notebook in Dataform': invalid(
    'runOptions.vertex.dataform',
    { ...machine, parameters: 'x: 1' },
    { dataform: { repository: REPOSITORY } },
  ),
  ...Object.fromEntries(
    [0, -1, 1e-10, 1e15].map((timeout) => [
      `${String(timeout)} seconds`,
      { ...invalid('runOptions.timeout', machine), timeout },
    ]),
  ),
};

const ON_NOTEBOOKS: Record<string, Broken> = {
  'no image': required('executionTemplate.containerImageUri', machine),
  'no cluster': required('executionTemplate.dataprocParameters.cluster', { jobType: 'DATAPROC' }),
};

describe('checks of requests that Google would refuse', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();

  for (const [kind, table] of [
    ['vertex', { ...ON_BOTH, ...ON_VERTEX }],
    ['notebooks', { ...ON_BOTH, ...ON_NOTEBOOKS }],
  ] as const) {
    for (const [what, { template, vertex, timeout, reason, field }] of Object.entries(table)) {
      it(`report before anything is sent: ${kind}, ${what}`, async () => {
        const runOptions: RunOptions = {
          ...(vertex === undefined ? {} : { vertex }),
          ...(timeout === undefined ? {} : { timeout }),
        };
        // An image, if the service requires one and the test is about another field.
        const image = kind === 'notebooks' && what !== 'no image' ? { containerImageUri: IMAGE } : {};
        const request = {
          executionTemplate: { ...image, ...template, outputNotebookFolder: OUTPUT_FOLDER },
          runOptions,
        };
        await assert.rejects(
          cloud.service(kind).create(nextId(), request, { notebook: NOTEBOOK }),
          (error: { reason: string; args: Record<string, string> }) => {
            assert.deepEqual([error.reason, error.args['field']], [reason, field]);
            assert.equal('problem' in error.args, reason === 'fieldInvalid');
            return true;
          },
        );
        assert.deepEqual(
          [cloud.vertex.requests, cloud.notebooks.requests, cloud.storage.requests],
          [[], [], []],
        );
      });
    }
  }

  it('allow as many labels as there is space for', async () => {
    for (const kind of ['vertex', 'notebooks'] as const) {
      const executionTemplate = {
        ...machine,
        containerImageUri: IMAGE,
        labels: labels(56),
        outputNotebookFolder: OUTPUT_FOLDER,
      };
      const request = { executionTemplate, runOptions: { source: 'file:///a.ipynb', templateName: 'Big' } };
      await cloud.service(kind).create(nextId(), request, { notebook: NOTEBOOK });
    }
  });

  it('include the accelerators of the APIs', () => {
    const known = (api: string, schema: string, property: string): string[] =>
      new Discovery(api).enumOf(schema, property).filter((type) => !type.endsWith('_UNSPECIFIED'));
    assert.deepEqual(
      [VERTEX_ACCELERATORS, NOTEBOOKS_ACCELERATORS],
      [
        known('aiplatform.v1', 'GoogleCloudAiplatformV1MachineSpec', 'acceleratorType'),
        known('notebooks.v1', 'SchedulerAcceleratorConfig', 'type'),
      ],
    );
  });

  it('accept the examples of the documentation', async () => {
    const text = readFileSync(path.join(ROOT, 'docs', 'google-cloud.md'), 'utf8');
    const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) =>
      UserTemplateSchema.parse(JSON.parse(json)),
    );
    assert.deepEqual(
      examples.map(({ service }) => service),
      ['vertex', 'notebooks'],
    );
    for (const { service, executionTemplate = {}, runOptions = {} } of examples) {
      if (service === 'embedded') continue;
      const request = {
        executionTemplate: { ...executionTemplate, outputNotebookFolder: OUTPUT_FOLDER },
        runOptions,
      };
      checkRequest(service, request);
      assert.deepEqual(unsupportedFields(service, request), []);
      await cloud.service(service).create(nextId(), request, { notebook: NOTEBOOK });
    }
  });
});
