import assert from 'node:assert/strict';
import { parseJson, stringifyJson } from '../../../src/notebook/json';
import { ParametersError } from '../../../src/notebook/parameters/errors';
import { encodeParameters, parseParameters } from '../../../src/notebook/parameters/parse';

describe('reading parameters', () => {
  const READ: [yaml: string, json: string][] = [
    ['', '{}'],
    ['# nothing\n', '{}'],
    ['---\n...\n', '{}'],
    ['\uFEFFa: 1', '{"a":1}'],
    ['{"a": 1.0, "b": [12345678901234567890]}', '{"a":1.0,"b":[12345678901234567890]}'],
    ['a: 1e400\nb: -0.0\nc: 1.10\nd: 1e3', '{"a":1e400,"b":-0.0,"c":1.10,"d":1e3}'],
    ['a: +5\nb: 007\nc: .5\nd: 1.\ne: -.5\nf: 1.e5', '{"a":5,"b":7,"c":0.5,"d":1.0,"e":-0.5,"f":1.0e5}'],
    ['a: 0x1F\nb: 0o17\nc: 0xFFFFFFFFFFFFFFFFFF', '{"a":31,"b":15,"c":4722366482869645213695}'],
    ['a: .nan\nb: .inf\nc: -.INF\nd: +.inf', '{"a":NaN,"b":Infinity,"c":-Infinity,"d":Infinity}'],
    ['a: 2020-01-01\nb: 2020-01-01T10:00:00Z', '{"a":"2020-01-01","b":"2020-01-01T10:00:00Z"}'],
    ['a: yes\nb: on\nc: 1_000\nd: 1:30\ne: 0b1', '{"a":"yes","b":"on","c":"1_000","d":"1:30","e":"0b1"}'],
    ['a: true\nb: False\nc: ~\nd:\ne: NULL', '{"a":true,"b":false,"c":null,"d":null,"e":null}'],
    ['a: "1.0"\nb: \'x\'\nc: !!str 12', '{"a":"1.0","b":"x","c":"12"}'],
    ['a: |\n  x\n  y\nb: >-\n  x\n  y', '{"a":"x\\ny\\n","b":"x y"}'],
    ['a: &x {p: 1}\nb: *x\nc: {<<: *x, q: 2}', '{"a":{"p":1},"b":{"p":1},"c":{"p":1,"q":2}}'],
    ['b: {10: 1, 9: 2}\n2: x\n1.50: y\ntrue: z', '{"b":{"10":1,"9":2},"2":"x","1.50":"y","true":"z"}'],
    ['__proto__: {x: 1}', '{"__proto__":{"x":1}}'],
  ];
  for (const [yaml, json] of READ) {
    it(`reads ${JSON.stringify(yaml)}`, () => {
      const parameters = parseParameters(yaml);
      assert.equal(encodeParameters(parameters), json);
      // In the form for the runner.
      assert.equal(encodeParameters(parseJson(json) as typeof parameters), json);
    });
  }

  const REFUSED: [yaml: string, code: string, line?: string][] = [
    ['- a', 'notMapping'],
    ['text', 'notMapping'],
    ['1.0', 'notMapping'],
    ['a: [', 'yamlInvalid', '1'],
    ['a: 1\nb: "x', 'yamlInvalid', '2'],
    ['a: 1\na: 2', 'yamlInvalid', '2'],
    ['a: *b', 'yamlInvalid', '1'],
    ['a: &x [*x]', 'yamlInvalid'],
    ['a: 1\n--- \nb: 2', 'yamlInvalid'],
    ['a: !secret x', 'yamlInvalid', '1'],
    ['a: !!binary aGVsbG8=', 'yamlInvalid'],
    ['a: !!set {x}', 'yamlInvalid'],
    ['{[1]: 2}', 'keyInvalid'],
    ['\ta: 1', 'yamlInvalid', '1'],
    [`a: ${'['.repeat(500)}${']'.repeat(500)}`, 'yamlInvalid'],
    // Grows tenfold with each line.
    [
      'a: &a [1]\n' +
        Array.from({ length: 9 }, (_, i) => {
          const [from, to] = ['abcdefghij'[i], 'abcdefghij'[i + 1]];
          return `${to ?? ''}: &${to ?? ''} [${Array<string>(10)
            .fill(`*${from ?? ''}`)
            .join(', ')}]`;
        }).join('\n'),
      'yamlInvalid',
    ],
  ];
  for (const [yaml, code, line] of REFUSED) {
    it(`refuses ${JSON.stringify(yaml.slice(0, 40))}: ${code}`, () => {
      assert.throws(
        () => parseParameters(yaml),
        (error) => {
          assert.ok(error instanceof ParametersError, String(error));
          assert.equal(error.code, code);
          if (line !== undefined) assert.equal(error.args['line'], line);
          assert.equal(error.args['detail']?.includes('\n') ?? false, false);
          return true;
        },
      );
    });
  }

  it('keeps NaN and infinities as strings when they would be bare in a document', () => {
    assert.equal(stringifyJson(parseParameters('a: .nan')), '{"a":"NaN"}');
  });
});
