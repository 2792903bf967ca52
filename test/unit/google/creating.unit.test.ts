import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ServiceError } from '../../../src/execution/errors';
import { INLINE_LIMIT } from '../../../src/google/vertex/vertex-api';
import { BUCKET } from '../../support/google/cloud';
import { NOTEBOOK, nextId, requestOf, suiteOfCloud } from './cloud-suite';
import { cellOf, notebookOf, parseNotebook, readText, sourceOf, untilEnded } from './support';

describe('creating executions on Google Cloud', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();

  for (const kind of ['vertex', 'notebooks'] as const) {
    describe(kind, () => {
      const double = kind === 'vertex' ? cloud.vertex : cloud.notebooks;
      const inserts = kind === 'vertex' ? /notebookExecutionJobs\.create/ : /executions\.create/;
      const service = () => cloud.service(kind);

      for (const fault of [
        { kind: 'lostAnswer' },
        { kind: 'resetMidBody' },
        { kind: 'answer', status: 503 },
      ] as const) {
        it(`creates once even if the first try ends in ${fault.kind}`, async () => {
          const id = nextId();
          double.faults.add(inserts, fault);
          const created = await service().create(id, requestOf(), { notebook: NOTEBOOK });
          assert.equal(created.name.split('/').at(-1), id);
          assert.equal(double.count(inserts), 2);
          assert.equal((await untilEnded(service(), created.name)).state, 'SUCCEEDED');
        });
      }

      it('returns the same execution when the same one is created again', async () => {
        const id = nextId();
        const first = await service().create(id, requestOf(), { notebook: NOTEBOOK });
        const again = await service().create(id, requestOf(), { notebook: NOTEBOOK });
        assert.deepEqual([again.name, again.createTime], [first.name, first.createTime]);
      });

      it('refuses an id that is already used for something else', async () => {
        const id = nextId();
        await service().create(id, requestOf(), { notebook: NOTEBOOK });
        const other = service().create(id, requestOf(), { notebook: notebookOf('print(2)') });
        await assert.rejects(other, { status: 'ALREADY_EXISTS', reason: 'alreadyExists' });
        const otherRequest = service().create(id, requestOf({ masterType: 'n1-standard-8' }), {
          notebook: NOTEBOOK,
        });
        await assert.rejects(otherRequest, { status: 'ALREADY_EXISTS', reason: 'alreadyExists' });
      });

      it('sends nothing when the request cannot be carried out', async () => {
        const id = nextId();
        await assert.rejects(service().create(id, { executionTemplate: {} }, { notebook: NOTEBOOK }), {
          reason: 'fieldRequired',
        });
        await assert.rejects(service().create('Not An Id', requestOf(), { notebook: NOTEBOOK }), {
          reason: 'fieldInvalid',
        });
        await assert.rejects(service().create(id, requestOf(), { notebook: Buffer.from('{}') }), {
          reason: 'notebookInvalid',
        });
        await assert.rejects(service().create(id, requestOf({ parameters: '- 1' }), { notebook: NOTEBOOK }), {
          reason: 'parametersInvalid',
        });
        assert.deepEqual([double.requests, cloud.storage.requests], [[], []]);
      });

      it('reports a missing bucket before anything is created', async () => {
        const created = service().create(
          nextId(),
          requestOf({ outputNotebookFolder: 'gs://no-such-bucket/x' }),
          {
            notebook: NOTEBOOK,
          },
        );
        await assert.rejects(
          created,
          (error) =>
            error instanceof ServiceError &&
            error.reason === 'bucketNotFound' &&
            error.args['bucket'] === 'no-such-bucket',
        );
        assert.equal(double.count(inserts), 0);
      });

      it('leaves no file behind when the service refuses', async () => {
        const id = nextId();
        double.faults.add(inserts, {
          kind: 'answer',
          status: 403,
          body: {
            error: { code: 403, status: 'PERMISSION_DENIED', message: "Permission 'x.y.create' denied." },
          },
        });
        const big = notebookOf(`# ${'x'.repeat(INLINE_LIMIT)}`);
        await assert.rejects(service().create(id, requestOf(), { notebook: big }), {
          reason: 'permissionDenied',
        });
        assert.deepEqual(
          (await cloud.storage.names(BUCKET)).filter((name) => name.includes(`/${id}/`)),
          [],
        );
      });

      it('warns about unsupported fields and a bucket in another region', async () => {
        cloud.storage.locations.set(BUCKET, 'EUROPE-WEST4');
        const asked = requestOf();
        const created = await service().create(
          nextId(),
          { ...asked, runOptions: { ...asked.runOptions, cellTimeout: 3 } },
          { notebook: NOTEBOOK },
        );
        cloud.storage.locations.delete(BUCKET);
        assert.deepEqual(created.runStatus?.warnings, [
          { code: 'fieldIgnored', args: ['runOptions.cellTimeout'] },
          { code: 'bucketInOtherRegion', args: [BUCKET, 'europe-west4', 'us-central1'] },
        ]);
      });

      it('warns about parameters that the notebook does not declare', async () => {
        const created = await service().create(nextId(), requestOf({ parameters: 'x: 1' }), {
          notebook: NOTEBOOK,
        });
        assert.deepEqual(created.runStatus?.warnings, [{ code: 'parameterNotDeclared', args: ['x'] }]);
      });

      it('warns about words that YAML 1.1 reads differently, without the value of a secret', async () => {
        const created = await service().create(
          nextId(),
          requestOf({ parameters: 'answer: no\npassword: 0777\nrate: 1' }),
          { notebook: notebookOf('answer = 1\npassword = 1\nrate = 1', { parameters: true }) },
        );
        assert.deepEqual(created.runStatus?.warnings, [
          { code: 'yamlWord', args: ['answer', 'no', '"no"', 'false'] },
          { code: 'yamlWord', args: ['password', '••••••••', '••••••••', '••••••••'] },
        ]);
      });

      it('uploads a large notebook once, with progress, under the execution’s id', async () => {
        const id = nextId();
        const big = notebookOf(`# ${'x'.repeat(5_000_000)}`);
        const progress: [number, number][] = [];
        await service().create(id, requestOf(), {
          notebook: big,
          onUpload: (...each) => progress.push(each),
        });
        const total = progress[0]?.[1] ?? 0;
        assert.ok(total > 5_000_000);
        assert.deepEqual(progress.at(0), [0, total]);
        assert.deepEqual(progress.at(-1), [total, total]);
        assert.equal(progress.length, 4);
        const names = await cloud.storage.names(BUCKET);
        assert.ok(names.includes(`runs/${id}/input/My Sales.ipynb`));
        const insert = cloud.storage.requests.find((each) => each.id === 'storage.objects.insert');
        assert.ok(insert);
        assert.deepEqual(insert.query, {
          uploadType: 'resumable',
          name: `runs/${id}/input/My Sales.ipynb`,
          ifGenerationMatch: '0',
        });
        assert.equal(insert.headers['x-upload-content-type'], 'application/x-ipynb+json');
      });

      for (const fault of [
        { kind: 'reset' },
        { kind: 'lostAnswer' },
        { kind: 'answer', status: 503 },
        { kind: 'answer', status: 410 },
      ] as const) {
        it(`uploads the complete notebook even if a chunk meets ${fault.kind}${'status' in fault ? ` ${String(fault.status)}` : ''}`, async () => {
          const id = nextId();
          const big = notebookOf(`# ${Array.from({ length: 700_000 }, (_, index) => index % 10).join(' ')}`);
          cloud.storage.faults.add(/upload\.PUT/, fault);
          const created = await service().create(id, requestOf(), { notebook: big });
          const input = await service().readInput(created);
          const sent = await readText(input);
          assert.equal(Buffer.byteLength(sent), input?.size);
          assert.deepEqual(sourceOf(parseNotebook(sent), 0), sourceOf(parseNotebook(big), 0));
        });
      }

      for (const [what, body] of [
        ['does not describe the object', {}],
        ['has another size', { size: '7' }],
        ['has another hash', { md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' }],
      ] as const) {
        it(`creates nothing if an upload ends early and ${what}`, async () => {
          const big = notebookOf(`# ${'x'.repeat(5_000_000)}`);
          cloud.storage.faults.add(/upload\.PUT/, { kind: 'answer', status: 200, body });
          const progress: number[] = [];
          const input = { notebook: big, onUpload: (sent: number) => progress.push(sent) };
          await assert.rejects(service().create(nextId(), requestOf(), input), {
            status: 'UNAVAILABLE',
            reason: 'uploadIncomplete',
          });
          assert.equal(double.count(inserts), 0);
          assert.deepEqual(progress, [0], 'no progress that was none');
        });
      }

      it('asks for the upload position before it continues, and sends nothing twice', async () => {
        const big = notebookOf(`# ${'x'.repeat(5_000_000)}`);
        // The chunk arrives, but the client does not learn it.
        cloud.storage.faults.add(/upload\.PUT/, { kind: 'lostAnswer' });
        cloud.storage.requests.length = 0;
        await service().create(nextId(), requestOf(), { notebook: big });
        const ranges = cloud.storage.requests
          .filter(({ id }) => id === 'upload.PUT')
          .map(({ headers }) => headers['content-range']?.replace(/^bytes (.*)\/\d+$/, '$1'));
        const last = ranges.at(-1)?.replace(/^4194304-5\d{6}$/, 'the rest');
        assert.deepEqual([...ranges.slice(0, -1), last], ['0-2097151', '*', '2097152-4194303', 'the rest']);
      });

      it('keeps another notebook that has the same name, and creates nothing', async () => {
        const id = nextId();
        const uri = `gs://${BUCKET}/runs/${id}/input/My Sales.ipynb`;
        const other = Buffer.from(notebookOf('print("of another program")'));
        await cloud.storage.put(uri, other);
        const before = double.count(inserts);
        const big = notebookOf(`# ${'x'.repeat(2 * INLINE_LIMIT)}`);
        await assert.rejects(service().create(id, requestOf(), { notebook: big }), {
          status: 'ALREADY_EXISTS',
          reason: 'alreadyExists',
          args: { executionId: id },
        });
        assert.equal(double.count(inserts), before);
        assert.deepEqual(await cloud.storage.get(uri), other);
      });

      it('stops uploading when it is aborted, and creates nothing', async () => {
        const controller = new AbortController();
        const reason = new Error('the person changed their mind');
        const creating = service().create(
          nextId(),
          requestOf(),
          {
            notebook: notebookOf(`# ${'x'.repeat(5_000_000)}`),
            onUpload: (sent) => {
              if (sent > 0) controller.abort(reason);
            },
          },
          controller.signal,
        );
        await assert.rejects(creating, reason);
        assert.equal(double.count(inserts), 0);
        assert.equal(cloud.storage.requests.at(-1)?.id, 'upload.DELETE');
      });

      it('sends no outputs of earlier runs', async () => {
        const withOutput = parseNotebook(NOTEBOOK);
        cellOf(withOutput, 0).outputs = [{ output_type: 'stream', name: 'stdout', text: 'secret' }];
        cellOf(withOutput, 0).execution_count = 3;
        const created = await service().create(nextId(), requestOf(), {
          notebook: Buffer.from(JSON.stringify(withOutput)),
        });
        const sent = parseNotebook(await readText(await service().readInput(created)));
        const { outputs, execution_count } = cellOf(sent, 0);
        assert.deepEqual([outputs, execution_count], [[], null]);
      });

      it('merges a local parameter file under the template’s parameters', async () => {
        const file = path.join(cloud.folder, 'params.yaml');
        await writeFile(file, 'a: 1\nb: "two"\n');
        const created = await service().create(
          nextId(),
          requestOf({ paramsYamlFile: pathToFileURL(file).href, parameters: 'b: 3' }),
          { notebook: notebookOf('a = 0') },
        );
        if (kind === 'vertex') {
          const sent = parseNotebook(await readText(await service().readInput(created)));
          assert.equal(sourceOf(sent, 0), '# Parameters\na = 1\nb = 3\n');
        } else {
          const uri = (await service().get(created.name)).executionTemplate?.paramsYamlFile ?? '';
          assert.deepEqual(JSON.parse((await cloud.storage.get(uri)).toString()), { a: 1, b: 3 });
        }
        await assert.rejects(
          service().create(nextId(), requestOf({ paramsYamlFile: 'file:///no/such.yaml' }), {
            notebook: NOTEBOOK,
          }),
          { reason: 'fileNotReadable' },
        );
        await assert.rejects(
          service().create(nextId(), requestOf({ paramsYamlFile: `gs://${BUCKET}/none.yaml` }), {
            notebook: NOTEBOOK,
          }),
          { reason: 'objectNotFound' },
        );
      });
    });
  }

  it('reports what a Vertex AI template names and does not exist, or is not allowed', async () => {
    const service = cloud.service('vertex');
    const { masterType: _, containerImageUri: _image, ...rest } = requestOf().executionTemplate ?? {};
    const runtimeTemplate = 'projects/my-project/locations/us-central1/notebookRuntimeTemplates/7';
    const missing = { executionTemplate: rest, runOptions: { vertex: { runtimeTemplate } } };
    await assert.rejects(service.create(nextId(), missing, { notebook: NOTEBOOK }), {
      reason: 'referenceNotFound',
      args: { problem: `NotebookRuntimeTemplate ${runtimeTemplate} does not exist.` },
    });
    const serviceAccount = '123456789012-compute@developer.gserviceaccount.com';
    await assert.rejects(
      service.create(nextId(), requestOf({ serviceAccount }), { notebook: NOTEBOOK }),
      (error: ServiceError) =>
        error.reason === 'actAsMissing' && error.args['serviceAccount'] === serviceAccount,
    );
  });

  it('sends a small notebook to Vertex AI without using Cloud Storage', async () => {
    const service = cloud.service('vertex');
    await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
    assert.deepEqual(
      cloud.storage.requests.map(({ id }) => id),
      ['storage.buckets.get'],
    );
  });
});
