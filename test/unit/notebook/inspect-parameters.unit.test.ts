import assert from 'node:assert/strict';
import type { JsonObject } from '../../../src/notebook/json';
import { stringifyJson } from '../../../src/notebook/json';
import { readNotebook } from '../../../src/notebook/document';
import type { Notebook } from '../../../src/notebook/model';
import { inspectParameters, undeclaredParameters } from '../../../src/notebook/parameters/inspect';
import { python } from './python';

function notebook(source: string, metadata: object = {}): Notebook {
  const cells = [
    { cell_type: 'markdown', source: '# x = 1' },
    { cell_type: 'code', source: 'y = 1' },
    { cell_type: 'code', source, metadata: { tags: ['parameters'] } },
    { cell_type: 'code', source: 'z = 1', metadata: { tags: ['parameters'] } },
  ];
  return readNotebook(Buffer.from(JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells })))
    .notebook;
}

/** Everything about the parameters, as one comparable text each. */
function inspect(source: string, metadata?: object): string[] {
  return inspectParameters(notebook(source, metadata)).parameters.map((parameter) =>
    stringifyJson(parameter as unknown as JsonObject, { nonFinite: 'bare' }),
  );
}

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
      'what is no literal',
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

  it('evaluates literals as Python does', () => {
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

  it('takes nothing for a literal that JSON cannot hold', () => {
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

  it('says which line it cannot parse, and reads the others', () => {
    const found = inspectParameters(notebook('a = 1\nb = = 2\nc = 3\nd = [1,'));
    assert.deepEqual(found.warnings, [{ code: 'parametersCellInvalid', args: ['2'] }]);
    assert.deepEqual(found.parameters.map(({ name }) => name).slice(0, 1), ['a']);
    assert.ok(found.parameters.some(({ name, defaultSource }) => name === 'c' && defaultSource === '3'));
  });

  it('survives anything', () => {
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

describe('inspecting parameters of other languages', () => {
  const CASES: [language: string, source: string, parameters: string[]][] = [
    [
      'R',
      'a <- 5 # x\nb = "y#z"\nn <- 1L\nt <- TRUE\nu <- NULL\nv <- c(1, 2)\nf(w = 1)',
      ['a int 5 x', 'b str "y#z" ', 'n int 1 ', 't bool true ', 'u None null ', 'v - - '],
    ],
    [
      'julia',
      'a = 5 # x\nb::Float64 = 1.50\nconst c = "y"\nd == 1',
      ['a int 5 x', 'b Float64 1.50 ', 'c str "y" '],
    ],
    [
      'scala',
      'val a = 5 // x\nvar b: Double = 1.50\nval c = "y//z"\nval d = 5L',
      ['a int 5 x', 'b Double 1.50 ', 'c str "y//z" ', 'd int 5 '],
    ],
    [
      'bash',
      'a=5 # x\nexport b="y z"\nc=word\nd=\ne=$(date)',
      ['a int 5 x', 'b str "y z" ', 'c str "word" ', 'd - - ', 'e - - '],
    ],
    [
      'typescript',
      'const a: number = 5; // one of: 1, 5\nlet b = "y";\nvar c = true\nlet d = null',
      ['a number 5 one of: 1, 5 [1,5]', 'b str "y" ', 'c bool true ', 'd None null '],
    ],
    [
      'C#',
      'var a = 5; // x\nint b = 6;\nstring c = "y";\nobject d = null;\nreturn e = 1;',
      ['a int 5 x', 'b int 6 ', 'c string "y" ', 'd object null '],
    ],
    [
      'F#',
      'let a = 5 // x\nlet mutable b : float = 1.50\nlet c = "y"',
      ['a int 5 x', 'b float 1.50 ', 'c str "y" '],
    ],
    [
      'PowerShell',
      '$a = 5 # x\n[string]$b = "y"\n$c = $True',
      ['a int 5 x', 'b string "y" ', 'c bool true '],
    ],
    ['matlab', "a = 5; % x\nb = 'y';\nc = true;\nd == 1", ['a int 5 x', 'b str "y" ', 'c bool true ']],
    ['cling', 'int a = 5;', []],
  ];
  for (const [language, source, expected] of CASES) {
    it(language, () => {
      const { parameters, warnings } = inspectParameters(
        notebook(source, { language_info: { name: language } }),
      );
      assert.deepEqual(
        parameters.map(({ name, type = '-', defaultValue, comment = '', choices }) =>
          [
            ...[name, type, defaultValue === undefined ? '-' : stringifyJson(defaultValue), comment],
            ...(choices ? [stringifyJson([...choices])] : []),
          ].join(' '),
        ),
        expected,
      );
      assert.deepEqual(warnings, []);
    });
  }

  it('go by the kernel first', () => {
    const metadata = { kernelspec: { name: 'ir', display_name: 'R' }, language_info: { name: 'python' } };
    assert.equal(inspect('a <- 1', metadata).length, 1);
    assert.equal(inspectParameters(notebook('a <- 1'), 'x', 'R').parameters.length, 1);
  });
});

describe('undeclared parameters', () => {
  const warnings = (source: string, ...names: string[]): string[] =>
    undeclaredParameters(notebook(source), Object.fromEntries(names.map((name) => [name, 1]))).map(
      ({ code, args }) => `${code} ${String(args)}`,
    );

  it('are warned of, one by one', () => {
    assert.deepEqual(warnings('a = 1', 'a', 'b', 'c'), ['parameterNotDeclared b', 'parameterNotDeclared c']);
  });

  it('are not those assigned to in any other way', () => {
    const source =
      'a, *b = 1, 2\nif x:\n    c = 1\nfor d in e: pass\nimport f.g, h as i\nfrom j import k\nwith l() as m: pass\n(n := 1)\ndef o(p): q = 1\nclass r: pass';
    const names = ['a', 'b', 'c', 'd', 'f', 'i', 'k', 'm', 'n', 'o', 'r'];
    assert.deepEqual(warnings(source, ...names), []);
    assert.deepEqual(warnings(source, 'p', 'q', 's').length, 3);
  });

  it('are all where no cell is tagged', () => {
    const document = notebook('a = 1');
    document.cells = document.cells.slice(0, 2);
    assert.deepEqual(inspectParameters(document).hasCell, false);
    assert.deepEqual(undeclaredParameters(document, { y: 1 }), [
      { code: 'parameterNotDeclared', args: ['y'] },
    ]);
  });
});
