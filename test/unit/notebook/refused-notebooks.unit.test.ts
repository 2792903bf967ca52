import assert from 'node:assert/strict';
import { readNotebook } from '../../../src/notebook/document';
import { NotebookError } from '../../../src/notebook/errors';
import { bytes, code, nb, text } from './build';

describe('reading a notebook', () => {
  const REFUSED: [name: string, input: Uint8Array | string, code: string, args: Record<string, string>][] = [
    ['nothing', '', 'emptyFile', {}],
    ['white space', ' \n\t', 'emptyFile', {}],
    ['a byte order mark alone', '\uFEFF', 'emptyFile', {}],
    ['text that is not JSON', '{\n "cells": [}', 'notJson', { line: '2', column: '12', position: '13' }],
    ['text that is not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'notJson', {}],
    // The pages of the array are never written, so it takes no memory.
    ['more than a string can hold', new Uint8Array(0x1fffffe9), 'tooLarge', { bytes: '536870889' }],
    ['a list', '[]', 'notNotebook', { path: '' }],
    ['a number', '1.0', 'notNotebook', { path: '' }],
    ['an object without nbformat', '{"cells": []}', 'notNotebook', { path: 'nbformat' }],
    ['nbformat as text', '{"nbformat": "4"}', 'notNotebook', { path: 'nbformat' }],
    ['no cells', '{"nbformat": 4}', 'notNotebook', { path: 'cells' }],
    ['cells that are not a list', '{"nbformat": 4, "cells": {}}', 'notNotebook', { path: 'cells' }],
    ['a cell that is not an object', text(bytes(nb([code(), 1]))), 'notNotebook', { path: 'cells[1]' }],
    ['a cell without type', text(bytes(nb([{}]))), 'notNotebook', { path: 'cells[0].cell_type' }],
    [
      'a source that is not text',
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
});
