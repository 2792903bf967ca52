import assert from 'node:assert/strict';
import { isJsonObject, JsonNumber, type JsonValue } from '../../../src/notebook/json';
import { parseWithWords } from '../../../src/notebook/parameters/parse';
import { python } from './python';

const PLAIN = `
  yes Yes YES yEs no No NO on On ON off Off OFF y n Y N true True TRUE false False null ~ Null none
  0 -0 +5 5 0777 -0777 0o17 08 09 00 0_7 0_ 1_000 1_ -1_0 0b11 0b2 -0b1_0 0b_ 0x1F 0x_f 0xfg 0x
  12:30 -12:30 190:20:30 1:90 09:30 0:30 12:30:45.5 -1:30.5 12:60 12345678901234567890 9_999_999_999_999_999_999
  1e3 1e-3 1.0e3 1.0e+3 1.0e-3 1.5 1. .5 -.5 +.5 1_0.5 1._5 .5e-3 1.e5 -1.5 -0.0 .inf -.Inf +.INF .nan .NaN -.nan .iNf
  2020-01-01 2020-01-01T10:00:00Z 1.2.3 v1 1-2 a:b`
  .trim()
  .split(/\s+/);

/** Parses a parameters file like papermill: dates stay strings. */
const PYYAML = `
import json, sys, yaml
class Loader(yaml.SafeLoader): pass
Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != 'tag:yaml.org,2002:timestamp']
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
def read(text):
    try:
        return yaml.load('a: ' + text, Loader)['a']
    except ValueError:
        return text
def shown(value):
    return {'float': repr(value)} if isinstance(value, float) else value
print(json.dumps([shown(read(text)) for text in json.load(sys.stdin)]))`;

/** As in JSON, except that numbers compare by value. */
function comparable(json: string): unknown {
  return /^(?:["tf]|null)/.test(json)
    ? (JSON.parse(json) as unknown)
    : Number(json.replace('inf', 'Infinity'));
}

describe('words that YAML 1.1 reads differently', () => {
  it('match PyYAML, in words and in meaning', () => {
    const theirs = python(PYYAML, PLAIN) as JsonValue[];
    for (const [index, text] of PLAIN.entries()) {
      const { values, words } = parseWithWords(`a: ${text}`);
      const value = values['a'] ?? null;
      const here: unknown = value instanceof JsonNumber ? Number(value) : value;
      const their = theirs[index] ?? null;
      const there: unknown = isJsonObject(their) ? comparable(their['float'] as string) : their;
      const expected = Object.is(here, there) ? [] : [{ source: text, here, there }];
      const found = words.map((word) => ({
        source: word.source,
        here: comparable(word.here),
        there: comparable(word.there),
      }));
      assert.deepEqual(found, expected, text);
    }
  });

  it('are found at any depth and in keys, once per parameter, and not when quoted, tagged or in JSON', () => {
    const found = (text: string): unknown[] =>
      parseWithWords(text).words.map(({ names, source, here, there }) => [
        names.join('.'),
        source,
        here,
        there,
      ]);
    assert.deepEqual(found('dry_run: no'), [['dry_run', 'no', '"no"', 'false']]);
    assert.deepEqual(found('mode: 0777\nsize: 1_000\nat: 12:30\nrate: 1e3'), [
      ['mode', '0777', '777', '511'],
      ['size', '1_000', '"1_000"', '1000'],
      ['at', '12:30', '"12:30"', '750'],
      ['rate', '1e3', '1e3', '"1e3"'],
    ]);
    assert.deepEqual(found('a: [no, {b: [no, off]}]\nc: {on: 1}\nd: &x [yes]\ne: *x'), [
      ['a', 'no', '"no"', 'false'],
      ['a.b', 'off', '"off"', 'false'],
      ['c', 'on', '"on"', 'true'],
      ['d', 'yes', '"yes"', 'true'],
    ]);
    assert.deepEqual(found('off: 1'), [['off', 'off', '"off"', 'false']]);
    assert.deepEqual(
      found('a: "no"\nb: \'0777\'\nc: !!str no\nd: |\n  no\ne: no, thanks\nf: 2020-01-01'),
      [],
    );
    assert.deepEqual(found('{"a": 1e3}'), []);
    assert.deepEqual(found('{"a": no}'), [['a', 'no', '"no"', 'false']]);
  });

  it('are limited in number', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `p${String(index)}: no`).join('\n');
    assert.equal(parseWithWords(many).words.length, 100);
  });
});
