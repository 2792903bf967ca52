import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { readNotebook } from '../../../src/notebook/document';
import { stringifyJson } from '../../../src/notebook/json';
import { inspectParameters } from '../../../src/notebook/parameters/inspect';
import { ROOT } from '../../support/paths';
import { inspect, notebook } from './parameters-cell';
import { python } from './python';

describe('inspecting parameters of Python', () => {
  const CASES: [name: string, source: string, parameters: string[]][] = [
    ['nothing', '', []],
    ['an integer', 'a = 1', ['{"name":"a","type":"int","defaultValue":1,"defaultSource":"1"}']],
    [
      'an equals sign in a string',
      'a = "x=y"',
      [String.raw`{"name":"a","type":"str","defaultValue":"x=y","defaultSource":"\"x=y\""}`],
    ],
    [
      'a type hint and a comment',
      'a: float = 1  #  the rate ',
      ['{"name":"a","type":"float","defaultValue":1,"defaultSource":"1","comment":"the rate"}'],
    ],
    [
      'a quoted type hint',
      'a: "list[int]" = None',
      ['{"name":"a","type":"list[int]","defaultValue":null,"defaultSource":"None"}'],
    ],
    [
      'a type comment',
      'a = None  # type: int of things',
      ['{"name":"a","type":"int","defaultValue":null,"defaultSource":"None","comment":"of things"}'],
    ],
    ['a type hint alone', 'a: int', ['{"name":"a","type":"int","defaultSource":""}']],
    [
      'choices',
      'a = "x"  # one of: x, "y, z", 1',
      [
        String.raw`{"name":"a","type":"str","defaultValue":"x","defaultSource":"\"x\"","comment":"one of: x, \"y, z\", 1","choices":["x","y, z","1"]}`,
      ],
    ],
    [
      'choices of numbers',
      'a = 1  # size; One of: 1, 2.0, big',
      [
        '{"name":"a","type":"int","defaultValue":1,"defaultSource":"1","comment":"size; One of: 1, 2.0, big","choices":[1,2.0,"big"]}',
      ],
    ],
    [
      'literals over several lines',
      'a = [  # first\n  1,  # second\n]  # third',
      [
        String.raw`{"name":"a","type":"list","defaultValue":[1],"defaultSource":"[  # first\n  1,  # second\n]","comment":"third"}`,
      ],
    ],
    [
      'several on a line',
      'a = 1; b = -2.50  # b',
      [
        '{"name":"a","type":"int","defaultValue":1,"defaultSource":"1"}',
        '{"name":"b","type":"float","defaultValue":-2.50,"defaultSource":"-2.50","comment":"b"}',
      ],
    ],
    [
      'chains',
      'a = b = 1',
      [
        '{"name":"a","type":"int","defaultValue":1,"defaultSource":"1"}',
        '{"name":"b","type":"int","defaultValue":1,"defaultSource":"1"}',
      ],
    ],
    [
      'tuples of names',
      'a, (b) = 1, "x"\n(c, d) = [1, 2]\ne, f = g()',
      [
        '{"name":"a","type":"int","defaultValue":1,"defaultSource":"1"}',
        '{"name":"c","type":"int","defaultValue":1,"defaultSource":"1"}',
        '{"name":"d","type":"int","defaultValue":2,"defaultSource":"2"}',
        '{"name":"e","defaultSource":""}',
        '{"name":"f","defaultSource":""}',
      ],
    ],
    [
      'anything but a literal',
      'a = f(1)\nb = x\nc = 1 + 1\nd = f"{a}"\ne = {1, 2}',
      [
        '{"name":"a","defaultSource":"f(1)"}',
        '{"name":"b","defaultSource":"x"}',
        '{"name":"c","defaultSource":"1 + 1"}',
        String.raw`{"name":"d","defaultSource":"f\"{a}\""}`,
        '{"name":"e","defaultSource":"{1, 2}"}',
      ],
    ],
    [
      'the last of two',
      'a = 1\nb = 2\na = 3',
      [
        '{"name":"a","type":"int","defaultValue":3,"defaultSource":"3"}',
        '{"name":"b","type":"int","defaultValue":2,"defaultSource":"2"}',
      ],
    ],
    [
      'no attributes, items, blocks, functions',
      'a.b = 1\nc[0] = 1\nif x:\n    d = 1\ndef f(e=1):\n    g = 1',
      [],
    ],
    [
      'lines of IPython',
      '%matplotlib inline\n!pip list\na = """\n%b\n"""',
      [String.raw`{"name":"a","type":"str","defaultValue":"\n%b\n","defaultSource":"\"\"\"\n%b\n\"\"\""}`],
    ],
    [
      'NaN and infinities',
      "a = float('nan')\nb = -float('inf')\nc = float( \"-inf\" )",
      [
        `{"name":"a","type":"float","defaultValue":NaN,"defaultSource":"float('nan')"}`,
        `{"name":"b","type":"float","defaultValue":-Infinity,"defaultSource":"-float('inf')"}`,
        String.raw`{"name":"c","type":"float","defaultValue":-Infinity,"defaultSource":"float( \"-inf\" )"}`,
      ],
    ],
  ];
  for (const [name, source, expected] of CASES) {
    it(name, () => {
      assert.deepEqual(inspect(source), expected);
      assert.deepEqual(inspectParameters(notebook(source)).warnings, []);
    });
  }

  it('skips IPython’s own syntax, like IPython itself', () => {
    const cells = [
      'x = 1\nfiles = !ls',
      'here = %pwd\nx = 1',
      'x = 1\nx?\n?x\nx??\nlen?',
      'if True:\n    %config Application.verbose_crash = True\n    a = 1\nelse:\n\t!ls\nb = 2',
      'a, b = !echo 1\nc = %pwd\ne[0] = !ls\nf.g = %pwd',
      "files = !ls \\\n  -la 'it\\''s\nx = 1",
      '!echo "\nx = 1\n!!ls\n%matplotlib inline\n%time y = 1',
      "x = '''\n%a\n!b\nc?\n'''\ny = \"why?\"  # really?\nz = \"#\"\nfiles = !ls",
      'x = [\n  1,  # one?\n  7\n  % 5,\n]\ny = (8\n% 3)\n%pwd',
      'x = "a\\"b?"\ny = r"\\\\"\nz = 5 \\\n  % 3\nw = z == 1\nfiles = !ls',
      '%%bash\nfor i in 1; do echo $i; done\nA=1',
      '\n%%html\n<a href="x">it\'s</a>',
    ];
    const expected = python(
      `import ast, json, sys
from IPython.core.inputtransformer2 import TransformerManager
def assigned(cell):
    tree = ast.parse(TransformerManager().transform_cell(cell))
    return sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)})
print(json.dumps([assigned(cell) for cell in json.load(sys.stdin)]))`,
      cells,
    ) as string[][];
    for (const [index, cell] of cells.entries()) {
      const { names, warnings } = inspectParameters(notebook(cell));
      assert.deepEqual([[...names].sort(), warnings], [expected[index], []], cell);
    }
    const shown = inspect('files = !ls # all\nx = 1');
    assert.deepEqual(shown, [
      '{"name":"files","defaultSource":"!ls # all"}',
      '{"name":"x","type":"int","defaultValue":1,"defaultSource":"1"}',
    ]);
    // Their bodies run in the notebook.
    assert.deepEqual([...inspectParameters(notebook('%%time\nx = 1')).names], ['x']);
  });

  it('reads the parameters next to a shell assignment', () => {
    const file = path.join(ROOT, 'test/fixtures/faults/shell-assignment-called-invalid.ipynb');
    const { names, warnings } = inspectParameters(readNotebook(readFileSync(file)).notebook);
    assert.deepEqual([[...names], warnings], [['x', 'files'], []]);
  });

  it('evaluates literals like Python', () => {
    const literals = [
      ...[
        '0',
        '-0',
        '+5',
        '1_000',
        '0x_ff',
        '0o17',
        '0b101',
        '00',
        '12345678901234567890',
        '1.',
        '.5',
        '1e5',
        '1_0.5_0E-1_0',
      ],
      ...[
        '""',
        "''",
        '"a" \'b\'',
        '"""a\n"b"\n"""',
        "r'\\d'",
        "R'''\\a'''",
        "u'x'",
        "'\\'\\\"\\\\'",
        "'\\a\\b\\f\\n\\r\\t\\v\\0\\12\\777'",
      ],
      ...[
        "'\\xe9\\u65e5\\U0001f600'",
        "'\\d\\z'",
        "'a\\\nb'",
        "'\\ud800'",
        '"é😀"',
        "('a'\n 'b')",
        '"\\x41\\u0041B"',
      ],
      ...[
        'True',
        'False',
        'None',
        '[]',
        '()',
        '(1,)',
        '[1, [2, (3,)], ]',
        '{}',
        "{'a': 1, 'b': {'c': [None]}, 'a': 2}",
        '(((1)))',
        '--1',
        '-(1)',
      ],
    ];
    const expected = python(
      'import json,sys; print(json.dumps([eval(text) for text in json.load(sys.stdin)]))',
      literals,
    ) as unknown[];
    const source = literals.map((literal, index) => `v${index} = ${literal}`).join('\n');
    const { parameters, warnings } = inspectParameters(notebook(source));
    assert.deepEqual(warnings, []);
    assert.equal(parameters.length, literals.length);
    parameters.forEach(({ defaultValue, defaultSource }, index) => {
      assert.ok(defaultValue !== undefined, defaultSource);
      assert.deepEqual(JSON.parse(stringifyJson(defaultValue)), expected[index], defaultSource);
    });
  });

  it('does not accept literals that JSON cannot represent', () => {
    for (const literal of [
      '1j',
      "b'x'",
      '{1: 2}',
      '{**x}',
      '[*x]',
      '...',
      "'\\N{DASH}'",
      'not True',
      '~1',
      'lambda: 1',
      '[x for x in y]',
    ]) {
      const [parameter] = inspectParameters(notebook(`a = ${literal}`)).parameters;
      assert.deepEqual(parameter, { name: 'a', defaultSource: literal }, literal);
    }
  });

  it('reports the line it cannot parse, and reads the others', () => {
    const found = inspectParameters(notebook('a = 1\nb = = 2\nc = 3\nd = [1,'));
    assert.deepEqual(found.warnings, [{ code: 'parametersCellInvalid', args: ['2'] }]);
    assert.deepEqual(found.parameters.map(({ name }) => name).slice(0, 1), ['a']);
    assert.ok(found.parameters.some(({ name, defaultSource }) => name === 'c' && defaultSource === '3'));
  });

  it('does not fail on any input', () => {
    const junk = [
      '\0',
      '\ud800',
      '((((',
      '"""',
      "a = '",
      'é = 日本',
      '\t\ta = 1',
      ']'.repeat(1000),
      `a = ${'['.repeat(5000)}`,
      '!ls \\',
      'a = !',
      '?',
      'a = "\\',
      '%x\n'.repeat(20_000),
    ];
    for (const source of junk) inspectParameters(notebook(source));
  });

  it('reads 1,000 parameters and a default of 1 MB', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `p${i} = ${i}  # number ${i}`).join('\n');
    assert.equal(inspectParameters(notebook(many)).parameters.length, 1000);
    const [large] = inspectParameters(notebook(`a = "${'x'.repeat(1 << 20)}"`)).parameters;
    assert.equal((large?.defaultValue as string).length, 1 << 20);
  });
});
