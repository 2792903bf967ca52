import assert from 'node:assert/strict';
import { stringifyJson } from '../../../src/notebook/json';
import { inspectParameters, undeclaredParameters } from '../../../src/notebook/parameters/inspect';
import { inspect, notebook } from './parameters-cell';

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
      'const a: number = 5; // one of: 1, 5\nlet b = "y";\nvar c = true\nlet d = null\nlet e = `http://x`; // z',
      ['a number 5 one of: 1, 5 [1,5]', 'b str "y" ', 'c bool true ', 'd None null ', 'e - - z'],
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

  it('use the kernel’s language first', () => {
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

  it('are reported, one by one', () => {
    assert.deepEqual(warnings('a = 1', 'a', 'b', 'c'), ['parameterNotDeclared b', 'parameterNotDeclared c']);
  });

  it('do not include those assigned in any other way', () => {
    const source =
      'a, *b = 1, 2\nif x:\n    c = 1\nfor d in e: pass\nimport f.g, h as i\nfrom j import k\nwith l() as m: pass\n(n := 1)\ndef o(p): q = 1\nclass r: pass';
    const names = ['a', 'b', 'c', 'd', 'f', 'i', 'k', 'm', 'n', 'o', 'r'];
    assert.deepEqual(warnings(source, ...names), []);
    assert.deepEqual(warnings(source, 'p', 'q', 's').length, 3);
  });

  it('are all parameters when no cell is tagged', () => {
    const document = notebook('a = 1');
    document.cells = document.cells.slice(0, 2);
    assert.deepEqual(inspectParameters(document).hasCell, false);
    assert.deepEqual(undeclaredParameters(document, { y: 1 }), [
      { code: 'parameterNotDeclared', args: ['y'] },
    ]);
  });
});
