import assert from 'node:assert/strict';
import { prepareForRun, readNotebook, writeNotebook } from '../../../src/notebook/document';
import { parseJson, stringifyJson } from '../../../src/notebook/json';
import { python } from './python';
import { bytes, code, nb, text } from './build';

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

  it('writes what nbformat writes, except for the order of keys', () => {
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
