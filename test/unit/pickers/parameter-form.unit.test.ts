import assert from 'node:assert/strict';
import { JsonNumber, type JsonObject } from '../../../src/notebook/json';
import { parseParameters, parseWithWords } from '../../../src/notebook/parameters/parse';
import { formParameters, ParameterForm, type FormParameter } from '../../../src/views/pickers/parameter-form';
import { parseValue, valueText, type ParameterKind } from '../../../src/views/pickers/parameter-value';

describe('typed values of parameters', () => {
  const cases: [ParameterKind, string, unknown][] = [
    ['int', ' 42 ', 42],
    ['int', '-1_000', -1000],
    ['int', '12345678901234567890', new JsonNumber('12345678901234567890')],
    ['float', '0.5', 0.5],
    ['float', '1.0', new JsonNumber('1.0')],
    ['float', '3', 3],
    ['float', '1e-3', new JsonNumber('1e-3')],
    ['float', '.5', 0.5],
    ['float', 'nan', Number.NaN],
    ['float', "float('-inf')", Number.NEGATIVE_INFINITY],
    ['bool', 'True', true],
    ['bool', 'false', false],
    ['string', 'a b', 'a b'],
    ['string', '', ''],
    ['string', '12', '12'],
    ['string', '"a\\nb"', 'a\nb'],
    ['string', "it's", "it's"],
    ['list', "[1, 'a', None, True]", [1, 'a', null, true]],
    ['list', '[]', []],
    ['dict', "{'a': 1, b: [2]}", { a: 1, b: [2] }],
    ['any', '12', 12],
    ['any', 'hello', 'hello'],
    ['any', 'None', null],
    ['any', '"None"', 'None'],
  ];
  for (const [kind, text, value] of cases) {
    it(`${kind}: ${text}`, () => {
      assert.deepEqual(parseValue(text, kind, kind === 'any').value, value);
    });
  }

  const wrong: [ParameterKind, string, string][] = [
    ['int', '1.5', 'notInt'],
    ['int', '', 'notInt'],
    ['int', 'None', 'notInt'],
    ['float', 'abc', 'notFloat'],
    ['float', '.', 'notFloat'],
    ['bool', '1', 'notBool'],
    ['list', '{}', 'notList'],
    ['list', '[1', 'notList'],
    ['list', '1', 'notList'],
    ['dict', '[1]', 'notDict'],
    ['dict', '1.0', 'notDict'],
    ['any', '[1', 'notValue'],
  ];
  for (const [kind, text, problem] of wrong) {
    it(`refuses ${JSON.stringify(text)} as ${kind}`, () => {
      assert.equal(parseValue(text, kind, false).problem, problem);
    });
  }

  it('accepts None if the type allows it, and only the given choices', () => {
    assert.deepEqual(parseValue('None', 'int', true), { value: null });
    assert.deepEqual(parseValue('sgd', 'string', false, ['sgd', 'adam']), { value: 'sgd' });
    assert.deepEqual(parseValue('lbfgs', 'string', false, ['sgd', 'adam']), { problem: 'notChoice' });
    assert.deepEqual(parseValue('2', 'int', false, ['1', '2']), { value: 2 });
  });

  it('shows values in a form that reads back the same', () => {
    const values: [ParameterKind, Parameters<typeof valueText>[0]][] = [
      ['any', 'plain'],
      ['any', '12'],
      ['any', 'a: b'],
      ['any', ''],
      ['any', 'None'],
      ['string', 'None'],
      ['string', 'two\nlines'],
      ['string', '"quoted"'],
      ['string', '12'],
      ['list', [1, 'x', null, new JsonNumber('1.0')]],
      ['dict', { 'a b': [true] }],
      ['float', new JsonNumber('1e400')],
      ['bool', false],
    ];
    for (const [kind, value] of values) {
      const text = valueText(value, kind);
      assert.deepEqual(parseValue(text, kind, kind === 'any').value, value, `${kind} ${text}`);
    }
  });
});

const NOTHING = { values: {}, words: [] };

describe('parameters form', () => {
  const declare = (name: string, kind: ParameterKind, defaultText: string, more = {}): FormParameter => ({
    name,
    kind,
    optional: false,
    defaultText,
    defaultValue: undefined,
    choices: undefined,
    comment: '',
    ...more,
  });
  const declared = [
    declare('epochs', 'int', '90', { defaultValue: 90 }),
    declare('path', 'any', 'make_path()'),
  ];

  it('lists declared parameters in order, then others, and injects only changed ones', () => {
    const form = new ParameterForm(declared, { values: { extra: 1, path: 'x' }, words: [] });
    assert.deepEqual(
      form.rows().map(({ name, value }) => [name, value]),
      [
        ['epochs', undefined],
        ['path', 'x'],
        ['extra', 1],
      ],
    );
    assert.deepEqual(form.undeclared(), ['extra']);
    assert.equal(form.text(), '{"extra":1,"path":"x"}');
    form.set('epochs', 3);
    form.reset('extra');
    assert.equal(form.text(), '{"path":"x","epochs":3}');
    form.resetAll();
    assert.equal(form.text(), undefined);
  });

  it('checks loaded values like typed ones', () => {
    const all = [
      declare('count', 'int', '1'),
      declare('name', 'string', '"a"'),
      declare('maybe', 'string', 'None', { optional: true }),
      declare('mode', 'string', '"fast"', { choices: ['fast', 'slow'] }),
      declare('any', 'any', '1'),
    ];
    const problems = (values: JsonObject) =>
      Object.fromEntries(
        new ParameterForm(all, { values, words: [] })
          .rows()
          .flatMap(({ name, problem }) => (problem === undefined ? [] : [[name, problem]])),
      ) as unknown;
    assert.deepEqual(problems({ count: 2, name: 'b', maybe: null, mode: 'slow', any: [1], extra: {} }), {});
    assert.deepEqual(problems({ count: '2', name: 5, maybe: true, mode: 'quick' }), {
      count: 'notInt',
      name: 'notText',
      maybe: 'notText',
      mode: 'notChoice',
    });
    assert.deepEqual(problems({ count: 2.5, name: null }), { count: 'notInt', name: 'notText' });
  });

  it('offers the value, or else the default, for editing', () => {
    const form = new ParameterForm(declared, NOTHING);
    assert.equal(form.textOf('epochs'), '90');
    assert.equal(form.textOf('path'), 'make_path()');
    form.set('epochs', 5);
    assert.equal(form.textOf('epochs'), '5');
    assert.deepEqual(form.parse('epochs', 'x'), { problem: 'notInt' });
    assert.deepEqual(form.parse('extra', '2'), { value: 2, words: [] });
  });
});

describe('words that papermill reads differently, in the form', () => {
  const shown = (form: ParameterForm): string[] =>
    form.words().map(({ names, source, here, there }) => [...names, source, here, there].join(' '));

  it('are found when loading and typing, until the value changes, and are sent as written', () => {
    const form = new ParameterForm(
      [],
      parseWithWords('dry_run: no\nmode: 0777\nb: [off, "off", {c: 1_000}]\nd: x'),
    );
    assert.deepEqual(shown(form), [
      'dry_run no "no" false',
      'mode 0777 777 511',
      'b off "off" false',
      'b c 1_000 "1_000" 1000',
    ]);
    const text = '{"dry_run":no,"mode":0777,"b":[off,off,{"c":1_000}],"d":"x"}';
    assert.equal(form.text(), text);
    const sent = parseWithWords(text);
    assert.deepEqual(sent.values, { dry_run: 'no', mode: 777, b: ['off', 'off', { c: '1_000' }], d: 'x' });
    assert.deepEqual(shown(new ParameterForm([], sent)), shown(form));
    form.set('dry_run', false);
    form.reset('b');
    form.load(parseWithWords('mode: 511'));
    assert.deepEqual([shown(form), form.text()], [[], '{"dry_run":false,"mode":511,"d":"x"}']);
    const typed = form.parse('at', '[12:30, no]');
    assert.ok(typed.problem === undefined);
    form.set('at', typed.value, typed.words);
    assert.deepEqual(shown(form), ['at 12:30 "12:30" 750', 'at no "no" false']);
    assert.equal(form.text(), '{"dry_run":false,"mode":511,"d":"x","at":[12:30,no]}');
    assert.deepEqual(parseWithWords(form.text() ?? '').values['at'], ['12:30', 'no']);
    form.resetAll();
    assert.deepEqual(shown(form), []);
  });
});

describe('declared parameters', () => {
  it('get their kind from the type hint', () => {
    const kinds = (type: string): unknown[] =>
      formParameters([{ name: 'a', type, defaultSource: 'x' }]).map(({ kind, optional }) => [kind, optional]);
    assert.deepEqual(kinds('int'), [['int', false]]);
    assert.deepEqual(kinds('Optional[str]'), [['string', true]]);
    assert.deepEqual(kinds('float | None'), [['float', true]]);
    assert.deepEqual(kinds('list[dict[str, int]]'), [['list', false]]);
    assert.deepEqual(kinds('typing.Dict[str, int]'), [['dict', false]]);
    assert.deepEqual(kinds('int | str'), [['any', true]]);
    assert.deepEqual(kinds('pathlib.Path'), [['any', true]]);
  });

  it('offer their choices as text, with default and comment', () => {
    const [parameter] = formParameters([
      {
        name: 'mode',
        type: 'str',
        defaultSource: "'fast'",
        defaultValue: 'fast',
        comment: 'one of: fast, slow',
        choices: ['fast', 'slow'],
      },
    ]);
    assert.deepEqual(parameter, {
      name: 'mode',
      kind: 'string',
      optional: false,
      defaultText: "'fast'",
      defaultValue: 'fast',
      choices: ['fast', 'slow'],
      comment: 'one of: fast, slow',
    });
  });

  it('reach the service unchanged, including their spelling', () => {
    const values = {
      a: new JsonNumber('1.0'),
      b: [Number.NaN, Number.NEGATIVE_INFINITY, new JsonNumber('12345678901234567890')],
      'c d': { e: 'tab\t"quote" ünï 😀', f: null, g: 'yes', h: '2026-01-01' },
    };
    const form = new ParameterForm([], { values, words: [] });
    assert.deepEqual(parseParameters(form.text() ?? ''), values);
  });
});
