import assert from 'node:assert/strict';
import type { Execution } from '../../src/execution/execution';
import { executionIdOf } from '../../src/execution/execution-name';
import {
  cellsOf,
  nextId,
  notFound,
  python,
  readText,
  rejects,
  untilEnded,
  wordsFor,
  type ContractSubject,
} from './contract-words';
import { until } from './until';

/**
 * The contract of src/execution/execution-service.ts for stored executions: the same calls and expectations for every
 * service.
 */
export function contractOfExecutions(name: string, subject: ContractSubject): void {
  describe(`the contract, kept by ${name}`, function () {
    this.timeout(120_000);
    const { start } = wordsFor(subject);

    it('creates once, even if requested several times', async () => {
      const id = nextId();
      const [one, two] = [await start(python('1'), {}, id), await start(python('1'), {}, id)];
      assert.deepEqual([two.name, two.createTime], [one.name, one.createTime]);
      const all = (await subject.client().list({ pageSize: 100 })).executions;
      assert.equal(all.filter((each) => each.name === one.name).length, 1);
      await rejects(start(python('2'), {}, id), 'ALREADY_EXISTS', 'alreadyExists');
      await rejects(
        start(python('1'), { executionTemplate: { parameters: 'x: 1' } }, id),
        'ALREADY_EXISTS',
        'alreadyExists',
      );
      await untilEnded(subject.client(), one.name);
    });

    it('refuses a notebook that cannot be run, and creates nothing', async () => {
      const id = nextId();
      await rejects(start(Buffer.from('not json'), {}, id), 'INVALID_ARGUMENT', 'notebookInvalid');
      await rejects(start(Buffer.from('{"nbformat": 5}'), {}, id), 'INVALID_ARGUMENT', 'notebookInvalid');
      const listed = { executionTemplate: { parameters: '- 1\n- 2' } };
      await rejects(start(python('1'), listed, id), 'INVALID_ARGUMENT', 'parametersInvalid');
      const noFile = { executionTemplate: { paramsYamlFile: 'file:///no/such/file.yaml' } };
      await rejects(start(python('1'), noFile, id), 'INVALID_ARGUMENT', 'fileNotReadable');
      await rejects(start(python('1'), {}, 'Not-An-Id'), 'INVALID_ARGUMENT', 'fieldInvalid');
      const { name } = await start(python('1'));
      await rejects(
        subject.client().get(name.replace(executionIdOf(name), id)),
        'NOT_FOUND',
        'executionNotFound',
      );
      await subject.client().delete(name);
    });

    it('does not find an execution that was never created', async () => {
      const { name } = await start(python('1'));
      const unknown = name.replace(executionIdOf(name), 'never-created');
      const client = subject.client();
      await rejects(client.get(unknown), 'NOT_FOUND', 'executionNotFound');
      await rejects(client.cancel(unknown), 'NOT_FOUND', 'executionNotFound');
      await rejects(client.delete(unknown), 'NOT_FOUND', 'executionNotFound');
      await untilEnded(client, name);
    });

    it('lists all of them, newest first, in pages', async () => {
      const names = [];
      for (let made = 0; made < 3; made += 1) names.push((await start(python('1'))).name);
      const found: Execution[] = [];
      let pageToken: string | undefined;
      do {
        const page = await subject
          .client()
          .list({ pageSize: 2, ...(pageToken === undefined ? {} : { pageToken }) });
        assert.ok(page.executions.length <= 2);
        found.push(...page.executions);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      assert.deepEqual(
        found.slice(0, 3).map((each) => each.name),
        names.toReversed(),
      );
      assert.equal(new Set(found.map((each) => each.name)).size, found.length);
      for (const each of names) await untilEnded(subject.client(), each);
    });

    it('lists those that match a filter, if the service supports it', async () => {
      const one = await start(python('1'), { executionTemplate: { labels: { kind: 'filtered' } } });
      const other = await start(python('raise ValueError'), {
        executionTemplate: { labels: { kind: 'filtered' } },
      });
      for (const { name } of [one, other]) await untilEnded(subject.client(), name);
      const expected = [other.name, one.name];
      if (wordsFor(subject).can().filters === true) {
        const names = async (filter: string): Promise<string[]> =>
          (await subject.client().list({ filter })).executions.map(({ name }) => name);
        assert.deepEqual(await names('labels.kind = filtered'), expected);
        assert.deepEqual(await names('labels.kind = filtered AND state = FAILED'), [other.name]);
        assert.deepEqual(await names('labels:kind AND valueerror'), [other.name]);
        await rejects(subject.client().list({ filter: 'colour = red' }), 'INVALID_ARGUMENT', 'fieldInvalid');
      }
      for (const name of expected) await subject.client().delete(name);
    });

    it('deletes an execution with its files', async () => {
      const created = await start(python('1'));
      const ended = await untilEnded(subject.client(), created.name);
      await subject.client().delete(created.name);
      await rejects(subject.client().get(created.name), 'NOT_FOUND', 'executionNotFound');
      await rejects(subject.client().delete(created.name), 'NOT_FOUND', 'executionNotFound');
      const left = (await subject.client().list({ pageSize: 100 })).executions.map((each) => each.name);
      assert.ok(!left.includes(created.name));
      assert.equal(await subject.client().readInput(ended).catch(notFound), undefined);
    });

    it('deletes a running execution', async () => {
      const created = await start(python('import time; time.sleep(600)'));
      await until('it runs', async () => (await subject.client().get(created.name)).state === 'RUNNING');
      await subject.client().delete(created.name);
      await rejects(subject.client().get(created.name), 'NOT_FOUND', 'executionNotFound');
    });

    it('returns the submitted notebook', async () => {
      const created = await start(python('a = 1', 'b = "ü"'));
      const input = await subject.client().readInput(created);
      assert.ok(input !== undefined);
      const text = await readText(input);
      assert.equal(Buffer.byteLength(text), input.size);
      assert.deepEqual(
        cellsOf(text).map(({ source }) => [source].flat().join('')),
        ['a = 1', 'b = "ü"'],
      );
      await untilEnded(subject.client(), created.name);
    });

    it('ends an aborted call with the caller’s reason', async () => {
      const reason = new Error('nobody waits any more');
      const signal = AbortSignal.abort(reason);
      const client = subject.client();
      const created = await start(python('1'));
      const { name } = created;
      const id = nextId();
      const calls = [
        client.create(id, subject.request(), { notebook: python('1') }, signal),
        client.get(name, signal),
        client.list({}, signal),
        client.cancel(name, signal),
        client.delete(name, signal),
        client.readOutput(created, signal),
        client.readInput(created, signal),
      ];
      for (const result of await Promise.allSettled(calls)) {
        assert.equal(result.status, 'rejected');
        assert.equal(result.reason, reason);
      }
      await rejects(client.get(name.replace(executionIdOf(name), id)), 'NOT_FOUND', 'executionNotFound');
      await untilEnded(client, name);
    });
  });
}
