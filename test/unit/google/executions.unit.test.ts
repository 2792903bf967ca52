import assert from 'node:assert/strict';
import type { Execution } from '../../../src/execution/execution';
import { BUCKET, LOCATION, PROJECT } from '../../support/google/cloud';
import { endless, NOTEBOOK, nextId, OUTPUT_FOLDER, requestOf, suiteOfCloud } from './cloud-suite';
import { cellOf, notebookOf, parseNotebook, readText, sourceOf, untilEnded } from './support';

describe('executions on Google Cloud', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();

  for (const kind of ['vertex', 'notebooks'] as const) {
    describe(kind, () => {
      const double = kind === 'vertex' ? cloud.vertex : cloud.notebooks;
      const service = () => cloud.service(kind);

      it('finds the output, and streams it completely over a broken connection', async () => {
        const lines = Array.from({ length: 300_000 }, (_, index) => `# ${String(index)}`).join('\n');
        const created = await service().create(nextId(), requestOf(), { notebook: notebookOf(lines) });
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

      it('has no output before it is written', async () => {
        cloud.outcome = endless;
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
        assert.equal(await service().readOutput(created), undefined);
        await service().delete(created.name);
      });

      it('reports which cell failed', async () => {
        cloud.outcome = (input) => {
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
        const created = await service().create(nextId(), requestOf(), {
          notebook: notebookOf('a', 'b', 'c'),
        });
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

      it('reports the service’s own error when no cell failed', async () => {
        cloud.outcome = () =>
          Promise.resolve({ state: 'FAILED', message: 'The machine vanished.', output: undefined });
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const ended = await untilEnded(service(), created.name);
        assert.equal(ended.runStatus?.cause, 'serviceError');
        assert.equal(ended.runStatus.message, 'The machine vanished.');
      });

      it('cancels a run', async () => {
        cloud.outcome = endless;
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
        while ((await service().get(created.name)).state !== 'RUNNING');
        const cancelled = await service().cancel(created.name);
        assert.match(cancelled.state, /^CANCELL/);
        const ended = await untilEnded(service(), created.name);
        assert.equal(ended.state, 'CANCELLED');
        assert.equal(ended.runStatus?.cause, 'cancelled');
        assert.deepEqual((await service().cancel(created.name)).state, 'CANCELLED');
      });

      it('deletes a running execution with its files, and nothing else', async () => {
        cloud.outcome = endless;
        const id = nextId();
        const created = await service().create(id, requestOf(), { notebook: NOTEBOOK });
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

      it('deletes once even if the answer is lost', async () => {
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
        await untilEnded(service(), created.name);
        double.faults.add(/delete/, { kind: 'lostAnswer' });
        await service().delete(created.name);
        await assert.rejects(service().get(created.name), { status: 'NOT_FOUND' });
      });

      it('lists pages, newest first, and marks executions of other clients', async () => {
        const [first, second] = [nextId(), nextId()];
        await service().create(first, requestOf(), { notebook: NOTEBOOK });
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

      it('remembers fields that the service does not store, until the window closes', async () => {
        const here = service();
        const created = await here.create(nextId(), requestOf({ parameters: 'x: 1' }), {
          notebook: NOTEBOOK,
        });
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

      it('continues in another window', async () => {
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const other = cloud.google().service(kind, PROJECT, LOCATION);
        const ended = await untilEnded(other, created.name);
        assert.equal(ended.runOptions?.templateName, 'Big');
        assert.equal(ended.executionTemplate?.outputNotebookFolder, OUTPUT_FOLDER);
        assert.ok((await readText(await other.readInput(ended))).includes('print(1)'));
      });

      it('reports a wrong project or region by name', async () => {
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

      it('links to the console', async () => {
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const ended = await untilEnded(service(), created.name);
        const url = new URL(service().consoleUrl(ended));
        assert.equal(url.host, 'console.cloud.google.com');
        assert.equal(url.searchParams.get('project'), PROJECT);
        assert.equal(await service().outputUri(ended), ended.outputNotebookFile);
      });

      it('shows an unknown state, and ignores unknown fields', async () => {
        const created = await service().create(nextId(), requestOf(), { notebook: NOTEBOOK });
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
    });
  }

  it('offers to delete an execution that Vertex AI cannot cancel', async () => {
    cloud.outcome = endless;
    const service = cloud.service('vertex');
    const created = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
    cloud.vertex.cancellable = false;
    await assert.rejects(service.cancel(created.name), {
      status: 'FAILED_PRECONDITION',
      reason: 'cancelNotPossible',
    });
    await service.delete(created.name);
    cloud.vertex.cancellable = true;
    await assert.rejects(service.get(created.name), { status: 'NOT_FOUND' });
  });

  for (const [state, shown] of [
    ['JOB_STATE_PAUSED', 'PAUSED'],
    ['JOB_STATE_UPDATING', 'UPDATING'],
    ['JOB_STATE_PARTIALLY_SUCCEEDED', 'PARTIALLY_SUCCEEDED'],
  ] as const) {
    it(`shows ${state}`, async () => {
      cloud.outcome = endless;
      const service = cloud.service('vertex');
      const id = nextId();
      const created = await service.create(id, requestOf(), { notebook: NOTEBOOK });
      while ((await service.get(created.name)).state !== 'RUNNING');
      cloud.vertex.jobs.get(id)?.run.enter(state);
      assert.equal((await service.get(created.name)).state, shown);
      await service.delete(created.name);
    });
  }
});
