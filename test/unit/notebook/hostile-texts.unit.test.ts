import assert from 'node:assert/strict';
import { jsonKeys } from '../../../src/notebook/json';
import { readNotebook } from '../../../src/notebook/document';
import { ParametersError } from '../../../src/notebook/parameters/errors';
import { inspectParameters, undeclaredParameters } from '../../../src/notebook/parameters/inspect';
import { encodeParameters, parseParameters } from '../../../src/notebook/parameters/parse';
import { parametersOf } from '../../../src/views/explorer/rows/parameters';
import { notebook } from './parameters-cell';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const bytesOf = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));

/** Quadratic algorithms would exceed the time limit of the test. */
describe('hostile texts', () => {
  const NESTED = [
    '? '.repeat(1000),
    `a: ${'['.repeat(5000)}`,
    `a: ${'[{a: '.repeat(2000)}`,
    '- '.repeat(3000),
    'a: '.repeat(3000),
    lines(1000, (depth) => `${' '.repeat(depth)}a:`),
  ];
  for (const text of NESTED) {
    it(`nested parameters ${JSON.stringify(text.slice(0, 12))} are refused, and masked when shown`, async () => {
      for (let time = 0; time < 2; time++) {
        assert.throws(() => parseParameters(text), { name: 'ParametersError', code: 'yamlInvalid' });
        assert.deepEqual((await parametersOf(text, [])).length, 1);
      }
    });
  }

  it('200 levels are not too deep, in YAML and in JSON', () => {
    const deep = `${'['.repeat(199)}${']'.repeat(199)}`;
    for (const text of [`a: ${deep}`, `{"a": ${deep}}`])
      assert.equal(encodeParameters(parseParameters(text)), `{"a":${deep}}`);
  });

  it('22,000 names are read, and a repeated one is reported', () => {
    const text = lines(22_000, (index) => `k${index}: 1`);
    assert.equal(jsonKeys(parseParameters(text)).length, 22_000);
    assert.throws(
      () => parseParameters(`${text}\nk7: 2`),
      (error) => error instanceof ParametersError && error.args['line'] === '22001',
    );
    assert.throws(() => parseParameters('{"a": 1, "a": 2}'), ParametersError);
  }).timeout(60_000);

  it('aliases count as the text they expand to', () => {
    const list = `a: &a [${'1, '.repeat(2000)}1]`;
    assert.equal((parseParameters(`${list}\nb: [*a, *a]`)['b'] as unknown[]).length, 2);
    assert.throws(() => parseParameters(`${list}\nb: [${'*a, '.repeat(900)}*a]`), /More than 1000000 values/);
    const merged = `a: &a {${Array.from({ length: 2000 }, (_, index) => `k${index}: 1`).join(', ')}}`;
    assert.throws(
      () => parseParameters(`${merged}\nb:\n${'  - {<<: *a}\n'.repeat(900)}`),
      /More than 1000000 values/,
    );
    // Each alias refers to the last anchor of its name.
    assert.equal(
      encodeParameters(parseParameters('a: &x 1\nb: *x\nc: &x 2\nd: *x')),
      '{"a":1,"b":1,"c":2,"d":2}',
    );
  }).timeout(60_000);

  for (const [name, source] of [
    ['spaces behind a value', `a = 1${' '.repeat(90_000)}`],
    ['spaces within a comment', `a = 1 # x${' '.repeat(90_000)}y`],
    ['nested brackets', `${'('.repeat(45_000)}a${')'.repeat(45_000)} = 1`],
    ['a chain of names', `${'a='.repeat(24_000)}[${'1,'.repeat(24_000)}]`],
    ['names with one comment', `${'a,'.repeat(20_000)} = 1 # ${'one of: '.repeat(6000)}`],
    ['five megabytes', 'a = 1\n'.repeat(800_000)],
  ] as const) {
    it(`a parameters cell of ${name} is read as far as possible`, () => {
      for (const language of ['python', 'scala', 'r', 'julia']) {
        const { notebook } = readNotebook(
          bytesOf({
            nbformat: 4,
            nbformat_minor: 5,
            metadata: {},
            cells: [{ cell_type: 'code', source, metadata: { tags: ['parameters'] } }],
          }),
        );
        assert.ok(inspectParameters(notebook, '', language).hasCell);
      }
    }).timeout(60_000);
  }

  it('a default is a value up to 200 levels deep, and only text beyond that', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a": ', '}'],
      ['(', ',)'],
    ] as const) {
      const nested = (depth: number): unknown => {
        const source = `a = ${open.repeat(depth)}1${close.repeat(depth)}`;
        const [parameter] = inspectParameters(notebook(source)).parameters;
        assert.equal(parameter?.defaultSource, source.slice(4));
        return parameter.defaultValue;
      };
      assert.notEqual(nested(200), undefined, open);
      assert.equal(nested(201), undefined, open);
    }
  });

  it('at most a hundred warnings are reported', () => {
    const names = Array.from({ length: 5000 }, (_, index) => `field${index}`);
    const cell = { cell_type: 'code', source: '', ...Object.fromEntries(names.map((name) => [name, 1])) };
    const { notebook, warnings } = readNotebook(
      bytesOf({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [cell] }),
    );
    assert.equal(warnings.length, 100);
    const parameters = Object.fromEntries(names.map((name) => [name.repeat(100), 1]));
    const undeclared = undeclaredParameters(notebook, parameters);
    assert.equal(undeclared.length, 100);
    assert.ok(JSON.stringify(undeclared).length < 50_000);
  });

  it('a heading of nbformat 3 has at most six levels', () => {
    const levels = [-1, 3, 500_000_000].map((level) => ({ cell_type: 'heading', level, source: 'x' }));
    const { notebook } = readNotebook(bytesOf({ nbformat: 3, worksheets: [{ cells: levels }] }));
    assert.deepEqual(
      notebook.cells.map(({ source }) => source),
      ['# x', '### x', '###### x'],
    );
  });
});
