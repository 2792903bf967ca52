import assert from 'node:assert/strict';
import { readNotebook, writeNotebook } from '../../../src/notebook/document';
import type { Notebook } from '../../../src/notebook/model';
import { injectParameters, parametersSource } from '../../../src/notebook/parameters/inject';
import { encodeParameters } from '../../../src/notebook/parameters/parse';
import { parameters } from './build';
import { assertValid } from './validation';

describe('injecting parameters', () => {
  function notebook(...tags: (string | undefined)[]): Notebook {
    const cells = tags.map((tag, index) => ({
      cell_type: tag === 'markdown' ? 'markdown' : 'code',
      id: `cell-${index}`,
      metadata: tag === undefined ? {} : { tags: tag.split(' ') },
      source: `# ${index}`,
      outputs: [],
      execution_count: null,
    }));
    return readNotebook(Buffer.from(JSON.stringify({ nbformat: 4, nbformat_minor: 5, cells, metadata: {} })))
      .notebook;
  }
  const order = ({ cells }: Notebook): string[] => cells.map(({ source }) => source);
  const INJECTED = '# Parameters\na = 1.0\n';

  const written: Record<string, Uint8Array> = {};
  const PLACES: [name: string, tags: (string | undefined)[], expected: string[]][] = [
    ['at the top', [undefined, undefined], [INJECTED, '# 0', '# 1']],
    ['into an empty notebook', [], [INJECTED]],
    [
      'after the first cell of parameters',
      [undefined, 'x parameters', 'parameters'],
      ['# 0', '# 1', INJECTED, '# 2'],
    ],
    [
      'instead of earlier ones',
      [undefined, 'injected-parameters x', 'injected-parameters'],
      ['# 0', INJECTED, '# 2'],
    ],
    ['instead of earlier ones that are elsewhere', ['injected-parameters', 'parameters'], [INJECTED, '# 1']],
  ];
  for (const [name, tags, expected] of PLACES) {
    it(name, () => {
      const document = notebook(...tags);
      assert.deepEqual(injectParameters(document, parameters('{"a": 1.0}'), 'python3', 'python'), []);
      assert.deepEqual(order(document), expected);
      const cell = document.cells.find(({ source }) => source === INJECTED);
      assert.deepEqual(cell?.metadata, { tags: ['injected-parameters'] });
      written[name] = writeNotebook(document);
    });
  }

  it('writes valid notebooks', () => {
    assert.equal(Object.keys(written).length, PLACES.length);
    assertValid(written);
  });

  it('adds no cell without parameters', () => {
    const document = notebook('injected-parameters', 'parameters');
    injectParameters(document, {}, 'cling', 'C++');
    assert.deepEqual(order(document), ['# 0', '# 1']);
  });

  it('keeps their order, also when they look like indices', () => {
    const [first, second] = [parameters('{"b": {"2": 1, "1": 2}, "a": 1}'), parameters('{"b": 1}')];
    assert.equal(parametersSource(first, 'python3', 'python'), '# Parameters\nb = {"2": 1, "1": 2}\na = 1\n');
    assert.equal(encodeParameters(second), '{"b":1}');
  });

  it('declares variables in JavaScript like the notebook does', () => {
    const document = notebook('parameters');
    const [cell] = document.cells;
    assert.ok(cell);
    cell.source = 'const a = 1, unknown = 2;\nlet b: number = 2\nvar c;';
    injectParameters(document, parameters('{"a": 1, "b": 2, "c": 3, "d": 4}'), 'deno', 'typescript');
    assert.equal(
      document.cells[1]?.source,
      '// Parameters\nconst a = 1;\nlet b = 2;\nvar c = 3;\nlet d = 4;\n',
    );
  });
});
