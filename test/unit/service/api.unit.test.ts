import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { fakeKernel, NOTEBOOK, PARENT, temporaryFolder, TestService, type Answer } from './support';

interface ErrorBody {
  code: number;
  message: string;
  status: string;
  details: {
    '@type': string;
    reason?: string;
    metadata?: Record<string, string>;
    fieldViolations?: { field: string }[];
  }[];
}

function errorOf(answer: Answer): {
  code: number;
  status: string;
  reason: string | undefined;
  field: string | undefined;
  metadata: Record<string, string>;
} {
  const error = answer.body['error'] as ErrorBody;
  assert.equal(error.code, answer.code);
  return {
    code: error.code,
    status: error.status,
    reason: error.details[0]?.reason,
    field: error.details[1]?.fieldViolations?.[0]?.field,
    metadata: error.details[0]?.metadata ?? {},
  };
}

describe('The API of the embedded service', () => {
  let folder: string;
  let service: TestService;
  let input: string;
  before(async () => {
    folder = temporaryFolder();
    service = await TestService.start(folder);
    input = path.join(folder, 'in.ipynb');
    fs.writeFileSync(input, NOTEBOOK);
  });

  async function create(
    id: string,
    template: Record<string, unknown>,
    options: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ): Promise<Answer> {
    return service.request('POST', `${PARENT}/executions?executionId=${id}`, {
      executionTemplate: { inputNotebookFile: pathToFileURL(input).href, ...template },
      runOptions: { environment: fakeKernel(folder), ...options },
      ...more,
    });
  }

  it('answers create with a done operation, as Notebooks API v1 does', async () => {
    const { code, body } = await create('op', {});
    assert.equal(code, 200);
    assert.equal(body['name'], 'projects/local/locations/local/operations/create-op');
    const metadata = body['metadata'] as Record<string, unknown>;
    assert.equal(metadata['verb'], 'create');
    assert.equal(metadata['target'], 'projects/local/locations/local/executions/op');
    assert.equal(
      (body['response'] as Record<string, unknown>)['name'],
      'projects/local/locations/local/executions/op',
    );
    const again = await service.request('GET', `${PARENT}/operations/create-op`);
    assert.equal(again.body['done'], true);
    const all = await service.request('GET', `${PARENT}/operations`);
    assert.equal((all.body['operations'] as unknown[]).length, 1);
    assert.equal(
      errorOf(await service.request('GET', `${PARENT}/operations/create-nobody`)).status,
      'NOT_FOUND',
    );
  });

  it('takes the same create again as the same, and another one as ALREADY_EXISTS', async () => {
    const template = { parameters: '{"a": 1}' };
    const [one, two] = await Promise.all([create('same', template), create('same', template)]);
    assert.deepEqual([one.code, two.code], [200, 200]);
    await service.ended('same');
    assert.equal((await create('same', template)).code, 200);
    assert.equal(service.runs().filter((line) => line.includes('/same ')).length, 1);
    const other = errorOf(await create('same', { parameters: '{"a": 2}' }));
    assert.deepEqual([other.code, other.status, other.reason], [409, 'ALREADY_EXISTS', 'alreadyExists']);
    fs.writeFileSync(input, `${NOTEBOOK} `);
    assert.equal((await create('same', template)).code, 409);
    fs.writeFileSync(input, NOTEBOOK);
  });

  it('ignores what only the service says', async () => {
    const { code } = await create(
      'outputonly',
      {},
      {},
      {
        name: 7,
        state: 'SUCCEEDED',
        createTime: [],
        jobUri: 1,
        outputNotebookFile: 'x',
        runStatus: 3,
        displayName: {},
        updateTime: '',
      },
    );
    assert.equal(code, 200);
    const execution = await service.ended('outputonly');
    assert.equal(execution.name, 'projects/local/locations/local/executions/outputonly');
    assert.equal(execution.displayName, 'in');
  });

  it('names unknown and malformed fields', async () => {
    const cases: [
      Record<string, unknown>,
      Record<string, unknown>,
      Record<string, unknown>,
      string,
      string,
    ][] = [
      [{ foo: 1 }, {}, {}, 'fieldUnknown', 'executionTemplate.foo'],
      [
        { acceleratorConfig: { kind: 'x' } },
        {},
        {},
        'fieldUnknown',
        'executionTemplate.acceleratorConfig.kind',
      ],
      [{}, { bar: 1 }, {}, 'fieldUnknown', 'runOptions.bar'],
      [{}, {}, { baz: 1 }, 'fieldUnknown', 'baz'],
      [{ labels: { a: 1 } }, {}, {}, 'fieldInvalid', 'executionTemplate.labels.a'],
      [{ inputNotebookFile: 5 }, {}, {}, 'fieldInvalid', 'executionTemplate.inputNotebookFile'],
      [
        { inputNotebookFile: 'gs://bucket/a.ipynb' },
        {},
        {},
        'fieldInvalid',
        'executionTemplate.inputNotebookFile',
      ],
      [{ inputNotebookFile: '/etc/passwd' }, {}, {}, 'fieldInvalid', 'executionTemplate.inputNotebookFile'],
      [{}, { timeout: -1 }, {}, 'fieldInvalid', 'runOptions.timeout'],
      [{}, { cellTimeout: 1e9 }, {}, 'fieldInvalid', 'runOptions.cellTimeout'],
      [{}, { maxAttempts: 1.5 }, {}, 'fieldInvalid', 'runOptions.maxAttempts'],
      [{}, { environment: { 'A=B': '' } }, {}, 'fieldInvalid', 'runOptions.environment'],
      [{}, { interpreter: 'python3' }, {}, 'fieldInvalid', 'runOptions.interpreter'],
      [{}, { outputName: '../x' }, {}, 'fieldInvalid', 'runOptions.outputName'],
      [{}, { outputName: '.hidden' }, {}, 'fieldInvalid', 'runOptions.outputName'],
      [{}, { workingDirectory: '/no/such' }, {}, 'workingDirectoryInvalid', 'runOptions.workingDirectory'],
      [{ parameters: '[1, 2]' }, {}, {}, 'parametersInvalid', 'executionTemplate.parameters'],
      [{ parameters: 'a: [' }, {}, {}, 'parametersInvalid', 'executionTemplate.parameters'],
      [
        { paramsYamlFile: 'file:///no/such.yaml' },
        {},
        {},
        'fileNotReadable',
        'executionTemplate.paramsYamlFile',
      ],
      [
        { outputNotebookFolder: 'gs://bucket' },
        {},
        {},
        'fieldInvalid',
        'executionTemplate.outputNotebookFolder',
      ],
      [
        { outputNotebookFolder: pathToFileURL(input).href },
        {},
        {},
        'outputNotWritable',
        'executionTemplate.outputNotebookFolder',
      ],
      [
        { inputNotebookFile: pathToFileURL(folder).href },
        {},
        {},
        'fileNotReadable',
        'executionTemplate.inputNotebookFile',
      ],
      [
        { inputNotebookFile: pathToFileURL(`${input}.gone`).href },
        {},
        {},
        'fileNotReadable',
        'executionTemplate.inputNotebookFile',
      ],
    ];
    for (const [template, options, more, reason, field] of cases) {
      const error = errorOf(await create('bad', template, options, more));
      assert.deepEqual(
        [error.code, error.status, error.reason, error.field],
        [400, 'INVALID_ARGUMENT', reason, field],
      );
    }
    for (const id of ['', 'A', '1a', 'a_b', 'a-', '../a', '..%2Fa', 'a'.repeat(64)]) {
      assert.equal(errorOf(await create(id, {})).field, 'executionId', id);
    }
    const unknown = await service.request('POST', `${PARENT}/executions?executionId=a&foo=1`, {});
    assert.equal(errorOf(unknown).field, 'foo');
    const nothing = await service.request('POST', `${PARENT}/executions?executionId=a`);
    assert.equal(errorOf(nothing).field, 'execution');
    assert.equal((await service.request('GET', `${PARENT}/executions/bad`)).code, 404);
    assert.ok(!fs.existsSync(service.file('bad', '.')));
  });

  it('refuses what is no notebook, with the reason, before anything exists', async () => {
    const cases: [string, string][] = [
      ['', 'emptyFile'],
      ['no json', 'notJson'],
      ['{"a": 1}', 'notNotebook'],
      ['{"nbformat": 2, "nbformat_minor": 0, "metadata": {}, "worksheets": []}', 'unsupportedFormat'],
      ['{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}', 'unsupportedFormat'],
    ];
    for (const [text, code] of cases) {
      fs.writeFileSync(input, text);
      const error = errorOf(await create('nonotebook', {}));
      assert.deepEqual([error.code, error.reason, error.metadata['code']], [400, 'notebookInvalid', code]);
    }
    // A large one is read on another thread, with the same result.
    fs.writeFileSync(input, `{"a": "${'x'.repeat(1_000_000)}"}`);
    assert.equal(errorOf(await create('nonotebook', {})).metadata['code'], 'notNotebook');
    fs.writeFileSync(input, NOTEBOOK);
    assert.deepEqual(
      fs.readdirSync(service.file('x', '../')).filter((name) => name.includes('nonotebook')),
      [],
    );
  });

  it('says which kernels there are when the one asked for is missing', async () => {
    const error = errorOf(await create('nokernel', { kernelSpec: 'julia-1.9' }));
    assert.deepEqual(
      [error.code, error.status, error.reason],
      [400, 'FAILED_PRECONDITION', 'kernelNotFound'],
    );
    assert.equal(error.metadata['kernel'], 'julia-1.9');
    assert.ok(error.metadata['kernels']?.split(', ').includes('fake'));
  });

  it('lists newest first in pages that stay whole while others create and delete', async () => {
    for (let index = 0; index < 5; index++) await create(`page-${index}`, {});
    const first = await service.request('GET', `${PARENT}/executions?pageSize=2`);
    const names = (answer: Answer): string[] =>
      (answer.body['executions'] as { name: string }[]).map(({ name }) => name.replace(/.*\//, ''));
    assert.deepEqual(names(first), ['page-4', 'page-3']);
    await create('page-5', {});
    await service.ended('page-3');
    await service.request('DELETE', `${PARENT}/executions/page-3`);
    const token = encodeURIComponent(String(first.body['nextPageToken']));
    const second = await service.request('GET', `${PARENT}/executions?pageSize=2&pageToken=${token}`);
    assert.deepEqual(names(second), ['page-2', 'page-1']);
    const all = await service.request('GET', `${PARENT}/executions?pageSize=100000`);
    assert.equal(all.body['nextPageToken'], undefined);
    for (const query of [
      'pageSize=-1',
      'pageSize=x',
      'pageToken=rubbish',
      'pageSize=1&pageSize=2',
      'filter=a',
    ]) {
      assert.equal((await service.request('GET', `${PARENT}/executions?${query}`)).code, 400, query);
    }
  });

  it('knows one location, which tells about the service', async () => {
    const { body } = await service.request('GET', 'v1/projects/local/locations?alt=json&prettyPrint=false');
    interface Location {
      name: string;
      metadata: { pid: number; diskBytes?: number };
    }
    const [location] = body['locations'] as Location[];
    assert.equal(location?.name, 'projects/local/locations/local');
    assert.equal(location.metadata.pid, service.process.pid);
    const alone = (await service.request('GET', PARENT)).body as unknown as Location;
    // It is measured anew after each answer.
    for (const { metadata } of [location, alone]) delete metadata.diskBytes;
    assert.deepEqual(alone, location);
  });

  it('answers 404 to unknown paths and methods', async () => {
    for (const [method, target] of [
      ['GET', ''],
      ['GET', 'v1'],
      ['GET', 'v2/projects/local/locations/local/executions'],
      ['GET', 'v1/projects/other/locations/local/executions'],
      ['GET', 'v1/projects/local/locations/other'],
      ['GET', `${PARENT}/runtimes`],
      ['GET', `${PARENT}/executions/a/b`],
      ['GET', `${PARENT}/executions/`],
      ['PUT', `${PARENT}/executions`],
      ['PATCH', `${PARENT}/executions/op`],
      ['POST', `${PARENT}/executions/op:pause`],
      ['POST', `${PARENT}/executions/op`],
      ['GET', `${PARENT}/executions/%2e%2e%2f%2e%2e`],
      ['GET', `${PARENT}/executions/%ff`],
      ['OPTIONS', `${PARENT}/executions`],
    ] as const) {
      const answer = await service.request(method, target);
      assert.equal(errorOf(answer).status, 'NOT_FOUND', `${method} ${target}`);
    }
  });

  it('reads parameters from a file under those given, and keeps their numbers as they are', async () => {
    const yaml = path.join(folder, 'p.yaml');
    fs.writeFileSync(yaml, 'fake: crash\nratio: 1.0\nbig: 12345678901234567890\n');
    await create('params', { paramsYamlFile: pathToFileURL(yaml).href, parameters: 'fake: wait' });
    await service.running('params');
    // The fake runner understood `wait`; what else it got is gone with the job, so look at a waiting one's.
    await create('params2', { paramsYamlFile: pathToFileURL(yaml).href });
    const job = JSON.parse(fs.readFileSync(service.file('params2', 'job.json'), 'utf8')) as {
      parameters: string;
    };
    assert.equal(job.parameters, '{"fake":"crash","ratio":1.0,"big":12345678901234567890}');
    service.go('params');
    await service.ended('params2');
  });

  it('takes any source, which is only shown', async () => {
    for (const [index, source] of [
      'file:///%E0%A4%A',
      'file:///%00/x',
      '::',
      'untitled:Untitled-1',
      'vscode-remote://a/b.ipynb',
    ].entries()) {
      assert.equal((await create(`source-${index}`, {}, { source })).code, 200, source);
      assert.equal((await service.ended(`source-${index}`)).runOptions?.source, source);
    }
  });

  it('warns of fields that mean nothing here', async () => {
    const template = { masterType: 'n1-standard-4', scaleTier: 'CUSTOM', labels: { a: 'b' } };
    await create('ignored', template);
    const execution = await service.ended('ignored');
    assert.deepEqual(execution.runStatus?.warnings, [
      { code: 'fieldIgnored', args: ['scaleTier'] },
      { code: 'fieldIgnored', args: ['masterType'] },
    ]);
    assert.equal(execution.executionTemplate?.masterType, 'n1-standard-4');
  });

  it('takes changed settings over before the next create', async () => {
    const config = path.join(folder, 'data', 'config.json');
    fs.writeFileSync(config, JSON.stringify({ maxConcurrent: 3 }));
    await create('config', {});
    const info = (await service.request('GET', PARENT)).body['metadata'] as Record<string, unknown>;
    assert.equal(info['maxConcurrent'], 3);
    fs.writeFileSync(config, 'rubbish');
    await create('config2', {});
    assert.equal((await service.request('GET', PARENT)).code, 200);
  });
});
