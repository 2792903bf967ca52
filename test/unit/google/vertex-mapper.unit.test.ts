import assert from 'node:assert/strict';
import type { ExecutionRequest } from '../../../src/execution/execution';
import { isActive, isTerminal } from '../../../src/execution/states';
import { fromJob, toJob } from '../../../src/google/vertex/job-mapper';
import { JobSchema } from '../../../src/google/vertex/job-schema';
import { stateOfJob } from '../../../src/google/vertex/job-states';
import { Discovery } from '../../support/google/discovery';

const PARENT = 'projects/my-project/locations/us-central1';
const MARKS = { fingerprint: 'f00d', sourceName: 'sales.ipynb' };
const SOURCE = { uri: 'gs://bucket/out/run-1/input/sales.ipynb' };
/** The source of a request as sent. */
const sourceOf = ({ runOptions }: ExecutionRequest) => {
  const { inputGeneration: generation } = runOptions?.vertex ?? {};
  return { ...SOURCE, ...(generation === undefined ? {} : { generation }) };
};
const JOB_SCHEMA = 'GoogleCloudAiplatformV1NotebookExecutionJob';
const discovery = new Discovery('aiplatform.v1');

const MACHINE: ExecutionRequest = {
  displayName: 'Sales',
  executionTemplate: {
    masterType: 'n1-standard-8',
    acceleratorConfig: { type: 'NVIDIA_TESLA_T4', coreCount: '2' },
    labels: { team: 'growth' },
    containerImageUri: 'localhost:5000/team/image:v2',
    outputNotebookFolder: 'gs://bucket/out',
    serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
    vertexAiParameters: { network: 'projects/1/global/networks/net' },
    kernelSpec: 'python3',
  },
  runOptions: {
    timeout: 3600,
    templateName: 'Big Machine',
    vertex: {
      diskType: 'pd-ssd',
      diskSizeGb: 200,
      subnetwork: 'projects/p/regions/us-central1/subnetworks/s',
      internetAccess: true,
      kmsKeyName: 'projects/p/locations/l/keyRings/r/cryptoKeys/k',
    },
  },
};
const TEMPLATE: ExecutionRequest = {
  displayName: 'Sales',
  executionTemplate: { outputNotebookFolder: 'gs://bucket' },
  runOptions: {
    vertex: { runtimeTemplate: `${PARENT}/notebookRuntimeTemplates/7`, executionUser: 'me@example.com' },
  },
};

const VM: ExecutionRequest = {
  displayName: 'Sales',
  executionTemplate: {
    masterType: 'a2-highgpu-1g',
    outputNotebookFolder: 'gs://bucket/out',
    serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
    kernelSpec: 'ir',
  },
  runOptions: {
    vertex: {
      vmImage: { project: 'cloud-notebooks-managed', family: 'workbench-instances' },
      shieldedInstance: { secureBoot: true, vtpm: false, integrityMonitoring: true },
      reservation: {
        type: 'SPECIFIC_RESERVATION',
        key: 'compute.googleapis.com/reservation-name',
        values: ['projects/p/zones/z/reservations/r'],
      },
      gpuPartitionSize: '1g.10gb',
      tpuTopology: '2x2x1',
      inputGeneration: '1234567890123456',
    },
  },
};

/** As the service returns it: without `workbenchRuntime`. */
function answered(job: { workbenchRuntime?: unknown }, output: object = {}): unknown {
  const { workbenchRuntime: _, ...told } = job;
  return {
    ...told,
    name: 'projects/123/locations/us-central1/notebookExecutionJobs/run-1',
    jobState: 'JOB_STATE_SUCCEEDED',
    createTime: '2026-01-01T00:00:00.000000Z',
    updateTime: '2026-01-01T00:01:00.000000Z',
    ...output,
  };
}

describe('Vertex AI jobs and executions', () => {
  for (const [what, request] of Object.entries({
    'separate machine': MACHINE,
    'runtime template': TEMPLATE,
    'image of a virtual machine': VM,
  })) {
    it(`sends a job as the API describes it: ${what}`, () => {
      assert.deepEqual(
        discovery.checkValue(JOB_SCHEMA, toJob('run-1', request, sourceOf(request), MARKS), 'request'),
        [],
      );
    });

    it(`returns every field: ${what}`, () => {
      const job = toJob('run-1', request, sourceOf(request), MARKS);
      const execution = fromJob(PARENT, JobSchema.parse(answered(job)));
      assert.equal(execution.name, `${PARENT}/notebookExecutionJobs/run-1`);
      assert.equal(execution.displayName, request.displayName);
      assert.deepEqual(execution.executionTemplate, {
        ...request.executionTemplate,
        jobType: 'VERTEX_AI',
        inputNotebookFile: SOURCE.uri,
      });
      assert.deepEqual(execution.runOptions, request.runOptions);
      assert.equal(execution.runStatus?.notRepeated, undefined);
    });
  }

  for (const [what, template, vertex, runtime] of [
    ['nothing else', {}, {}, undefined],
    ['a kernel', { kernelSpec: 'ir' }, {}, {}],
    [
      'a container',
      { containerImageUri: 'localhost:5000/image:v2' },
      {},
      { customContainerImage: { repository: 'localhost:5000/image', tag: 'v2' } },
    ],
    [
      'the image of a machine',
      { kernelSpec: 'ir' },
      { vmImage: { project: 'p', name: 'n' } },
      { vmImage: { project: 'p', name: 'n' } },
    ],
    [
      'a kernel of a Colab runtime of a user',
      { kernelSpec: 'ir' },
      { executionUser: 'me@example.com' },
      undefined,
    ],
    ['a kernel of a runtime template', { kernelSpec: 'ir' }, { runtimeTemplate: 'r' }, undefined],
  ] as const) {
    it(`runs on Workbench when required: with ${what}`, () => {
      const executionTemplate = { outputNotebookFolder: 'gs://bucket', ...template };
      const job = toJob('run-1', { executionTemplate, runOptions: { vertex } }, SOURCE, MARKS);
      assert.deepEqual(job.workbenchRuntime, runtime);
      const label = job.labels?.['aiplatform.googleapis.com/colab_enterprise_entry_service'];
      assert.equal(label, runtime === undefined ? undefined : 'workbench');
    });
  }

  it('reports settings of a job from another client that another job cannot repeat', () => {
    const job = answered(
      {},
      {
        displayName: 'nightly',
        gcsOutputUri: 'gs://theirs',
        kernelName: 'python3',
        labels: { 'aiplatform.googleapis.com/colab_enterprise_entry_service': 'workbench', team: 'x' },
        parameters: { x: '1' },
        customEnvironmentSpec: { machineSpec: { machineType: 'm', coolness: 'high' }, spot: true },
        dataformRepositorySource: { dataformRepositoryResourceName: 'projects/p/locations/l/repositories/r' },
      },
    );
    const { runStatus, executionTemplate, runOptions } = fromJob(PARENT, JobSchema.parse(job));
    assert.deepEqual(runStatus?.notRepeated?.toSorted(), [
      'customEnvironmentSpec.machineSpec.coolness',
      'customEnvironmentSpec.spot',
      'parameters',
      'workbenchRuntime',
    ]);
    assert.deepEqual(executionTemplate?.labels, { team: 'x' });
    assert.deepEqual(runOptions?.vertex?.dataform, { repository: 'projects/p/locations/l/repositories/r' });
  });

  it('does not confuse two images whose names are too long to store', () => {
    const containerImageUri = `gcr.io/${'.'.repeat(100)}`;
    const request = { executionTemplate: { ...MACHINE.executionTemplate, containerImageUri } };
    const execution = fromJob(PARENT, JobSchema.parse(answered(toJob('run-1', request, SOURCE, MARKS))));
    assert.equal(execution.executionTemplate?.containerImageUri, undefined);
    assert.deepEqual(execution.runStatus?.notRepeated, ['workbenchRuntime']);
  });

  it('sends the notebook inside the request when it is small', () => {
    const job = toJob('run-1', MACHINE, { content: Buffer.from('{"cells":[]}') }, MARKS);
    assert.equal(Buffer.from(job.directNotebookSource?.content ?? '', 'base64').toString(), '{"cells":[]}');
    assert.equal(job.gcsNotebookSource, undefined);
  });

  it('requests a folder for each execution', () => {
    assert.equal(toJob('run-1', MACHINE, SOURCE, MARKS).gcsOutputUri, 'gs://bucket/out/run-1');
    assert.equal(toJob('run-1', TEMPLATE, SOURCE, MARKS).gcsOutputUri, 'gs://bucket/run-1');
  });

  it('maps every state of the API', () => {
    const schema = discovery.enumOf(JOB_SCHEMA, 'jobState');
    assert.deepEqual(Object.fromEntries(schema.map((state) => [state, stateOfJob(state)])), {
      JOB_STATE_UNSPECIFIED: 'STATE_UNSPECIFIED',
      JOB_STATE_QUEUED: 'QUEUED',
      JOB_STATE_PENDING: 'PREPARING',
      JOB_STATE_RUNNING: 'RUNNING',
      JOB_STATE_SUCCEEDED: 'SUCCEEDED',
      JOB_STATE_FAILED: 'FAILED',
      JOB_STATE_CANCELLING: 'CANCELLING',
      JOB_STATE_CANCELLED: 'CANCELLED',
      JOB_STATE_PAUSED: 'PAUSED',
      JOB_STATE_EXPIRED: 'EXPIRED',
      JOB_STATE_UPDATING: 'UPDATING',
      JOB_STATE_PARTIALLY_SUCCEEDED: 'PARTIALLY_SUCCEEDED',
    });
    assert.equal(stateOfJob('JOB_STATE_HIBERNATING'), 'JOB_STATE_HIBERNATING');
    assert.equal(stateOfJob(undefined), 'STATE_UNSPECIFIED');
  });

  it('distinguishes final from changing states', () => {
    assert.deepEqual(['PAUSED', 'UPDATING', 'PARTIALLY_SUCCEEDED', 'JOB_STATE_HIBERNATING'].map(isActive), [
      true,
      true,
      false,
      false,
    ]);
    assert.deepEqual(['PAUSED', 'UPDATING', 'PARTIALLY_SUCCEEDED', 'JOB_STATE_HIBERNATING'].map(isTerminal), [
      false,
      false,
      true,
      false,
    ]);
  });

  for (const [jobState, cause] of [
    ['JOB_STATE_EXPIRED', 'timeout'],
    ['JOB_STATE_CANCELLED', 'cancelled'],
    ['JOB_STATE_FAILED', 'serviceError'],
    ['JOB_STATE_PARTIALLY_SUCCEEDED', 'serviceError'],
    ['JOB_STATE_SUCCEEDED', undefined],
    ['JOB_STATE_RUNNING', undefined],
  ] as const) {
    it(`reports the cause of ${jobState}`, () => {
      const job = answered({}, { jobState, status: { code: 9, message: 'why' } });
      const { runStatus } = fromJob(PARENT, JobSchema.parse(job));
      assert.ok(runStatus);
      assert.equal(runStatus.cause, cause);
      assert.equal(runStatus.message, 'why');
      assert.equal(
        runStatus.endTime,
        jobState === 'JOB_STATE_RUNNING' ? undefined : '2026-01-01T00:01:00.000000Z',
      );
    });
  }

  it('marks a job of another client and keeps its folder', () => {
    const job = answered(
      {},
      { displayName: 'nightly', gcsOutputUri: 'gs://theirs/run-1', labels: { env: 'prod' } },
    );
    const execution = fromJob(PARENT, JobSchema.parse(job));
    assert.equal(execution.runStatus?.elsewhere, true);
    assert.equal(execution.executionTemplate?.outputNotebookFolder, 'gs://theirs/run-1');
    assert.deepEqual(execution.executionTemplate.labels, { env: 'prod' });
  });

  it('ignores unknown fields', () => {
    const job = answered(
      {},
      { satisfiesPzs: true, customEnvironmentSpec: { machineSpec: { tpuTopology: '2x2' } } },
    );
    assert.equal(fromJob(PARENT, JobSchema.parse(job)).state, 'SUCCEEDED');
  });

  it('cuts a long name at a whole character', () => {
    const displayName = `a${'🙂'.repeat(100)}`;
    const name = toJob('run-1', { ...MACHINE, displayName }, SOURCE, MARKS).displayName ?? '';
    assert.equal(name, `a${'🙂'.repeat(63)}`);
  });

  it('writes durations with fractions in the API’s format', () => {
    const timeouts = [3600, 0.1 + 0.2, 1e-7, 10.5].map(
      (timeout) => toJob('run-1', { ...MACHINE, runOptions: { timeout } }, SOURCE, MARKS).executionTimeout,
    );
    assert.deepEqual(timeouts, ['3600s', '0.3s', '0.0000001s', '10.5s']);
  });

  it('sets the disk type when only its size was chosen', () => {
    const request = { ...MACHINE, runOptions: { vertex: { diskSizeGb: 200 } } };
    const { customEnvironmentSpec } = toJob('run-1', request, SOURCE, MARKS);
    assert.deepEqual(customEnvironmentSpec?.persistentDiskSpec, {
      diskType: 'pd-standard',
      diskSizeGb: '200',
    });
  });
});
