import assert from 'node:assert/strict';
import {
  isJsonObject,
  jsonBytes,
  jsonKeys,
  JsonError,
  JsonNumber,
  MultilineText,
  parseJson,
  stringifyJson,
} from '../../../src/notebook/json';

describe('JSON without loss', () => {
  const NUMBERS = [
    ...[
      '0',
      '-0',
      '-0.0',
      '1',
      '1.0',
      '1.10',
      '-5',
      '12345678901234567890',
      '9007199254740993',
      '1e400',
      '-1e400',
    ],
    ...[
      '1E5',
      '1e5',
      '1e+21',
      '1e21',
      '0.1',
      '123456789012345.25',
      '1e-400',
      '100000000000000000000',
      '5e-324',
    ],
  ];
  for (const number of NUMBERS) {
    it(`keeps ${number}`, () => {
      assert.equal(stringifyJson(parseJson(number)), number);
      assert.equal(stringifyJson(parseJson(`{"a":[${number},"x"]}`)), `{"a":[${number},"x"]}`);
    });
  }

  it('returns plain numbers when they are spelled as in JavaScript', () => {
    assert.deepEqual(parseJson('[0, 7, -5, 0.25, 1.0]'), [0, 7, -5, 0.25, new JsonNumber('1.0')]);
    assert.equal(Number(new JsonNumber('1e400')), Infinity);
  });

  const TEXTS = [
    ...[
      'null',
      'true',
      '[]',
      '{}',
      '""',
      '[{}]',
      '{"a":{"b":[]}}',
      '"\\u2028 é 😀 \\ud800"',
      '"\\\\"',
      '"\\\\\\""',
    ],
    ...[
      '{"b":1,"a":2}',
      '{"b":1.0,"2":2,"1":3,"a":4}',
      '{"10":1,"9":{"8":1,"7":2}}',
      '{"__proto__":{"x":1.0}}',
    ],
    ...['"[-1, 1.5]"', '["\\"-1",-1,"a\\\\","b"]', '{"constructor":-1}', '[1.5,"\\n",2.50,"a\\tb"]'],
  ];
  for (const text of TEXTS) {
    it(`reads and writes ${text} unchanged`, () => {
      const value = parseJson(text);
      assert.equal(stringifyJson(value), text.replace('\\u2028', '\u2028'));
      // The lossless parser and JSON.parse agree.
      const [careful] = parseJson(`[${text},-0]`) as unknown[];
      assert.equal(JSON.stringify(careful), JSON.stringify(value));
    });
  }

  it('reads Python’s NaN and infinities, and writes them bare only on request', () => {
    const value = parseJson('[NaN, Infinity, -Infinity]');
    assert.deepEqual(value, [NaN, Infinity, -Infinity]);
    assert.equal(stringifyJson(value), '["NaN","Infinity","-Infinity"]');
    assert.equal(stringifyJson(value, { nonFinite: 'bare' }), '[NaN,Infinity,-Infinity]');
  });

  it('keeps the last value of a repeated key, as Python does', () => {
    assert.equal(stringifyJson(parseJson('{"1":1.0,"a":1,"1":2}')), '{"1":2,"a":1}');
  });

  it('keeps keys in the order of the document, added ones last', () => {
    const object = parseJson('{"b":1,"2":1,"1":1}');
    assert.ok(isJsonObject(object));
    object['0'] = 1;
    delete object['2'];
    assert.deepEqual(jsonKeys(object), ['b', '1', '0']);
  });

  it('reads and writes texts that are mostly one string like any others', () => {
    const long = 'A'.repeat(100_000);
    for (const inside of [
      long,
      `${long}\n`,
      `"${long}`,
      `${long}\\`,
      `${long}\u2028é😀`,
      `${long}\ud800`,
      `\u0001${long}`,
    ]) {
      const string = JSON.stringify(inside);
      const text = `{"2":1.0,"1":${string},"__proto__":-0.0,"n":12345678901234567890}`;
      assert.equal(stringifyJson(parseJson(text)), text);
      assert.equal(Buffer.from(jsonBytes(inside)).toString(), `${string}\n`);
      const lines = JSON.parse(Buffer.from(jsonBytes(new MultilineText(inside))).toString()) as string[];
      assert.deepEqual(lines.join(''), inside);
    }
    assert.throws(() => parseJson(`{"a":"${long}",}`), JsonError);
  });

  it('indents like nbformat', () => {
    const text = '{\n "a": [\n  1.0,\n  {}\n ],\n "b": [],\n "c": {\n  "d": null\n }\n}';
    assert.equal(stringifyJson(parseJson(text), { indent: 1 }), text);
    assert.equal(Buffer.from(jsonBytes(parseJson(text), { indent: 1 })).toString(), text + '\n');
  });

  it('writes more than one chunk without cutting characters', () => {
    const value = Array.from({ length: 3 }, (_, i) => `${'x'.repeat((1 << 20) - i)}😀`);
    assert.deepEqual(JSON.parse(Buffer.from(jsonBytes(value)).toString()), value);
  });

  const BROKEN: [text: string, line: number, column: number][] = [
    ['', 1, 1],
    ['{', 1, 2],
    ['{"a":1,}', 1, 8],
    ['[1 2]', 1, 4],
    ['[1,\n  tru]', 2, 3],
    ['"abc', 1, 1],
    ['"a\\x"', 1, 1],
    ['[01]', 1, 3],
    ['[1.]', 1, 3],
    ['[.5]', 1, 2],
    ['{"a" 1}', 1, 6],
    ['{a: 1}', 1, 2],
    ['[1.0] x', 1, 7],
    ['[-]', 1, 2],
    ['"\\', 1, 1],
  ];
  for (const [text, line, column] of BROKEN) {
    it(`reports where ${JSON.stringify(text)} is broken`, () => {
      assert.throws(
        () => parseJson(text),
        (error) => error instanceof JsonError && error.line === line && error.column === column,
      );
    });
  }

  it('limits the depth', () => {
    assert.throws(() => parseJson(`${'['.repeat(100_000)}-1`), JsonError);
    assert.throws(() => parseJson(`${'{"a": '.repeat(100_000)}-1${'}'.repeat(100_000)}`), JsonError);
  });
});
