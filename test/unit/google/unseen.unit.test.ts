import assert from 'node:assert/strict';
import type { ServiceError } from '../../../src/execution/errors';
import { INLINE_LIMIT } from '../../../src/google/vertex/vertex-api';
import { BUCKET, LOCATION, PROJECT } from '../../support/google/cloud';
import { MovableClock, moment, NOTEBOOK, nextId, requestOf, suiteOfCloud } from './cloud-suite';
import { notebookOf, untilEnded } from './support';

/** google.rpc.Code of INVALID_ARGUMENT and RESOURCE_EXHAUSTED. */
const INVALID = 3;
const EXHAUSTED = 8;

describe('executions whose creation fails after the request has succeeded', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();

  for (const kind of ['vertex', 'notebooks'] as const) {
    describe(kind, () => {
      const double = kind === 'vertex' ? cloud.vertex : cloud.notebooks;

      it('are reported as the error of the operation, and leave no file behind', async () => {
        const id = nextId();
        const message = 'You do not have permission to act as service_account: a@p.iam.gserviceaccount.com.';
        double.failedCreation = { code: INVALID, message, done: Promise.resolve() };
        const big = notebookOf(`# ${'x'.repeat(INLINE_LIMIT)}`);
        await assert.rejects(
          cloud.service(kind).create(id, requestOf(), { notebook: big }),
          (error: ServiceError) =>
            error.reason === 'actAsMissing' && error.args['serviceAccount'] === 'a@p.iam.gserviceaccount.com',
        );
        const left = (await cloud.storage.names(BUCKET)).filter((name) => name.includes(`/${id}/`));
        assert.deepEqual(left, []);
      });

      it('are shown in their row when the operation fails later, in every list from then on', async () => {
        const service = cloud.service(kind);
        const fails = moment();
        double.failedCreation = { code: EXHAUSTED, message: 'No GPUs left.', done: fails.reached };
        const created = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const { name } = created;
        assert.equal(created.state, 'INITIALIZING');
        assert.equal((await service.get(name)).state, 'INITIALIZING');
        fails.reach();
        const ended = await untilEnded(service, name);
        const { cause, message, endTime } = ended.runStatus ?? {};
        assert.deepEqual([ended.state, cause, message], ['FAILED', 'serviceError', 'No GPUs left.']);
        assert.ok(endTime !== undefined && ended.createTime !== undefined);
        assert.equal(ended.runOptions?.source, 'file:///home/me/My%20Sales.ipynb');
        const listed = async () => (await service.list({})).executions.find((each) => each.name === name);
        assert.deepEqual(await listed(), ended);
        assert.equal((await service.cancel(name)).state, 'FAILED');
        await service.delete(name);
        assert.equal(await listed(), undefined);
        await assert.rejects(service.get(name), { reason: 'executionNotFound' });
      });

      it('do not include executions that only appear late', async () => {
        const service = cloud.service(kind);
        const appears = moment();
        double.visible = appears.reached;
        const { name } = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        double.visible = undefined;
        assert.equal((await service.get(name)).state, 'INITIALIZING');
        appears.reach();
        assert.equal((await untilEnded(service, name)).state, 'SUCCEEDED');
        await cloud.service(kind).delete(name);
        await assert.rejects(service.get(name), { reason: 'executionNotFound' }, 'deleted elsewhere');
      });

      it('stay in the list of every other window, until one deletes them', async () => {
        const fails = moment();
        double.failedCreation = { code: EXHAUSTED, message: 'No GPUs left.', done: fails.reached };
        const { name } = await cloud.service(kind).create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const reloaded = cloud.service(kind);
        const row = async (service = reloaded) =>
          (await service.list({})).executions.find((each) => each.name === name);
        assert.equal((await row())?.state, 'INITIALIZING');
        fails.reach();
        await fails.reached;
        const failed = await row();
        assert.deepEqual([failed?.state, failed?.runStatus?.message], ['FAILED', 'No GPUs left.']);
        assert.deepEqual([failed?.displayName, failed?.runOptions?.templateName], ['My Sales', 'Big']);
        assert.deepEqual(await reloaded.get(name), failed);
        await cloud.service(kind).delete(name);
        assert.equal(await row(), undefined);
        await assert.rejects(reloaded.get(name), { reason: 'executionNotFound' });
      });

      it('stay in the list where their record cannot be written', async () => {
        const full = {
          put: () => Promise.reject(new Error('The disk is full.')),
          all: () => Promise.reject(new Error('The disk is full.')),
          claim: () => Promise.reject(new Error('The disk is full.')),
        };
        const service = cloud.google({ unseen: full }).service(kind, PROJECT, LOCATION);
        double.failedCreation = {
          code: EXHAUSTED,
          message: 'No GPUs left.',
          done: new Promise(() => undefined),
        };
        const created = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        assert.deepEqual(await service.get(created.name), created);
        const { executions } = await service.list({});
        assert.deepEqual(executions[0], created);
      });

      it('are on the page of their time only, because a page tells what is deleted', async () => {
        const service = cloud.service(kind);
        double.failedCreation = { code: EXHAUSTED, message: '', done: new Promise(() => undefined) };
        const { name } = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        for (let count = 0; count < 2; count += 1)
          await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const first = await service.list({ pageSize: 1 });
        assert.equal(
          first.executions.some((each) => each.name === name),
          false,
        );
        const { executions } = await service.list({});
        assert.equal(
          executions.some((each) => each.name === name),
          true,
        );
        await service.delete(name);
      });

      it('are eventually reported when the service has neither them nor their operation', async () => {
        const clock = new MovableClock();
        const service = cloud.google({ clock }).service(kind, PROJECT, LOCATION);
        const gone = {
          kind: 'answer',
          status: 404,
          body: { error: { code: 404, status: 'NOT_FOUND' } },
        } as const;
        double.failedCreation = { code: EXHAUSTED, message: '', done: new Promise(() => undefined) };
        const { name } = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        double.faults.add(/operations\.get/, gone, 2);
        assert.equal((await service.get(name)).state, 'INITIALIZING');
        clock.passed = 180_000;
        const failed = await service.get(name);
        assert.equal(failed.state, 'FAILED');
        assert.match(failed.runStatus?.message ?? '', /knows neither it nor its operation/);
      });
    });
  }
});
