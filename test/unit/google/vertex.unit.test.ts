import assert from 'node:assert/strict';
import { CloudDouble, LOCATION, PROJECT, BUCKET } from '../../support/google/cloud';
import { isTerminal } from '../../../src/execution/states';
import type { Execution } from '../../../src/execution/execution';
import { notebookOf, untilEnded, readText } from './support';

describe('Vertex AI, end to end', function () {
  this.timeout(60_000);
  const cloud = new CloudDouble();
  before(() => cloud.start());
  after(() => cloud.stop());
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
  });

  it('runs a notebook with parameters and gives its output', async () => {
    const service = cloud.google().service('vertex', PROJECT, LOCATION);
    const created = await service.create(
      'first-run',
      {
        displayName: 'sales.ipynb',
        executionTemplate: {
          masterType: 'n1-standard-4',
          outputNotebookFolder: `gs://${BUCKET}/runs`,
          serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
          parameters: 'x: 20',
        },
        runOptions: { templateName: 'My Template', source: 'file:///home/me/sales.ipynb' },
      },
      { notebook: notebookOf('x = 1', { parameters: true }, 'print(x + 1)') },
    );
    assert.equal(created.name, `projects/${PROJECT}/locations/${LOCATION}/notebookExecutionJobs/first-run`);
    const ended: Execution = await untilEnded(service, created.name);
    assert.equal(ended.state, 'SUCCEEDED');
    assert.ok(isTerminal(ended.state));
    const output = await service.readOutput(ended);
    assert.match(await readText(output), /"21\\n"/);
    assert.equal(ended.runOptions?.templateName, 'My Template');
  });
});
