import assert from 'node:assert/strict';
import type { ExecutionRequest } from '../../../src/execution/execution';
import { fromV1, toV1, V1ExecutionSchema } from '../../../src/google/notebooks/execution-mapper';
import { STATES } from '../../../src/execution/states';
import { Discovery } from '../../support/google/discovery';

const PARENT = 'projects/my-project/locations/us-central1';
const FILES = { input: 'gs://bucket/out/run-1/input/sales.ipynb', parameters: undefined };
const MARKS = { fingerprint: 'f00d', sourceName: 'sales.ipynb' };
const discovery = new Discovery('notebooks.v1');

const MACHINE: ExecutionRequest = {
  description: 'nightly',
  executionTemplate: {
    scaleTier: 'CUSTOM',
    masterType: 'n1-standard-8',
    acceleratorConfig: { type: 'NVIDIA_TESLA_T4', coreCount: '2' },
    labels: { team: 'growth' },
    containerImageUri: 'gcr.io/deeplearning-platform-release/base-cpu',
    outputNotebookFolder: 'gs://bucket/out',
    paramsYamlFile: 'gs://bucket/p.yaml',
    serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
    jobType: 'VERTEX_AI',
    vertexAiParameters: { network: 'projects/1/global/networks/net', env: { A: '1' } },
    kernelSpec: 'python3',
    tensorboard: 'projects/p/locations/l/tensorboards/1',
  },
  runOptions: { templateName: 'Big Machine' },
};
const CLUSTER: ExecutionRequest = {
  executionTemplate: {
    outputNotebookFolder: 'gs://bucket',
    jobType: 'DATAPROC',
    dataprocParameters: { cluster: 'projects/p/regions/r/clusters/c' },
  },
};

describe('executions of the Notebooks API v1', () => {
  for (const [what, request] of Object.entries({ 'a machine': MACHINE, 'a Dataproc cluster': CLUSTER })) {
    it(`are sent as the API describes them: ${what}`, () => {
      const body = toV1('run-1', request, FILES, MARKS);
      assert.deepEqual(discovery.checkValue('Execution', body, 'request'), []);
    });

    it(`come back with every field: ${what}`, () => {
      const body = {
        ...toV1('run-1', request, FILES, MARKS),
        name: 'projects/123/locations/us-central1/executions/run-1',
        displayName: 'run-1',
        state: 'RUNNING',
        aFieldOfTomorrow: 1,
      };
      const execution = fromV1(PARENT, V1ExecutionSchema.parse(body));
      assert.equal(execution.name, `${PARENT}/executions/run-1`);
      assert.equal(execution.displayName, 'sales');
      assert.equal(execution.description, request.description);
      const { paramsYamlFile: _, ...template } = request.executionTemplate ?? {};
      assert.deepEqual(
        execution.executionTemplate,
        { scaleTier: 'CUSTOM', ...template, inputNotebookFile: FILES.input },
        'parameters are in a file of ours, if there are any',
      );
      assert.deepEqual(execution.runOptions, request.runOptions ?? {});
    });
  }

  it('map exactly the API’s states', () => {
    assert.deepEqual([...discovery.enumOf('Execution', 'state')].sort(), [...STATES].sort());
  });

  it('keep an unknown state unchanged', () => {
    assert.equal(fromV1(PARENT, { name: 'p/executions/x', state: 'HIBERNATING' }).state, 'HIBERNATING');
    assert.equal(fromV1(PARENT, { name: 'p/executions/x' }).state, 'STATE_UNSPECIFIED');
  });

  it('created by other clients keep labels, folder and name', () => {
    const answered = {
      name: 'projects/123/locations/us-central1/executions/nightly',
      displayName: 'nightly',
      executionTemplate: { labels: { 'nbs-scheduled': 'x' }, outputNotebookFolder: 'gs://theirs/nightly' },
    };
    const execution = fromV1(PARENT, V1ExecutionSchema.parse(answered));
    assert.equal(execution.displayName, 'nightly');
    assert.equal(execution.runStatus?.elsewhere, true);
    assert.deepEqual(execution.executionTemplate, answered.executionTemplate);
  });

  it('send a parameter file instead of the template’s parameters', () => {
    const { executionTemplate } = toV1(
      'run-1',
      { executionTemplate: { ...MACHINE.executionTemplate, parameters: 'x: 1' } },
      { ...FILES, parameters: 'gs://bucket/out/run-1/input/parameters.yaml' },
      MARKS,
    );
    assert.equal(executionTemplate?.paramsYamlFile, 'gs://bucket/out/run-1/input/parameters.yaml');
    assert.equal(executionTemplate.parameters, undefined);
  });
});
