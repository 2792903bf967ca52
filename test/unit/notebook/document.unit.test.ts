import assert from 'node:assert/strict';
import { prepareForRun, readNotebook, writeNotebook } from '../../../src/notebook/document';
import { NotebookError } from '../../../src/notebook/errors';
import { parseJson, stringifyJson } from '../../../src/notebook/json';
import { python } from './python';
import { assertValid } from './validation';

const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const text = (document: Uint8Array): string => Buffer.from(document).toString();
const code = (fields: object = {}): object => ({
  cell_type: 'code',
  metadata: {},
  source: 'x',
  outputs: [],
  execution_count: null,
  ...fields,
});
const nb = (cells: unknown[], fields: object = {}): object => ({
  cells,
  metadata: {},
  nbformat: 4,
  nbformat_minor: 4,
  ...fields,
});

describe('reading a notebook', () => {
  const REFUSED: [name: string, input: Uint8Array | string, code: string, args: Record<string, string>][] = [
    ['nothing', '', 'emptyFile', {}],
    ['white space', ' \n\t', 'emptyFile', {}],
    ['a byte order mark alone', '\uFEFF', 'emptyFile', {}],
    ['no JSON', '{\n "cells": [}', 'notJson', { line: '2', column: '12', position: '13' }],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'notJson', {}],
    ['a list', '[]', 'notNotebook', { path: '' }],
    ['a number', '1.0', 'notNotebook', { path: '' }],
    ['an object without nbformat', '{"cells": []}', 'notNotebook', { path: 'nbformat' }],
    ['nbformat as text', '{"nbformat": "4"}', 'notNotebook', { path: 'nbformat' }],
    ['no cells', '{"nbformat": 4}', 'notNotebook', { path: 'cells' }],
    ['cells that are no list', '{"nbformat": 4, "cells": {}}', 'notNotebook', { path: 'cells' }],
    ['a cell that is none', text(bytes(nb([code(), 1]))), 'notNotebook', { path: 'cells[1]' }],
    ['a cell without type', text(bytes(nb([{}]))), 'notNotebook', { path: 'cells[0].cell_type' }],
    [
      'a source that is no text',
      text(bytes(nb([code({ source: 1 })]))),
      'notNotebook',
      { path: 'cells[0].source' },
    ],
    ['nbformat 2', '{"nbformat": 2, "worksheets": []}', 'unsupportedFormat', { version: '2.0' }],
    [
      'nbformat 5',
      '{"nbformat": 5, "nbformat_minor": 1, "cells": []}',
      'unsupportedFormat',
      { version: '5.1' },
    ],
    ['nbformat 3 without worksheets', '{"nbformat": 3}', 'notNotebook', { path: 'worksheets' }],
    [
      'nbformat 3 without cells',
      '{"nbformat": 3, "worksheets": [{}]}',
      'notNotebook',
      { path: 'worksheets[0].cells' },
    ],
  ];
  for (const [name, input, expected, args] of REFUSED) {
    it(`refuses ${name}: ${expected}`, () => {
      assert.throws(
        () => readNotebook(typeof input === 'string' ? bytes(input) : input),
        (error) => {
          assert.ok(error instanceof NotebookError, String(error));
          assert.deepEqual([error.code, error.args], [expected, args]);
          return true;
        },
      );
    });
  }

  it('reads a document with a byte order mark, and one without nbformat_minor', () => {
    assert.equal(readNotebook(bytes('\uFEFF{"nbformat":4,"cells":[]}')).notebook.cells.length, 0);
  });

  /** Documents with flaws, and the warnings that reading them gives. */
  const FLAWED: [name: string, document: object, warnings: [code: string, ...args: string[]][]][] = [
    ['nothing wrong', nb([code(), { cell_type: 'markdown', metadata: {}, source: [] }]), []],
    [
      'a future 4.9',
      nb([code({ id: 'a', new_field: 1 })], { nbformat_minor: 9, x: 2 }),
      [
        ['fieldMoved', 'x', '1'],
        ['fieldMoved', 'new_field', '1'],
      ],
    ],
    [
      'metadata missing',
      { nbformat: 4, cells: [{ cell_type: 'code', source: '' }, { cell_type: 'raw' }] },
      [],
    ],
    [
      'attachments of code',
      nb([code({ attachments: { 'a.png': { 'image/png': ['aa', 'bb'] } } })]),
      [['fieldMoved', 'attachments', '1']],
    ],
    [
      'attachments that are none',
      nb([
        { cell_type: 'markdown', source: '', attachments: [1] },
        { cell_type: 'raw', source: '', attachments: { a: 1 } },
      ]),
      [['fieldDropped', 'attachments', '2']],
    ],
    [
      'fields in the cell',
      nb([code({ collapsed: true, foo: 1 }), code({ foo: 2, metadata: { foo: 3 } })]),
      [
        ['fieldMoved', 'collapsed', '1'],
        ['fieldMoved', 'foo', '1'],
        ['fieldDropped', 'foo', '1'],
      ],
    ],
    [
      'leftovers of code in text',
      nb([{ cell_type: 'markdown', source: 'a', outputs: [], execution_count: null }]),
      [],
    ],
    [
      'outputs in text',
      nb([{ cell_type: 'markdown', source: 'a', outputs: [1] }]),
      [['fieldMoved', 'outputs', '1']],
    ],
    [
      'unknown cell types',
      nb([
        { cell_type: 'sql', source: 'a' },
        { cell_type: 'sql', source: 'b' },
      ]),
      [['cellTypeChanged', 'sql', '2']],
    ],
    [
      'ids twice and broken',
      nb(
        [
          code({ id: 'a' }),
          code({ id: 'a' }),
          code({ id: 'a b' }),
          code({ id: '' }),
          code({ id: 'x'.repeat(65) }),
          code({ id: 'a\n' }),
          code({ id: 7 }),
        ],
        { nbformat_minor: 5 },
      ),
      [
        ['cellIdChanged', 'a', '1'],
        ['cellIdChanged', 'a b', '1'],
        ['cellIdChanged', '', '2'],
        ['cellIdChanged', 'x'.repeat(65), '1'],
        ['cellIdChanged', 'a\n', '1'],
      ],
    ],
    [
      'kernelspec without display name',
      nb([], { metadata: { kernelspec: { name: 'python3' }, language_info: {} } }),
      [],
    ],
    [
      'kernelspec and language without name',
      nb([], { metadata: { kernelspec: { display_name: 'x' }, language_info: { version: '1' } } }),
      [
        ['fieldDropped', 'kernelspec', '1'],
        ['fieldDropped', 'language_info', '1'],
      ],
    ],
    [
      'broken metadata',
      nb(
        [
          code({
            metadata: {
              collapsed: 'yes',
              scrolled: 1,
              name: '',
              jupyter: 1,
              execution: { a: 1 },
              tags: 'parameters',
              trusted: true,
            },
          }),
          { cell_type: 'raw', source: '', metadata: { format: 1 } },
        ],
        {
          metadata: {
            title: 1,
            authors: 'me',
            signature: 'x',
            orig_nbformat: 0,
            language_info: { name: 'x', mimetype: 1, codemirror_mode: 2 },
          },
        },
      ),
      [
        ['fieldDropped', 'mimetype', '1'],
        ['fieldDropped', 'codemirror_mode', '1'],
        ['fieldDropped', 'title', '1'],
        ['fieldDropped', 'authors', '1'],
        ['metadataChanged', 'tags', '1'],
        ['fieldDropped', 'name', '1'],
        ['fieldDropped', 'jupyter', '1'],
        ['fieldDropped', 'collapsed', '1'],
        ['fieldDropped', 'scrolled', '1'],
        ['fieldDropped', 'execution', '1'],
        ['fieldDropped', 'format', '1'],
      ],
    ],
    [
      'tags',
      nb([code({ metadata: { tags: ['a', 'a', 'b, c', '', 1, null] } })]),
      [['metadataChanged', 'tags', '1']],
    ],
    [
      'outputs',
      nb([
        code({
          execution_count: -1,
          outputs: [
            { output_type: 'stream', text: ['a\n', 'b'] },
            {
              output_type: 'display_data',
              data: {
                'text/plain': ['a'],
                'image/png': ['x', 'y'],
                'text/html': 5,
                'application/json': ['a', 'b'],
                'application/x+json': 1.5,
              },
            },
            { output_type: 'execute_result', data: {}, metadata: null, execution_count: 'x', transient: {} },
            { output_type: 'error', ename: 'E', traceback: 'tb' },
            { output_type: 'error', traceback: ['a', 1] },
            { output_type: 'display_data' },
            { output_type: 'pyout' },
            1,
          ],
        }),
      ]),
      [
        ['metadataChanged', 'text/html', '1'],
        ['fieldDropped', 'transient', '1'],
        ['outputDropped', 'display_data', '1'],
        ['outputDropped', 'pyout', '1'],
        ['outputDropped', '', '1'],
      ],
    ],
    [
      'nbformat 3',
      {
        nbformat: 3,
        nbformat_minor: 0,
        metadata: { name: 'old', signature: 'x', keep: 1 },
        worksheets: [
          { metadata: { a: 1 }, cells: [] },
          {
            cells: [
              { cell_type: 'heading', level: 2, source: ['one', 'two'], metadata: {} },
              { cell_type: 'html', source: '<b>', metadata: {} },
              {
                cell_type: 'code',
                language: 'python',
                collapsed: true,
                input: ['a = 1\n', 'b'],
                prompt_number: 3,
                metadata: {},
                outputs: [
                  {
                    output_type: 'pyout',
                    prompt_number: 3,
                    text: ['1', '2'],
                    png: 'AAAA',
                    json: '{"x": 1.0}',
                    metadata: { png: { width: 1 } },
                  },
                  { output_type: 'display_data', json: '{', metadata: {} },
                  { output_type: 'pyerr', ename: 'E', evalue: 'v', traceback: [] },
                  { output_type: 'stream', stream: 'stderr', text: 'x' },
                ],
              },
            ],
          },
        ],
      },
      [
        ['formatUpgraded', '3.0'],
        ['fieldDropped', 'worksheets.metadata', '1'],
        ['fieldDropped', 'application/json', '1'],
        ['fieldMoved', 'collapsed', '1'],
      ],
    ],
  ];
  for (const [name, document, warnings] of FLAWED) {
    it(`makes a valid document of: ${name}`, () => {
      const reading = readNotebook(bytes(document));
      assert.deepEqual(
        reading.warnings,
        warnings.map(([warning, ...args]) => ({ code: warning, args })),
      );
    });
  }

  it('gives documents that the official schema and nbformat accept', () => {
    const inputs = FLAWED.map(([name, document]) => [name, bytes(document)] as const);
    const written = inputs.map(
      ([name, input]) => [name, writeNotebook(readNotebook(input).notebook)] as const,
    );
    const prepared = inputs.map(([name, input]) => {
      const { notebook } = readNotebook(input);
      prepareForRun(notebook);
      return [`${name}, prepared`, writeNotebook(notebook)] as const;
    });
    assertValid(Object.fromEntries([...written, ...prepared]));
  });

  it('upgrades nbformat 3 as nbformat does', () => {
    const [, document] = FLAWED.find(([name]) => name === 'nbformat 3') ?? [];
    const worksheets = (document as { worksheets: [unknown, { cells: { outputs?: object[] }[] }] })
      .worksheets;
    // nbformat itself fails on JSON that is none.
    worksheets[1].cells[2]?.outputs?.splice(1, 1);
    const theirs = python(
      'import json,sys,nbformat; print(nbformat.writes(nbformat.convert(nbformat.reads(sys.stdin.read(), 3), 4)))',
      document,
    ) as { cells: { id: string }[] };
    const ours = JSON.parse(text(writeNotebook(readNotebook(bytes(document)).notebook))) as typeof theirs;
    theirs.cells.forEach((cell, index) => (cell.id = ours.cells[index]?.id ?? ''));
    assert.deepEqual(ours, theirs);
  });

  it('gives every reader of a document the same ids, unlike each other', () => {
    const document = bytes(nb([code(), code(), code({ id: 'mine' })]));
    const ids = readNotebook(document).notebook.cells.map(({ id }) => id);
    assert.deepEqual(
      readNotebook(document).notebook.cells.map(({ id }) => id),
      ids,
    );
    assert.equal(new Set(ids).size, 3);
    assert.equal(ids[2], 'mine');
    // An id made up may not be one that a later cell has.
    const [made = ''] = ids;
    const cells = readNotebook(bytes(nb([code(), code({ id: made })]))).notebook.cells;
    assert.equal(cells[1]?.id, made);
    assert.notEqual(cells[0]?.id, made);
  });
});

describe('writing a notebook', () => {
  it('keeps numbers, unknown metadata, attachments, raw cells and the order of keys', () => {
    const document = `{
 "nbformat_minor": 5,
 "metadata": {
  "z": 1.0,
  "2": [12345678901234567890, 1e400, -0.0, -0, 1.10],
  "1": {"é": "😀\\u0007", "__proto__": {"a": null}},
  "vscode": {"interpreter": {"hash": "x"}}
 },
 "nbformat": 4,
 "cells": [
  {"source": ["# é\\n", "b"], "id": "m", "metadata": {"x": 2.50}, "cell_type": "markdown",
   "attachments": {"10.png": {"image/png": "AAAA"}, "9": {"text/plain": ["a\\n", "b"]}}},
  {"cell_type": "raw", "id": "r", "metadata": {"format": "text/restructuredtext", "raw_mimetype": "x"}, "source": ["r"]},
  {"cell_type": "code", "id": "c", "metadata": {"tags": ["parameters"], "10": 1.0, "9": 2}, "source": [],
   "execution_count": 5, "outputs": [{"output_type": "display_data", "metadata": {"image/png": {"width": 1.0}},
    "data": {"application/json": {"b": 1.0, "10": [1e5], "9": 1}, "text/plain": ["a"]}}]}
 ]
}`;
    const written = text(writeNotebook(readNotebook(bytes(document)).notebook));
    assert.equal(written, stringifyJson(parseJson(document), { indent: 1 }) + '\n');
  });

  it('is what nbformat writes, but for the order of keys', () => {
    const lines = 'a\nb\r\nc\rd\x0be\x0cf\x1cg\x1dh\x1ei\x85j\u2028k\u2029l\n\n';
    const document = {
      cells: [
        code({ id: 'a', source: lines, outputs: [{ name: 'stdout', output_type: 'stream', text: lines }] }),
        code({
          id: 'b',
          source: '',
          outputs: [
            {
              data: {
                'application/javascript': lines,
                'application/json': [lines],
                'image/png': lines,
                'image/svg+xml': lines,
                'text/html': lines,
                'text/plain': '',
              },
              metadata: {},
              output_type: 'display_data',
            },
          ],
        }),
        {
          attachments: { x: { 'text/plain': lines } },
          cell_type: 'markdown',
          id: 'c',
          metadata: { a: [], b: {} },
          source: 'é😀\x07\x7f"\\',
        },
      ],
      metadata: { a: { b: 'é' } },
      nbformat: 4,
      nbformat_minor: 5,
    };
    const theirs = python(
      'import json,sys,nbformat; json.dump(nbformat.writes(nbformat.from_dict(json.load(sys.stdin))) + "\\n", sys.stdout)',
      document,
    );
    // nbformat sorts keys; these cells are not sorted.
    const sorted = JSON.parse(JSON.stringify(document), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    ) as object;
    assert.equal(text(writeNotebook(readNotebook(bytes(sorted)).notebook)), theirs);
  });

  it('never writes bare NaN or Infinity', () => {
    const document = '{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{"a":[NaN,Infinity,-Infinity]}}';
    const written = writeNotebook(readNotebook(bytes(document)).notebook);
    assert.deepEqual((JSON.parse(text(written)) as { metadata: object }).metadata, {
      a: ['NaN', 'Infinity', '-Infinity'],
    });
  });
});

describe('preparing a notebook for a run', () => {
  it('resets outputs, counts, times, states and widgets, and removes the marks of failed runs', () => {
    const times = { execution: { 'iopub.status.busy': 'x' }, papermill: { status: 'failed' } };
    const marker = {
      metadata: { tags: ['papermill-error-cell-tag'] },
      source: 'An Exception was encountered',
    };
    const { notebook } = readNotebook(
      bytes(
        nb(
          [
            { cell_type: 'markdown', ...marker },
            { cell_type: 'markdown', source: 'm', metadata: { papermill: { status: 'completed' }, keep: 1 } },
            { cell_type: 'raw', ...marker },
            code({
              execution_count: 3,
              outputs: [{ output_type: 'stream', name: 'stdout', text: 'x' }],
              metadata: { ...times, collapsed: true, tags: ['t'] },
            }),
          ],
          {
            metadata: {
              papermill: { exception: true },
              widgets: { 'application/x': {} },
              kernelspec: { name: 'a', display_name: 'b' },
              own: 1,
            },
          },
        ),
      ),
    );
    prepareForRun(notebook);
    assert.deepEqual(notebook.metadata, { kernelspec: { name: 'a', display_name: 'b' }, own: 1 });
    assert.deepEqual(
      notebook.cells.map(({ id: _id, ...cell }) => cell),
      [
        { cell_type: 'markdown', source: 'm', metadata: { keep: 1 } },
        {
          cell_type: 'code',
          source: 'x',
          metadata: { collapsed: true, tags: ['t'] },
          outputs: [],
          execution_count: null,
        },
      ],
    );
  });

  it('reads 20,000 cells and one of 5 MB', () => {
    const cells = Array.from({ length: 20_000 }, (_, i) => code({ source: `x = ${i}` }));
    const { notebook, warnings } = readNotebook(
      bytes(nb([...cells, code({ source: 'y = 1\n'.repeat(900_000) })])),
    );
    assert.deepEqual(warnings, []);
    assert.equal(new Set(notebook.cells.map(({ id }) => id)).size, 20_001);
    const written = JSON.parse(text(writeNotebook(notebook))) as { cells: { source: string[] }[] };
    assert.equal(written.cells[20_000]?.source.length, 900_000);
  });
});
