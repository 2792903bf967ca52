import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MASK } from '../../../src/execution/secrets/secret-names';
import { errorOf, startApi, type Api } from './api';
import { NOTEBOOK, PARENT, type Answer, type TestService } from './support';

describe('The API of the embedded service', () => {
  let folder: string;
  let service: TestService;
  let input: string;
  let create: Api['create'];
  before(async () => {
    ({ folder, service, input, create } = await startApi());
  });

  it('answers create with a finished operation, as Notebooks API v1 does', async () => {
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
      errorOf(await service.request('GET', `${PARENT}/operations/create-missing`)).status,
      'NOT_FOUND',
    );
  });

  it('accepts a repeated identical create and answers a different one with ALREADY_EXISTS', async () => {
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

  it('ignores output-only fields', async () => {
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

  it('lists newest first, in pages that stay consistent while executions are created and deleted', async () => {
    for (let index = 0; index < 5; index++) await create(`page-${index}`, {});
    const first = await service.request('GET', `${PARENT}/executions?pageSize=2`);
    const names = (answer: Answer): string[] =>
      (answer.body['executions'] as { name: string }[]).map(({ name }) => name.replace(/.*\//, ''));
    assert.deepEqual(names(first), ['page-4', 'page-3']);
    await create('page-5', {});
    await service.ended('page-3');
    await service.delete('page-3');
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
      'filter=a%3Db',
      'orderBy=a',
      'foo=a',
    ])
      assert.equal((await service.request('GET', `${PARENT}/executions?${query}`)).code, 400, query);
  });

  it('has one location, whose metadata describes the service', async () => {
    const { body } = await service.request('GET', 'v1/projects/local/locations?alt=json&prettyPrint=false');
    interface Location {
      name: string;
      metadata: { pid: number; diskBytes?: number };
    }
    const [location] = body['locations'] as Location[];
    assert.equal(location?.name, 'projects/local/locations/local');
    assert.equal(location.metadata.pid, service.process.pid);
    const alone = (await service.request('GET', PARENT)).body as unknown as Location;
    // It is measured again after each answer.
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
      ['GET', `${PARENT}/toys`],
      ['PUT', `${PARENT}/runtimes`],
      ['POST', `${PARENT}/runtimes/a:toy`],
      ['GET', `v1/projects/other/locations/local/runtimes`],
      ['POST', `${PARENT}/operations/create-op:wait`],
      ['POST', `${PARENT}/operations`],
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

  it('merges parameters of a file under those of the request, and keeps numbers exactly', async () => {
    const yaml = path.join(folder, 'p.yaml');
    fs.writeFileSync(yaml, 'fake: crash\nratio: 1.0\nbig: 12345678901234567890\n');
    await create('params', { paramsYamlFile: pathToFileURL(yaml).href, parameters: 'fake: wait' });
    await service.running('params');
    // The fake runner has handled `wait`; other fields were deleted with the job, so check the job of a waiting one.
    await create('params2', { paramsYamlFile: pathToFileURL(yaml).href });
    const job = JSON.parse(fs.readFileSync(service.file('params2', 'job.json'), 'utf8')) as {
      parameters: string;
    };
    assert.equal(job.parameters, '{"fake":"crash","ratio":1.0,"big":12345678901234567890}');
    service.go('params');
    await service.ended('params2');
  });

  it('accepts any source, which is only shown', async () => {
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

  it('warns about fields that have no effect here', async () => {
    const template = { masterType: 'n1-standard-4', scaleTier: 'CUSTOM', labels: { a: 'b' } };
    await create('ignored', template);
    const execution = await service.ended('ignored');
    assert.deepEqual(execution.runStatus?.warnings, [
      { code: 'fieldIgnored', args: ['scaleTier'] },
      { code: 'fieldIgnored', args: ['masterType'] },
    ]);
    assert.equal(execution.executionTemplate?.masterType, 'n1-standard-4');
  });

  it('warns about words that papermill reads differently, with both readings except for secrets', async () => {
    const file = path.join(folder, 'words.yaml');
    fs.writeFileSync(file, 'dry_run: no\nstart: 12:30\nquoted: "no"');
    const paramsYamlFile = pathToFileURL(file).href;
    await create('words', { paramsYamlFile, parameters: '{start: x, size: 1_000, db: {password: 0777}}' });
    const { runStatus, executionTemplate } = await service.ended('words');
    assert.deepEqual(runStatus?.warnings, [
      { code: 'yamlWord', args: ['dry_run', 'no', '"no"', 'false'] },
      { code: 'yamlWord', args: ['size', '1_000', '"1_000"', '1000'] },
      { code: 'yamlWord', args: ['db.password', MASK, MASK, MASK] },
    ]);
    assert.equal(executionTemplate?.paramsYamlFile, paramsYamlFile);
  });

  it('warns when a kernel other than the notebook’s runs it, unless the template names that kernel', async () => {
    const file = path.join(folder, 'other-kernel.ipynb');
    const named = (name: string): void => {
      const kernelspec = { name, display_name: name, language: 'fake' };
      fs.writeFileSync(
        file,
        JSON.stringify({ cells: [], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
      );
    };
    const template = { inputNotebookFile: pathToFileURL(file).href };
    named('gone');
    await create('other', template);
    const warned = [{ code: 'otherKernel', args: ['gone', 'fake'] }];
    assert.deepEqual((await service.ended('other')).runStatus?.warnings, warned);
    await create('asked', { ...template, kernelSpec: 'fake' });
    assert.deepEqual((await service.ended('asked')).runStatus?.warnings ?? [], []);
    named('FAKE');
    await create('same', template);
    assert.deepEqual((await service.ended('same')).runStatus?.warnings ?? [], []);
  });

  it('applies changed settings before the next create', async () => {
    const config = path.join(folder, 'data', 'config.json');
    fs.writeFileSync(config, JSON.stringify({ maxConcurrent: 3, settingOfANewerVersion: true }));
    await create('config', {});
    const info = (await service.request('GET', PARENT)).body['metadata'] as Record<string, unknown>;
    assert.equal(info['maxConcurrent'], 3);
    fs.writeFileSync(config, 'rubbish');
    await create('config2', {});
    assert.equal((await service.request('GET', PARENT)).code, 200);
  });
});
