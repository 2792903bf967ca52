import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorOf, startApi, type Api } from './api';
import { fakeKernel, NOTEBOOK, PARENT, type TestService } from './support';

describe('The API of the embedded service', () => {
  let folder: string;
  let service: TestService;
  let input: string;
  let create: Api['create'];
  before(async () => {
    ({ folder, service, input, create } = await startApi());
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
    for (const id of ['', 'A', '1a', 'a_b', 'a-', '../a', '..%2Fa', 'a'.repeat(64)])
      assert.equal(errorOf(await create(id, {})).field, 'executionId', id);
    const unknown = await service.request('POST', `${PARENT}/executions?executionId=a&foo=1`, {});
    assert.equal(errorOf(unknown).field, 'foo');
    const nothing = await service.request('POST', `${PARENT}/executions?executionId=a`);
    assert.equal(errorOf(nothing).field, 'execution');
    assert.equal((await service.request('GET', `${PARENT}/executions/bad`)).code, 404);
    assert.ok(!fs.existsSync(service.file('bad', '.')));
  });

  it('refuses parameters that are not valid names in the kernel’s language, before anything is created', async () => {
    const environment = fakeKernel(folder);
    const spec = { argv: [process.execPath], display_name: 'Other', language: 'R' };
    const directory = path.join(environment['JUPYTER_PATH'] ?? '', 'kernels', 'other');
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, 'kernel.json'), JSON.stringify(spec));
    const yaml = path.join(folder, 'p.yaml');
    fs.writeFileSync(yaml, 'function: 1');
    for (const [template, name] of [
      [{ parameters: 'if: 1' }, 'if'],
      [{ parameters: 'a-b: 1' }, 'a-b'],
      [{ paramsYamlFile: pathToFileURL(yaml).href }, 'function'],
    ] as const) {
      const { code, reason, metadata } = errorOf(
        await create('noname', { kernelSpec: 'other', ...template }, { environment }),
      );
      assert.deepEqual([code, reason], [400, 'parametersInvalid']);
      assert.deepEqual(
        [metadata['code'], metadata['name'], metadata['language']],
        ['nameInvalid', name, 'R'],
      );
    }
    assert.ok(!fs.existsSync(service.file('noname', '.')));
  });

  it('refuses an invalid notebook with the reason, before anything is created', async () => {
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
    // A large one is parsed on another thread, with the same result.
    fs.writeFileSync(input, `{"a": "${'x'.repeat(1_000_000)}"}`);
    assert.equal(errorOf(await create('nonotebook', {})).metadata['code'], 'notNotebook');
    fs.writeFileSync(input, NOTEBOOK);
    assert.deepEqual(
      fs.readdirSync(service.file('x', '../')).filter((name) => name.includes('nonotebook')),
      [],
    );
  });

  it('names the installed kernels when the requested one is missing', async () => {
    const error = errorOf(await create('nokernel', { kernelSpec: 'julia-1.9' }));
    assert.deepEqual(
      [error.code, error.status, error.reason],
      [400, 'FAILED_PRECONDITION', 'kernelNotFound'],
    );
    assert.equal(error.metadata['kernel'], 'julia-1.9');
    assert.ok(error.metadata['kernels']?.split(', ').includes('fake'));
  });
});
