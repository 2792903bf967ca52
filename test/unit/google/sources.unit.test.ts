import assert from 'node:assert/strict';
import type { ExecutionRequest } from '../../../src/execution/execution';
import { BUCKET } from '../../support/google/cloud';
import { NOTEBOOK, nextId, requestOf, suiteOfCloud } from './cloud-suite';
import { notebookOf, parseNotebook, readText, sourceOf, untilEnded } from './support';

const THEIRS = `gs://${BUCKET}/theirs/report.ipynb`;
const REPOSITORY = 'projects/my-project/locations/us-central1/repositories/report';

describe('notebooks in the cloud that are executed instead of the submitted one', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();
  const request = (template: object, vertex: object = {}): ExecutionRequest => ({
    ...requestOf(template),
    runOptions: { ...requestOf().runOptions, vertex },
  });
  const output = async (kind: 'vertex' | 'notebooks', asked: ExecutionRequest): Promise<string> => {
    const service = cloud.service(kind);
    const { name } = await service.create(nextId(), asked, { notebook: NOTEBOOK });
    const ended = await untilEnded(service, name);
    return sourceOf(parseNotebook(await readText(await service.readOutput(ended))), 0);
  };

  for (const kind of ['vertex', 'notebooks'] as const) {
    it(`are read by the service from Cloud Storage: ${kind}`, async () => {
      await cloud.storage.put(THEIRS, Buffer.from(notebookOf('print("theirs")')));
      assert.equal(await output(kind, request({ inputNotebookFile: THEIRS })), 'print("theirs")');
      assert.equal(
        cloud.storage.requests.some(({ id }) => id.includes('insert')),
        false,
        'nothing is uploaded',
      );
    });

    it(`are reported as missing before anything is created: ${kind}`, async () => {
      const missing = request({ inputNotebookFile: `gs://${BUCKET}/theirs/none.ipynb` });
      await assert.rejects(cloud.service(kind).create(nextId(), missing, { notebook: NOTEBOOK }), {
        reason: 'objectNotFound',
      });
      const double = kind === 'vertex' ? cloud.vertex : cloud.notebooks;
      assert.equal(double.count(/create/), 0);
    });
  }

  it('are fixed to the version that they have when submitted', async () => {
    await cloud.storage.put(THEIRS, Buffer.from(notebookOf('print("theirs")')));
    const id = nextId();
    const service = cloud.service('vertex');
    const created = await service.create(id, request({ inputNotebookFile: THEIRS }), { notebook: NOTEBOOK });
    const source = cloud.vertex.jobs.get(id)?.job.gcsNotebookSource;
    assert.equal(source?.uri, THEIRS);
    assert.match(source.generation ?? '', /^\d+$/);
    assert.equal(created.runOptions?.vertex?.inputGeneration, source.generation);
    assert.equal(created.displayName, 'report');
    cloud.storage.requests.length = 0;
    await service.readInput(created);
    assert.equal(cloud.storage.requests[0]?.query['generation'], source.generation);
  });

  it('get their parameters before they are sent to Vertex AI', async () => {
    await cloud.storage.put(THEIRS, Buffer.from(notebookOf('x = 1', { parameters: true }, 'print(x)')));
    const service = cloud.service('vertex');
    const asked = request({ inputNotebookFile: THEIRS, parameters: 'x: 2' });
    const created = await service.create(nextId(), asked, { notebook: NOTEBOOK });
    const sent = parseNotebook(await readText(await service.readInput(created)));
    assert.match(sourceOf(sent, 1), /x = 2/);
  });

  it('are read by Vertex AI from Dataform', async () => {
    cloud.vertex.dataform.set(REPOSITORY, Buffer.from(notebookOf('print("from Dataform")')));
    const asked = request({}, { dataform: { repository: REPOSITORY, commit: 'abc' } });
    assert.equal(await output('vertex', asked), 'print("from Dataform")');
    const [job] = [...cloud.vertex.jobs.values()].slice(-1);
    assert.deepEqual(job?.job.dataformRepositorySource, {
      dataformRepositoryResourceName: REPOSITORY,
      commitSha: 'abc',
    });
  });
});
