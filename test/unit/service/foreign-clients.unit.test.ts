import * as assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { protos, v1 } from '@google-cloud/notebooks';
import { OAuth2Client } from 'google-auth-library';
import { notebooks_v1 } from 'googleapis/build/src/apis/notebooks/v1';
import { VENV_PYTHON } from '../../support/python';
import { until } from '../../support/until';
import { fakeKernel, NOTEBOOK, ROOT, temporaryFolder, TestService } from './support';

/* The embedded service, used by Google's own clients of the Notebooks API v1. */

const parent = 'projects/local/locations/local';
const nameOf = (id: string): string => `${parent}/executions/${id}`;
const wait = JSON.stringify({ fake: 'wait' });

describe('Google’s own clients use the embedded service like the real one:', () => {
  let service: TestService;
  let inputNotebookFile: string;
  let auth: OAuth2Client;
  before(async () => {
    const folder = temporaryFolder();
    // The clients have no field for the environment, so the kernel must be in that of the service.
    service = await TestService.startBy(folder, {
      env: { JUPYTER_PATH: fakeKernel(folder)['JUPYTER_PATH'] ?? '' },
    });
    const input = path.join(folder, 'a.ipynb');
    fs.writeFileSync(input, NOTEBOOK);
    inputNotebookFile = pathToFileURL(input).href;
    auth = new OAuth2Client();
    auth.setCredentials({ access_token: service.token });
  });

  it('googleapis for Node', async () => {
    const client = new notebooks_v1.Notebooks({ rootUrl: service.endpoint.href, auth, proxy: '' });
    const { executions, operations, runtimes } = client.projects.locations;
    const create = async (executionId: string, template: notebooks_v1.Schema$ExecutionTemplate) =>
      executions.create({
        parent,
        executionId,
        requestBody: {
          description: 'from Google’s client',
          executionTemplate: { inputNotebookFile, labels: { by: 'node' }, ...template },
        },
      });
    const { data: operation } = await create('node-a', { scaleTier: 'BASIC' });
    assert.deepEqual([operation.done, operation.response?.['name']], [true, nameOf('node-a')]);
    await service.ended('node-a');
    const { data: execution } = await executions.get({ name: nameOf('node-a') });
    assert.deepEqual([execution.state, execution.description], ['SUCCEEDED', 'from Google’s client']);
    await create('node-b', { parameters: wait });
    await service.running('node-b');
    const { data: page } = await executions.list({
      parent,
      pageSize: 5,
      filter: 'labels.by = node',
      orderBy: 'create_time desc',
      fields: 'executions(name),nextPageToken',
      prettyPrint: true,
      alt: 'json',
      // Standard parameters of all Google APIs, without effect here.
      '$.xgafv': '1',
      callback: 'callback',
      key: 'key',
      oauth_token: 'token',
      quotaUser: 'user',
      upload_protocol: 'raw',
      uploadType: 'media',
    });
    assert.deepEqual(page, { executions: [{ name: nameOf('node-b') }, { name: nameOf('node-a') }] });
    await operations.cancel({ name: `${parent}/operations/create-node-b`, requestBody: {} });
    assert.equal((await service.ended('node-b')).state, 'CANCELLED');
    const { data: found } = await operations.list({ name: parent, filter: 'target:node-a' });
    assert.deepEqual(
      found.operations?.map(({ metadata }) => metadata?.['verb'] as unknown),
      ['create'],
    );
    assert.equal((await client.projects.locations.get({ name: parent })).data.locationId, 'local');
    for (const [call, status, message] of [
      [() => create('node-c', { scaleTier: 'HUGE' }), 400, /scaleTier/],
      [() => create('node-a', {}), 409, /other content/],
      [() => executions.list({ parent, filter: 'colour = red' }), 400, /colour/],
      [() => executions.get({ name: nameOf('missing') }), 404, /no execution/],
      [() => runtimes.list({ parent }), 501, /runtimes/],
    ] as const) {
      await assert.rejects(call(), (error: unknown) => {
        assert.ok(error instanceof Error && 'status' in error);
        assert.equal(error.status, status, error.message);
        assert.match(error.message, message);
        return true;
      });
    }
    const { data: deletion } = await executions.delete({ name: nameOf('node-a') });
    const name = deletion.name ?? '';
    await until('the execution is deleted', async () => (await operations.get({ name })).data.done);
    await operations.delete({ name });
    await assert.rejects(operations.get({ name }), /no operation/);
  });

  it('@google-cloud/notebooks over REST', async () => {
    const client = new v1.NotebookServiceClient({
      fallback: true,
      protocol: 'http',
      apiEndpoint: service.endpoint.hostname,
      port: Number(service.endpoint.port),
      // Its google-auth-library is a separate copy with separate types.
      authClient: auth as never,
    });
    const create = async (executionId: string, template: object) =>
      client.createExecution({
        parent,
        executionId,
        execution: {
          description: 'gapic',
          executionTemplate: { inputNotebookFile, labels: { by: 'gapic' }, ...template },
        },
      });
    const template = {
      scaleTier: 'CUSTOM',
      jobType: 'VERTEX_AI',
      acceleratorConfig: { type: 'NVIDIA_TESLA_T4', coreCount: 1 },
      vertexAiParameters: { env: { snake_case: 'x' } },
    };
    const [operation] = await create('gapic-a', template);
    const [created] = await operation.promise();
    assert.equal(created.name, nameOf('gapic-a'));
    await service.ended('gapic-a');
    const [execution] = await client.getExecution({ name: nameOf('gapic-a') });
    const { scaleTier, acceleratorConfig, vertexAiParameters } = execution.executionTemplate ?? {};
    assert.deepEqual([execution.state, scaleTier], ['SUCCEEDED', 'CUSTOM']);
    assert.deepEqual(
      [acceleratorConfig?.type, String(acceleratorConfig?.coreCount)],
      ['NVIDIA_TESLA_T4', '1'],
    );
    assert.deepEqual(vertexAiParameters?.env, { snake_case: 'x' });
    await create('gapic-b', { parameters: wait });
    await service.running('gapic-b');
    const listed: unknown[] = [];
    const request = { parent, filter: 'labels.by = gapic', orderBy: 'create_time', pageSize: 1 };
    for await (const each of client.listExecutionsAsync(request)) listed.push([each.name, each.state]);
    assert.deepEqual(listed, [
      [nameOf('gapic-a'), 'SUCCEEDED'],
      [nameOf('gapic-b'), 'RUNNING'],
    ]);
    const masked = { otherArgs: { headers: { 'X-Goog-FieldMask': 'name' } } };
    const [named] = await client.getExecution({ name: nameOf('gapic-b') }, masked);
    assert.deepEqual([named.name, named.description], [nameOf('gapic-b'), '']);
    for (const [call, code] of [
      [() => create('gapic-c', { scaleTier: 99 }), 400],
      [() => create('gapic-a', {}), 409],
      [() => client.listExecutions({ parent, filter: 'colour = red' }, { autoPaginate: false }), 400],
      [() => client.getExecution({ name: nameOf('missing') }), 404],
      [() => client.listInstances({ parent }, { autoPaginate: false }), 501],
    ] as const) {
      await assert.rejects(call(), (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error);
        assert.equal(error.code, code, error.message);
        return true;
      });
    }
    assert.deepEqual((await client.listSchedules({ parent }, { autoPaginate: false }))[0], []);
    const { CancelOperationRequest } = protos.google.longrunning;
    await client.cancelOperation(new CancelOperationRequest({ name: `${parent}/operations/create-gapic-b` }));
    assert.equal((await service.ended('gapic-b')).state, 'CANCELLED');
    const [deletion] = await client.deleteExecution({ name: nameOf('gapic-a') });
    await deletion.promise();
    await assert.rejects(client.getExecution({ name: nameOf('gapic-a') }), /no execution gapic-a/);
    await client.close();
  });

  it('google-api-python-client', async () => {
    const script = path.join(ROOT, 'test/unit/service/foreign-client.py');
    const args = [script, service.endpoint.href, inputNotebookFile];
    const env = { ...process.env, TOKEN: service.token };
    const { stdout } = await promisify(execFile)(VENV_PYTHON, args, { env });
    const { errors, ...result } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(result, {
      created: [true, 'QUEUED'],
      ended: 'CUSTOM',
      listed: ['python-a', 'python-b'],
      fields: { executions: [{ state: 'RUNNING', executionTemplate: { labels: { by: 'python' } } }] },
      cancelled: 'CANCELLED',
      operations: ['create', 'create'],
      deleted: { '@type': 'type.googleapis.com/google.protobuf.Empty' },
      forgotten: 404,
    });
    const reasons = Object.entries(errors as Record<string, [number, string]>);
    assert.deepEqual(
      reasons.map(([call, [code]]) => [call, code]),
      [
        ['twice', 409],
        ['huge', 400],
        ['filter', 400],
        ['missing', 404],
        ['runtimes', 501],
        ['token', 401],
      ],
    );
    assert.match(JSON.stringify(errors), /HUGE|scaleTier/);
  });
});
