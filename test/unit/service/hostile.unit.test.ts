import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../support/until';
import { errorOf, startApi, type Api } from './api';
import { fakeKernel, PARENT, temporaryFolder, type TestService } from './support';

/** Nested texts of a few KB: recursion over any of them exhausted the stack and crashed the process. */
const NESTED: readonly string[] = [
  '? '.repeat(1000),
  `a: ${'['.repeat(5000)}`,
  `a: ${'[{a: '.repeat(2000)}`,
  '- '.repeat(3000),
  'a: '.repeat(3000),
  Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
];

describe('A request', () => {
  let folder: string;
  let service: TestService;
  let create: Api['create'];
  before(async () => {
    ({ folder, service, create } = await startApi());
  });

  const file = (name: string, content: string | Uint8Array): string => {
    fs.writeFileSync(path.join(folder, name), content);
    return pathToFileURL(path.join(folder, name)).href;
  };

  it('cannot crash the service, however deeply it is nested', async () => {
    for (const [index, parameters] of NESTED.entries()) {
      // Twice: the crash came from code that is compiled at the second call.
      for (const template of [
        { parameters },
        { parameters },
        { paramsYamlFile: file(`${index}.yaml`, parameters) },
      ]) {
        const { code, reason, metadata } = errorOf(await create('nested', template));
        assert.deepEqual(
          [code, reason, metadata['code']],
          [400, 'parametersInvalid', 'yamlInvalid'],
          parameters.slice(0, 20),
        );
      }
      const input = file('nested.ipynb', `{"nbformat": 4, "metadata": ${parameters}`);
      assert.equal(errorOf(await create('nested', { inputNotebookFile: input })).reason, 'notebookInvalid');
    }
    const body = await service.request(
      'POST',
      `${PARENT}/executions?executionId=nested`,
      `{"executionTemplate": ${'['.repeat(1_000_000)}`,
    );
    assert.equal(errorOf(body).reason, 'jsonInvalid');
    assert.equal(service.process.exitCode, null);
  });

  // On other systems, a thread has no priority of its own.
  if (process.platform === 'linux') {
    it('is parsed on a thread with less processor time than requests', async () => {
      const wide = file('wide.ipynb', `{"nbformat": 4, "metadata": {"a": [${'[],'.repeat(3_000_000)}[]]}}`);
      const answer = create('wide', { inputNotebookFile: wide });
      /** Niceness of each thread of the service: the field after the priority, see proc_pid_stat(5). */
      const niceness = (): number[] => {
        const tasks = `/proc/${service.process.pid ?? ''}/task`;
        return fs.readdirSync(tasks).flatMap((task) => {
          try {
            const stat = fs.readFileSync(`${tasks}/${task}/stat`, 'utf8');
            return [Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
          } catch {
            return []; // The thread has just ended.
          }
        });
      };
      const main = niceness()[0] ?? 0;
      await until('a thread is nicer than the others', () => niceness().some((each) => each > main));
      assert.equal(errorOf(await answer).reason, 'notebookInvalid');
    });
  }

  it('is refused with the limit that it exceeds', async () => {
    const lines = (count: number, line: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => line(index)).join('\n');
    for (const [parameters, code, detail] of [
      [`a:\n${lines(60_000, () => '- 1')}`, 'yamlInvalid', '200000 YAML tokens'],
      [lines(60_000, (index) => `k${index}: 1`), 'yamlInvalid', '200000 YAML tokens'],
      [`a: ['${',,'.repeat(300_000)}`, 'yamlInvalid', ''],
      [`a: &a 1\nb:\n${lines(1001, () => '- *a')}`, 'yamlInvalid', '1000 aliases'],
      [
        `a: &a "${'x'.repeat(1_000_000)}"\nb:\n${lines(9, () => '- *a')}`,
        'yamlInvalid',
        '8388608 characters',
      ],
      [`a: 0x${'f'.repeat(1_000_000)}`, 'yamlInvalid', '4300 digits'],
    ] as const) {
      const error = errorOf(await create('bounds', { parameters }));
      assert.equal(error.code, 400);
      assert.equal(error.metadata['code'] ?? error.reason, code);
      assert.ok(error.metadata['detail']?.includes(detail) ?? detail === '', JSON.stringify(error.metadata));
    }
    const large = await create('bounds', { paramsYamlFile: file('large.yaml', ' '.repeat(8_400_000)) });
    assert.deepEqual([errorOf(large).reason, errorOf(large).metadata['code']], ['fileNotReadable', 'EFBIG']);
    const fields = await create('bounds', {}, {}, { description: 'x'.repeat(300_000) });
    assert.deepEqual([errorOf(fields).reason, errorOf(fields).field], ['fieldInvalid', 'execution']);
    const variables = Object.fromEntries(Array.from({ length: 200_000 }, (_, index) => [`V${index}`, '']));
    const environment = await create('bounds', {}, { environment: variables });
    assert.equal(errorOf(environment).field, 'execution');
    const long = await create('bounds', {}, { environment: { V: 'x'.repeat(1_100_000) } });
    assert.equal(errorOf(long).field, 'runOptions.environment');
    const labels = await create('bounds', { labels: Array.from({ length: 200_000 }, () => 1) });
    assert.equal(errorOf(labels).field, 'execution');
    const unknown = await create('bounds', { ['x'.repeat(1_000_000)]: 1 });
    assert.ok((errorOf(unknown).field ?? '').length < 1000, 'the error repeats what was sent');
  });

  it('is parsed while other requests are answered', async () => {
    const order: string[] = [];
    const note = async (name: string, work: Promise<unknown>): Promise<void> => {
      await work;
      order.push(name);
    };
    const many = `{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1`).join()}}`;
    const notebook = `{"nbformat": 4, "metadata": {"a": [${'[],'.repeat(1_000_000)}[]]}}`;
    const slow = [
      note('body', create('slow', { parameters: `${many},` })),
      note('labels', create('slow', { labels: JSON.parse(many) as unknown })),
      note('notebook', create('slow', { inputNotebookFile: file('slow.ipynb', notebook) })),
    ];
    // Each arrives while at least one of the others is parsed.
    await note('list', service.request('GET', `${PARENT}/executions`));
    await note('create', create('quick', { parameters: '{"fake": "succeed"}' }));
    await Promise.all(slow);
    assert.deepEqual(order.slice(0, 2), ['list', 'create']);
    await service.ended('quick');
  });

  it('is no longer parsed once the client has disconnected; a later create of the same id is a new one', async () => {
    const notebook = `{"nbformat": 4, "metadata": {"a": [${'[],'.repeat(2_000_000)}[]]}, "cells": []}`;
    const request = http.request(new URL(`${PARENT}/executions?executionId=left`, service.endpoint), {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${service.token}` },
    });
    request.on('error', () => undefined);
    request.end(
      JSON.stringify({
        executionTemplate: { inputNotebookFile: file('left.ipynb', notebook) },
        runOptions: { environment: fakeKernel(folder) },
      }),
    );
    await once(request, 'finish');
    const answered = create('left', { parameters: '{"fake": "succeed"}' });
    request.destroy();
    assert.equal((await answered).code, 200);
    await service.ended('left');
  });

  if (process.platform === 'linux') {
    it('does not hang when it names a pipe without a writer', async () => {
      const pipe = path.join(temporaryFolder(), 'pipe');
      execFileSync('mkfifo', [pipe]);
      const uri = pathToFileURL(pipe).href;
      // More than there are threads to block.
      const answers = await Promise.all(
        Array.from({ length: 8 }, async (_, index) =>
          create('pipe', index % 2 === 0 ? { inputNotebookFile: uri } : { paramsYamlFile: uri }),
        ),
      );
      for (const { reason, metadata } of answers.map(errorOf))
        assert.deepEqual([reason, metadata['code']], ['fileNotReadable', 'ENOTSUP']);
    });

    it('that names an endless file is read only up to the limit', async () => {
      for (const endless of ['/proc/self/pagemap', '/dev/zero', '/proc/kmsg', '/proc/self/mem']) {
        const uri = pathToFileURL(endless).href;
        const input = errorOf(await create('endless', { inputNotebookFile: uri }));
        assert.equal(input.reason, 'fileNotReadable', endless);
        const parameters = errorOf(await create('endless', { paramsYamlFile: uri }));
        assert.equal(parameters.reason, 'fileNotReadable', endless);
        if (endless === '/proc/self/pagemap') assert.equal(input.metadata['code'], 'EFBIG');
      }
      const peak = /VmHWM:\s+(\d+) kB/.exec(
        fs.readFileSync(`/proc/${service.process.pid}/status`, 'utf8'),
      )?.[1];
      assert.ok(Number(peak) < 2_000_000, `${peak} kB`);
    });
  }
}).timeout(300_000);

describe('A list', () => {
  let service: TestService;
  let create: Api['create'];
  before(async () => {
    ({ service, create } = await startApi());
  });

  interface Listed {
    name: string;
    executionTemplate: { parameters?: string };
    runStatus: { omitted?: string[] };
  }

  it('omits large parameters and says so; get returns them', async () => {
    const parameters = JSON.stringify({ fake: 'succeed', data: 'x'.repeat(5000) });
    for (const [id, text] of [
      ['large', parameters],
      ['small', '{"fake": "succeed"}'],
    ] as const) {
      await create(id, { parameters: text });
      const { body } = await service.request('GET', `${PARENT}/executions/${id}`);
      const whole = body as unknown as Listed;
      assert.equal(whole.executionTemplate.parameters, text);
      assert.equal(whole.runStatus.omitted, undefined);
      const page = (await service.request('GET', `${PARENT}/executions?pageSize=1`)).body;
      const [listed] = page['executions'] as Listed[];
      assert.equal(listed?.name, whole.name);
      const isLarge = id === 'large';
      assert.equal(listed.executionTemplate.parameters, isLarge ? undefined : text);
      assert.deepEqual(listed.runStatus.omitted, isLarge ? ['executionTemplate.parameters'] : undefined);
      const operations = (await service.request('GET', `${PARENT}/operations?pageSize=1`)).body;
      assert.equal(JSON.stringify(operations).includes('x'.repeat(5000)), false);
      await service.ended(id);
    }
  });

  it('has pages of bounded size that together contain everything', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => `many${index}`);
    const description = 'x'.repeat(200_000);
    // The first runs until the end of the test, the others wait.
    for (const id of ids) await create(id, { parameters: '{"fake": "wait"}' }, {}, { description });
    const listed: string[] = [];
    let pages = 0;
    for (let token = ''; ; pages++) {
      const { body } = await service.request('GET', `${PARENT}/executions?pageSize=1000&pageToken=${token}`);
      const { executions = [] } = body as { executions?: Listed[] };
      assert.ok(JSON.stringify(body).length < 5_000_000);
      listed.push(...executions.map(({ name }) => path.basename(name)).filter((id) => id.startsWith('many')));
      token = (body['nextPageToken'] as string | undefined) ?? '';
      if (token === '') break;
    }
    assert.ok(pages > 0);
    assert.deepEqual(listed, [...ids].reverse());
    for (const id of ids) await service.request('DELETE', `${PARENT}/executions/${id}`);
  });
}).timeout(300_000);
