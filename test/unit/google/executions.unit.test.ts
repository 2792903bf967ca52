import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ServiceError } from '../../../src/execution/errors';
import type { Execution, ExecutionRequest } from '../../../src/execution/execution';
import { INLINE_LIMIT } from '../../../src/google/vertex/vertex-api';
import { BUCKET, CloudDouble, LOCATION, PROJECT } from '../../support/google/cloud';
import type { RunResult } from '../../support/google/run-notebook';
import { cellOf, notebookOf, parseNotebook, readText, sourceOf, untilEnded } from './support';

/** Echoes the notebook as its output, or fails as the test says; no kernel where the notebook does not matter. */
let outcome: (input: Buffer, signal: AbortSignal) => Promise<RunResult>;
const echo = (input: Buffer): Promise<RunResult> =>
  Promise.resolve({ state: 'SUCCEEDED', message: undefined, output: input });
/** Runs until it is cancelled. */
const endless = (input: Buffer, signal: AbortSignal): Promise<RunResult> =>
  new Promise((resolve) => {
    const end = (): void => {
      resolve({ state: 'CANCELLED', message: undefined, output: input });
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });

const NOTEBOOK = notebookOf('print(1)');
const OUTPUT_FOLDER = `gs://${BUCKET}/runs`;
let ids = 0;
const nextId = (): string => `run-${String((ids += 1))}`;

describe('executions on Google Cloud', function () {
  this.timeout(60_000);
  const cloud = new CloudDouble((input, { signal }) => outcome(input, signal));
  before(() => cloud.start());
  after(() => cloud.stop());
  beforeEach(() => {
    outcome = echo;
    cloud.vertex.requests.length = 0;
    cloud.notebooks.requests.length = 0;
    cloud.storage.requests.length = 0;
  });
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
    assert.deepEqual(
      [cloud.vertex.faults.pending, cloud.notebooks.faults.pending, cloud.storage.faults.pending],
      [0, 0, 0],
    );
  });

  const request = (template: ExecutionRequest['executionTemplate'] = {}): ExecutionRequest => ({
    executionTemplate: {
      masterType: 'n1-standard-4',
      serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
      outputNotebookFolder: OUTPUT_FOLDER,
      ...template,
    },
    runOptions: { source: 'file:///home/me/My%20Sales.ipynb', templateName: 'Big' },
  });

  for (const kind of ['vertex', 'notebooks'] as const) {
    describe(kind, () => {
      const double = kind === 'vertex' ? cloud.vertex : cloud.notebooks;
      const inserts = kind === 'vertex' ? /notebookExecutionJobs\.create/ : /executions\.create/;
      const service = () => cloud.google().service(kind, PROJECT, LOCATION);

      for (const fault of [
        { kind: 'lostAnswer' },
        { kind: 'resetMidBody' },
        { kind: 'answer', status: 503 },
      ] as const) {
        it(`creates once although the first try ends in ${fault.kind}`, async () => {
          const id = nextId();
          double.faults.add(inserts, fault);
          const created = await service().create(id, request(), { notebook: NOTEBOOK });
          assert.equal(created.name.split('/').at(-1), id);
          assert.equal(double.count(inserts), 2);
          assert.equal((await untilEnded(service(), created.name)).state, 'SUCCEEDED');
        });
      }

      it('answers the same execution when the same is created again', async () => {
        const id = nextId();
        const first = await service().create(id, request(), { notebook: NOTEBOOK });
        const again = await service().create(id, request(), { notebook: NOTEBOOK });
        assert.deepEqual([again.name, again.createTime], [first.name, first.createTime]);
      });

      it('refuses an id that is taken by something else', async () => {
        const id = nextId();
        await service().create(id, request(), { notebook: NOTEBOOK });
        const other = service().create(id, request(), { notebook: notebookOf('print(2)') });
        await assert.rejects(other, { status: 'ALREADY_EXISTS', reason: 'alreadyExists' });
        const otherRequest = service().create(id, request({ masterType: 'n1-standard-8' }), {
          notebook: NOTEBOOK,
        });
        await assert.rejects(otherRequest, { status: 'ALREADY_EXISTS', reason: 'alreadyExists' });
      });

      it('sends nothing where the request cannot be carried out', async () => {
        const id = nextId();
        await assert.rejects(service().create(id, { executionTemplate: {} }, { notebook: NOTEBOOK }), {
          reason: 'fieldRequired',
        });
        await assert.rejects(service().create('Not An Id', request(), { notebook: NOTEBOOK }), {
          reason: 'fieldInvalid',
        });
        await assert.rejects(service().create(id, request(), { notebook: Buffer.from('{}') }), {
          reason: 'notebookInvalid',
        });
        await assert.rejects(service().create(id, request({ parameters: '- 1' }), { notebook: NOTEBOOK }), {
          reason: 'parametersInvalid',
        });
        assert.deepEqual([double.requests, cloud.storage.requests], [[], []]);
      });

      it('says that the bucket is missing before anything is created', async () => {
        const created = service().create(
          nextId(),
          request({ outputNotebookFolder: 'gs://no-such-bucket/x' }),
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
        await assert.rejects(service().create(id, request(), { notebook: big }), {
          reason: 'permissionDenied',
        });
        assert.deepEqual(
          (await cloud.storage.names(BUCKET)).filter((name) => name.includes(`/${id}/`)),
          [],
        );
      });

      it('warns of fields that are not honoured and of a bucket in another region', async () => {
        cloud.storage.locations.set(BUCKET, 'EUROPE-WEST4');
        const asked = request();
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

      it('warns of parameters that the notebook does not declare', async () => {
        const created = await service().create(nextId(), request({ parameters: 'x: 1' }), {
          notebook: NOTEBOOK,
        });
        assert.deepEqual(created.runStatus?.warnings, [{ code: 'parameterNotDeclared', args: ['x'] }]);
      });

      it('uploads a large notebook once, with progress, under the execution’s id', async () => {
        const id = nextId();
        const big = notebookOf(`# ${'x'.repeat(5_000_000)}`);
        const progress: [number, number][] = [];
        await service().create(id, request(), { notebook: big, onUpload: (...each) => progress.push(each) });
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
        it(`uploads the notebook whole although a chunk meets ${fault.kind}${'status' in fault ? ` ${String(fault.status)}` : ''}`, async () => {
          const id = nextId();
          const big = notebookOf(`# ${Array.from({ length: 700_000 }, (_, index) => index % 10).join(' ')}`);
          cloud.storage.faults.add(/upload\.PUT/, fault);
          const created = await service().create(id, request(), { notebook: big });
          const input = await service().readInput(created);
          const sent = await readText(input);
          assert.equal(Buffer.byteLength(sent), input?.size);
          assert.deepEqual(sourceOf(parseNotebook(sent), 0), sourceOf(parseNotebook(big), 0));
        });
      }

      it('stops uploading when it is aborted, and creates nothing', async () => {
        const controller = new AbortController();
        const reason = new Error('the person changed their mind');
        const creating = service().create(
          nextId(),
          request(),
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
        const created = await service().create(nextId(), request(), {
          notebook: Buffer.from(JSON.stringify(withOutput)),
        });
        const sent = parseNotebook(await readText(await service().readInput(created)));
        const { outputs, execution_count } = cellOf(sent, 0);
        assert.deepEqual([outputs, execution_count], [[], null]);
      });

      it('finds the output, and streams it whole over a broken connection', async () => {
        const lines = Array.from({ length: 300_000 }, (_, index) => `# ${String(index)}`).join('\n');
        const created = await service().create(nextId(), request(), { notebook: notebookOf(lines) });
        const ended = await untilEnded(service(), created.name);
        assert.match(
          ended.outputNotebookFile ?? '',
          /^gs:\/\/notebook-bucket\/runs\/run-\d+\/.*My Sales.*\.ipynb$/,
        );
        cloud.storage.faults.add(/objects\.get/, { kind: 'slow', milliseconds: 1 });
        const output = await service().readOutput(ended);
        cloud.storage.faults.add(/objects\.get/, { kind: 'resetMidBody' });
        assert.equal(sourceOf(parseNotebook(await readText(output)), 0), lines);
        const resumed = cloud.storage.requests.at(-1);
        assert.match(String(resumed?.headers.range), /^bytes=[1-9]\d*-$/);
      });

      it('has no output before there is one', async () => {
        outcome = endless;
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        assert.equal(await service().readOutput(created), undefined);
        await service().delete(created.name);
      });

      it('tells which cell failed', async () => {
        outcome = (input) => {
          const notebook = parseNotebook(input);
          cellOf(notebook, 1).outputs = [
            { output_type: 'error', ename: 'ValueError', evalue: 'too small', traceback: [] },
          ];
          return Promise.resolve({
            state: 'FAILED',
            message: 'Notebook execution failed.',
            output: Buffer.from(JSON.stringify(notebook)),
          });
        };
        const created = await service().create(nextId(), request(), { notebook: notebookOf('a', 'b', 'c') });
        const ended = await untilEnded(service(), created.name);
        assert.equal(ended.state, 'FAILED');
        assert.equal(ended.runStatus?.cause, 'cellError');
        assert.equal(ended.runStatus.message, 'Notebook execution failed.');
        assert.deepEqual(ended.runStatus.cell, {
          index: 1,
          id: 'cell-1',
          errorName: 'ValueError',
          errorValue: 'too small',
        });
      });

      it('tells the service’s own error where no cell failed', async () => {
        outcome = () =>
          Promise.resolve({ state: 'FAILED', message: 'The machine vanished.', output: undefined });
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        const ended = await untilEnded(service(), created.name);
        assert.equal(ended.runStatus?.cause, 'serviceError');
        assert.equal(ended.runStatus.message, 'The machine vanished.');
      });

      it('cancels a run', async () => {
        outcome = endless;
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        while ((await service().get(created.name)).state !== 'RUNNING');
        const cancelled = await service().cancel(created.name);
        assert.match(cancelled.state, /^CANCELL/);
        const ended = await untilEnded(service(), created.name);
        assert.equal(ended.state, 'CANCELLED');
        assert.equal(ended.runStatus?.cause, 'cancelled');
        assert.deepEqual((await service().cancel(created.name)).state, 'CANCELLED');
      });

      it('deletes a running execution with its files, and nothing else', async () => {
        outcome = endless;
        const id = nextId();
        const created = await service().create(id, request(), { notebook: NOTEBOOK });
        await cloud.storage.put(`${OUTPUT_FOLDER}/${id}-other/kept.ipynb`, Buffer.from('{}'));
        await service().delete(created.name);
        await assert.rejects(service().get(created.name), {
          status: 'NOT_FOUND',
          reason: 'executionNotFound',
        });
        const names = await cloud.storage.names(BUCKET);
        assert.deepEqual(
          names.filter((name) => name.includes(id)),
          [`runs/${id}-other/kept.ipynb`],
        );
        await assert.rejects(service().delete(created.name), { status: 'NOT_FOUND' });
      });

      it('deletes once although the answer is lost', async () => {
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        await untilEnded(service(), created.name);
        double.faults.add(/delete/, { kind: 'lostAnswer' });
        await service().delete(created.name);
        await assert.rejects(service().get(created.name), { status: 'NOT_FOUND' });
      });

      it('lists pages, newest first, and marks what was made elsewhere', async () => {
        const [first, second] = [nextId(), nextId()];
        await service().create(first, request(), { notebook: NOTEBOOK });
        const folder = { outputNotebookFolder: `gs://${BUCKET}/theirs` };
        if (kind === 'vertex') {
          cloud.vertex.addElsewhere(second, {
            gcsOutputUri: `gs://${BUCKET}/theirs`,
            displayName: 'nightly',
            directNotebookSource: { content: Buffer.from(NOTEBOOK).toString('base64') },
          });
        } else {
          await cloud.storage.put(`gs://${BUCKET}/theirs/in.ipynb`, Buffer.from(NOTEBOOK));
          cloud.notebooks.addElsewhere(second, {
            executionTemplate: {
              scaleTier: 'CUSTOM',
              inputNotebookFile: `gs://${BUCKET}/theirs/in.ipynb`,
              ...folder,
            },
          });
        }
        const page = await service().list({ pageSize: 1 });
        const next = await service().list({ pageSize: 1, pageToken: page.nextPageToken ?? '' });
        assert.deepEqual(
          [...page.executions, ...next.executions].map(({ name, runStatus }) => [
            name.split('/').at(-1),
            runStatus?.elsewhere,
          ]),
          [
            [second, true],
            [first, undefined],
          ],
        );
        assert.ok(next.nextPageToken !== undefined);
        const theirs = await untilEnded(service(), page.executions[0]?.name ?? '');
        assert.equal(theirs.executionTemplate?.outputNotebookFolder, folder.outputNotebookFolder);
        await service().delete(theirs.name);
        assert.ok(
          (await cloud.storage.names(BUCKET)).some((name) => name.startsWith('theirs/')),
          'its files are not ours',
        );
      });

      it('remembers what the service does not keep, for as long as the window lives', async () => {
        const here = service();
        const created = await here.create(nextId(), request({ parameters: 'x: 1' }), { notebook: NOTEBOOK });
        const listed = async (): Promise<Execution | undefined> =>
          (await here.list({})).executions.find(({ name }) => name === created.name);
        assert.equal((await listed())?.runOptions?.source, 'file:///home/me/My%20Sales.ipynb');
        assert.equal((await listed())?.executionTemplate?.parameters, 'x: 1');
        assert.deepEqual((await untilEnded(here, created.name)).runStatus?.warnings, [
          { code: 'parameterNotDeclared', args: ['x'] },
        ]);
        assert.ok(
          (await listed())?.outputNotebookFile !== undefined,
          'what a get found out is in lists, too',
        );
        const elsewhere = await service().get(created.name);
        assert.deepEqual([elsewhere.displayName, elsewhere.runOptions?.source], ['My Sales', undefined]);
      });

      it('goes on in another window', async () => {
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        const other = cloud.google().service(kind, PROJECT, LOCATION);
        const ended = await untilEnded(other, created.name);
        assert.equal(ended.runOptions?.templateName, 'Big');
        assert.equal(ended.executionTemplate?.outputNotebookFolder, OUTPUT_FOLDER);
        assert.ok((await readText(await other.readInput(ended))).includes('print(1)'));
      });

      it('merges a local parameter file under the template’s parameters', async () => {
        const file = path.join(cloud.folder, 'params.yaml');
        await writeFile(file, 'a: 1\nb: "two"\n');
        const created = await service().create(
          nextId(),
          request({ paramsYamlFile: pathToFileURL(file).href, parameters: 'b: 3' }),
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
          service().create(nextId(), request({ paramsYamlFile: 'file:///no/such.yaml' }), {
            notebook: NOTEBOOK,
          }),
          { reason: 'fileNotReadable' },
        );
        await assert.rejects(
          service().create(nextId(), request({ paramsYamlFile: `gs://${BUCKET}/none.yaml` }), {
            notebook: NOTEBOOK,
          }),
          { reason: 'objectNotFound' },
        );
      });

      it('says which project and region are wrong', async () => {
        const wrong = (project: string, location: string) =>
          cloud.google().service(kind, project, location).list({});
        await assert.rejects(wrong('my-projetc', LOCATION), {
          reason: 'projectNotFound',
          args: { project: 'my-projetc' },
        });
        await assert.rejects(wrong(PROJECT, 'mars-west1'), {
          reason: 'regionWithoutService',
          args: { location: 'mars-west1' },
        });
      });

      it('points to the console', async () => {
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        const ended = await untilEnded(service(), created.name);
        const url = new URL(service().consoleUrl(ended));
        assert.equal(url.host, 'console.cloud.google.com');
        assert.equal(url.searchParams.get('project'), PROJECT);
        assert.equal(await service().outputUri(ended), ended.outputNotebookFile);
      });

      it('shows a state that this version does not know, and minds no unknown field', async () => {
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        await untilEnded(service(), created.name);
        const { name } = created;
        const news = {
          name,
          jobState: 'JOB_STATE_HIBERNATING',
          state: 'HIBERNATING',
          dreams: [{ of: 'sheep' }],
        };
        double.faults.add(/\.get$/, { kind: 'answer', status: 200, body: news });
        const answered = await service().get(name);
        assert.match(answered.state, /HIBERNATING$/);
        assert.equal((await service().get(name)).state, 'SUCCEEDED');
      });

      it('has no log', async () => {
        const created = await service().create(nextId(), request(), { notebook: NOTEBOOK });
        await assert.rejects(service().readLog(created), {
          status: 'UNIMPLEMENTED',
          reason: 'logNotAvailable',
        });
      });
    });
  }

  it('offers to delete what Vertex AI cannot cancel', async () => {
    outcome = endless;
    const service = cloud.google().service('vertex', PROJECT, LOCATION);
    const created = await service.create(nextId(), request(), { notebook: NOTEBOOK });
    cloud.vertex.cancellable = false;
    await assert.rejects(service.cancel(created.name), {
      status: 'FAILED_PRECONDITION',
      reason: 'cancelNotPossible',
    });
    await service.delete(created.name);
    cloud.vertex.cancellable = true;
    await assert.rejects(service.get(created.name), { status: 'NOT_FOUND' });
  });

  it('sends a small notebook to Vertex AI without Cloud Storage', async () => {
    const service = cloud.google().service('vertex', PROJECT, LOCATION);
    await service.create(nextId(), request(), { notebook: NOTEBOOK });
    assert.deepEqual(
      cloud.storage.requests.map(({ id }) => id),
      ['storage.buckets.get'],
    );
  });

  for (const [state, shown] of [
    ['JOB_STATE_PAUSED', 'PAUSED'],
    ['JOB_STATE_UPDATING', 'UPDATING'],
    ['JOB_STATE_PARTIALLY_SUCCEEDED', 'PARTIALLY_SUCCEEDED'],
  ] as const) {
    it(`shows ${state}`, async () => {
      outcome = endless;
      const service = cloud.google().service('vertex', PROJECT, LOCATION);
      const id = nextId();
      const created = await service.create(id, request(), { notebook: NOTEBOOK });
      while ((await service.get(created.name)).state !== 'RUNNING');
      cloud.vertex.jobs.get(id)?.run.enter(state);
      assert.equal((await service.get(created.name)).state, shown);
      await service.delete(created.name);
    });
  }
});
