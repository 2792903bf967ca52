import assert from 'node:assert/strict';
import { prepareForRun, readNotebook, writeNotebook } from '../../../src/notebook/document';
import { python } from './python';
import { assertValid } from './validation';
import { bytes, code, nb, text } from './build';

describe('reading a notebook', () => {
  it('reads a document with a byte order mark, and one without nbformat_minor', () => {
    assert.equal(readNotebook(bytes('\uFEFF{"nbformat":4,"cells":[]}')).notebook.cells.length, 0);
  });

  /** Documents with errors, and the warnings when they are read. */
  const FLAWED: [name: string, document: object, warnings: [code: string, ...args: string[]][]][] = [
    ['nothing wrong', nb([code(), { cell_type: 'markdown', metadata: {}, source: [] }]), []],
    ...[0, 1, 2, 3, 4].map((minor): (typeof FLAWED)[number] => [
      `format 4.${minor}`,
      nb(
        [
          code({
            metadata: { collapsed: true, own: 1 },
            outputs: [
              { output_type: 'stream', name: 'stdout', text: ['a\n', 'b'] },
              { output_type: 'display_data', data: { 'text/plain': ['x'] }, metadata: {} },
            ],
          }),
          { cell_type: 'markdown', metadata: {}, source: ['# a\n', 'b'] },
          { cell_type: 'raw', metadata: { format: 'text/html' }, source: '' },
        ],
        { nbformat_minor: minor },
      ),
      [],
    ]),
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
      'invalid attachments',
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
    it(`returns a valid document for: ${name}`, () => {
      const reading = readNotebook(bytes(document));
      assert.deepEqual(
        reading.warnings,
        warnings.map(([warning, ...args]) => ({ code: warning, args })),
      );
    });
  }

  it('returns documents that the official schema and nbformat accept', () => {
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

  it('upgrades nbformat 3 like nbformat', () => {
    const [, document] = FLAWED.find(([name]) => name === 'nbformat 3') ?? [];
    const worksheets = (document as { worksheets: [unknown, { cells: { outputs?: object[] }[] }] })
      .worksheets;
    // nbformat itself fails on invalid JSON.
    worksheets[1].cells[2]?.outputs?.splice(1, 1);
    const theirs = python(
      'import json,sys,nbformat; print(nbformat.writes(nbformat.convert(nbformat.reads(sys.stdin.read(), 3), 4)))',
      document,
    ) as { cells: { id: string }[] };
    const ours = JSON.parse(text(writeNotebook(readNotebook(bytes(document)).notebook))) as typeof theirs;
    theirs.cells.forEach((cell, index) => (cell.id = ours.cells[index]?.id ?? ''));
    assert.deepEqual(ours, theirs);
  });

  it('gives every reader of a document the same ids, each of them unique', () => {
    const document = bytes(nb([code(), code(), code({ id: 'mine' })]));
    const ids = readNotebook(document).notebook.cells.map(({ id }) => id);
    assert.deepEqual(
      readNotebook(document).notebook.cells.map(({ id }) => id),
      ids,
    );
    assert.equal(new Set(ids).size, 3);
    assert.equal(ids[2], 'mine');
    // A generated id must not equal that of a later cell.
    const [made = ''] = ids;
    const cells = readNotebook(bytes(nb([code(), code({ id: made })]))).notebook.cells;
    assert.equal(cells[1]?.id, made);
    assert.notEqual(cells[0]?.id, made);
  });
});
