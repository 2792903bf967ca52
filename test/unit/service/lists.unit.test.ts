import * as assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { errorOf, startApi, type Api } from './api';
import { PARENT, type TestService } from './support';

/* Lists of executions and operations with filter and order, and the operations themselves. */

interface Operation {
  readonly name: string;
  readonly done: boolean;
  readonly metadata: Record<string, unknown>;
  readonly response?: Record<string, unknown>;
}

describe('A list of the embedded service', () => {
  let service: TestService;
  let create: Api['create'];
  before(async () => {
    ({ service, create } = await startApi());
    for (const [id, fake, options] of [
      ['alpha', 'succeed', { templateName: 'Nightly', source: pathToFileURL('/n/Monthly Sales.ipynb').href }],
      ['beta', 'notReady', { templateName: 'This machine' }],
      ['gamma', 'succeed', { source: 'untitled:Untitled-1' }],
      ['delta', 'notReady', {}],
      ['epsilon', 'succeed', {}],
    ] as const) {
      const labels = { team: id < 'd' ? 'one' : 'two', [id]: '' };
      assert.equal((await create(id, { labels, parameters: JSON.stringify({ fake }) }, options)).code, 200);
      await service.ended(id);
    }
  });

  /** Ids on a page, separated by spaces. */
  const list = async (query: Record<string, string>): Promise<{ ids: string; token: string | undefined }> => {
    const { code, body } = await service.request(
      'GET',
      `${PARENT}/executions?${new URLSearchParams(query).toString()}`,
    );
    assert.equal(code, 200, JSON.stringify(body));
    const executions = body['executions'] as { name: string }[];
    return {
      ids: executions.map(({ name }) => name.replace(/.*\//, '')).join(' '),
      token: body['nextPageToken'] as string | undefined,
    };
  };

  it('contains the executions that match the filter, newest first', async () => {
    for (const [filter, expected] of [
      ['', 'epsilon delta gamma beta alpha'],
      ['state = FAILED', 'delta beta'],
      ['state=SUCCEEDED AND labels.team=two', 'gamma epsilon'.split(' ').reverse().join(' ')],
      ['labels:beta OR labels:gamma', 'gamma beta'],
      ['template = Nightly', 'alpha'],
      ['runOptions.templateName = "This machine"', 'beta'],
      ['source:sales', 'alpha'],
      ['-source:*', 'epsilon delta beta'],
      ['"monthly sales"', 'alpha'],
      ['nightly OR delta', 'delta alpha'],
      ['schedule_id = anything', ''],
      ['name = "*/executions/beta"', 'beta'],
    ] as const)
      assert.equal((await list({ filter })).ids, expected, filter);

    const { createTime = '' } = await service.get('gamma');
    assert.equal((await list({ filter: `createTime > "${createTime}"` })).ids, 'epsilon delta');
    assert.equal((await list({ filter: `create_time <= ${createTime} state = FAILED` })).ids, 'beta');
  });

  it('has the requested order', async () => {
    const newest = 'epsilon delta gamma beta alpha';
    assert.equal((await list({ orderBy: 'create_time desc' })).ids, newest);
    assert.equal((await list({ orderBy: 'createTime' })).ids, newest.split(' ').reverse().join(' '));
    assert.equal((await list({ orderBy: 'name' })).ids, 'alpha beta delta epsilon gamma');
    assert.equal((await list({ orderBy: 'state,createTime desc' })).ids, 'delta beta epsilon gamma alpha');
    assert.equal((await list({ orderBy: 'state desc,name', filter: 'labels.team=one' })).ids, 'alpha beta');
  });

  it('stays consistent over its pages while executions are created and deleted', async () => {
    for (const [query, first, second] of [
      [{ filter: 'state = SUCCEEDED' }, 'epsilon gamma', 'alpha'],
      [{ orderBy: 'name' }, 'alpha beta', 'delta epsilon'],
      [{ orderBy: 'state,name desc' }, 'delta beta', 'gamma epsilon'],
    ] as const) {
      const page = await list({ ...query, pageSize: '2' });
      assert.equal(page.ids, first);
      const pageToken = page.token ?? '';
      await create('zeta', {});
      await service.ended('zeta');
      const next = await list({ ...query, pageSize: '2', pageToken });
      await service.delete('zeta');
      assert.equal(next.ids, 'orderBy' in query && query.orderBy.startsWith('state') ? 'zeta gamma' : second);
      const other = await service.request(
        'GET',
        `${PARENT}/executions?filter=state%3AFAILED&pageToken=${pageToken}`,
      );
      assert.equal(errorOf(other).field, 'pageToken');
    }
    assert.equal((await list({ filter: 'state = FAILED', pageSize: '2' })).token, undefined);
    const plain = await list({ pageSize: '2' });
    const mixed = await service.request(
      'GET',
      `${PARENT}/executions?filter=a&pageToken=${plain.token ?? ''}`,
    );
    assert.equal(errorOf(mixed).field, 'pageToken');
  });

  it('has the requested format', async () => {
    const { body } = await service.request(
      'GET',
      `${PARENT}/executions?fields=executions(state)&$alt=json;enum-encoding=int&pageSize=2&$prettyPrint=0`,
    );
    assert.deepEqual(body, { executions: [{ state: 4 }, { state: 5 }] });
    const masked = await service.request('GET', `${PARENT}/executions/beta`, undefined, {
      'x-goog-fieldmask': 'state',
    });
    assert.deepEqual(masked.body, { state: 'FAILED' });
    for (const [query, field] of [
      ['filter=colour%3Dred', 'filter'],
      ['orderBy=colour', 'orderBy'],
      ['fields=colour', 'fields'],
      ['alt=proto', 'alt'],
      ['colour=red', 'colour'],
    ] as const) {
      const error = errorOf(await service.request('GET', `${PARENT}/executions?${query}`));
      assert.deepEqual([error.code, error.status, error.field], [400, 'INVALID_ARGUMENT', field]);
    }
  });

  it('of operations supports filters too', async () => {
    const operations = async (query: Record<string, string>): Promise<string> => {
      const parameters = new URLSearchParams(query).toString();
      const { code, body } = await service.request('GET', `${PARENT}/operations?${parameters}`);
      assert.equal(code, 200, JSON.stringify(body));
      return (body['operations'] as Operation[]).map(({ name }) => name.replace(/.*\//, '')).join(' ');
    };
    const creates = 'create-epsilon create-delta create-gamma create-beta create-alpha';
    assert.equal(
      await operations({ filter: 'verb=create -target:zeta', returnPartialSuccess: 'true' }),
      creates,
    );
    assert.equal(await operations({ filter: 'done=true AND metadata.target:beta' }), 'create-beta');
    assert.equal(await operations({ filter: 'done=false' }), '');
    assert.equal(await operations({ filter: 'name:epsilon', pageSize: '1' }), 'create-epsilon');
    for (const query of ['filter=colour%3D1', 'filter=create', 'returnPartialSuccess=maybe', 'orderBy=name'])
      assert.equal((await service.request('GET', `${PARENT}/operations?${query}`)).code, 400, query);
  });
});

describe('An operation of the embedded service', () => {
  let service: TestService;
  let create: Api['create'];
  before(async () => {
    ({ service, create } = await startApi());
  });
  const operation = async (id: string): Promise<Operation> => {
    const { code, body } = await service.request('GET', `${PARENT}/operations/${id}`);
    assert.equal(code, 200, JSON.stringify(body));
    return body as unknown as Operation;
  };
  const codeOf = async (method: string, target: string, body?: object): Promise<number> =>
    (await service.request(method, `${PARENT}/operations/${target}`, body)).code;

  it('has the same times in every answer, also after the execution was deleted', async () => {
    await create('gone', {});
    const { createTime } = await service.ended('gone');
    const created = await operation('create-gone');
    assert.equal(created.metadata['createTime'], createTime);
    await service.delete('gone');
    const deleted = await operation('delete-gone');
    const { createTime: asked, endTime } = deleted.metadata;
    assert.ok(deleted.done && typeof asked === 'string' && typeof endTime === 'string' && asked <= endTime);
    const past = await operation('create-gone');
    assert.deepEqual(past.metadata, created.metadata);
    const { name, state } = past.response ?? {};
    assert.deepEqual([name, state], [created.response?.['name'], 'SUCCEEDED']);
    // A later time shows whether times are stable.
    await create('later', {});
    await service.ended('later');
    assert.deepEqual(await operation('delete-gone'), deleted);
    assert.deepEqual(await operation('create-gone'), past);
    const listed = (await service.request('GET', `${PARENT}/operations?filter=target%3Agone`)).body[
      'operations'
    ];
    assert.deepEqual(listed, [deleted, past]);
  });

  it('belongs to the newest execution of its id', async () => {
    await create('again', {});
    await service.ended('again');
    await service.delete('again');
    const deleted = await operation('delete-again');
    await create('again', { parameters: 'fake: notReady' });
    const { createTime } = await service.ended('again');
    assert.equal((await operation('create-again')).metadata['createTime'], createTime);
    assert.deepEqual(await operation('delete-again'), deleted);
    const { body } = await service.request('GET', `${PARENT}/operations?filter=target%3Aagain`);
    assert.equal((body['operations'] as unknown[]).length, 2);
  });

  it('of a create can be cancelled, which cancels the execution', async () => {
    await create('cancelled', { parameters: 'fake: wait' });
    await service.running('cancelled');
    assert.equal((await operation('create-cancelled')).metadata['requestedCancellation'], false);
    assert.equal(await codeOf('POST', 'create-cancelled:cancel', {}), 200);
    assert.equal((await service.ended('cancelled')).state, 'CANCELLED');
    assert.equal((await operation('create-cancelled')).metadata['requestedCancellation'], true);
    await service.delete('cancelled');
    assert.equal(await codeOf('POST', 'create-cancelled:cancel'), 200, 'nothing is left to cancel');
    assert.equal(await codeOf('POST', 'delete-cancelled:cancel'), 200);
    assert.equal(await codeOf('POST', 'create-missing:cancel'), 404);
    assert.equal(await codeOf('POST', 'create-cancelled:cancel', { x: 1 }), 400);
  });

  it('can be deleted without its execution', async () => {
    await create('kept', {});
    await service.ended('kept');
    assert.equal(await codeOf('DELETE', 'create-kept'), 200);
    assert.equal(await codeOf('GET', 'create-kept'), 404);
    assert.equal(await codeOf('DELETE', 'create-kept'), 404);
    assert.equal((await service.get('kept')).state, 'SUCCEEDED');
    const { body } = await service.request('GET', `${PARENT}/operations?filter=target%3Akept`);
    assert.deepEqual(body['operations'], []);
    await service.delete('kept');
    assert.equal(await codeOf('GET', 'create-kept'), 404);
    assert.equal(await codeOf('DELETE', 'delete-kept'), 200);
    assert.equal(await codeOf('GET', 'delete-kept'), 404);
  });
});
