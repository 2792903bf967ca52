import assert from 'node:assert/strict';
import { checkLabels, decodeLabel, encodeLabel, readLabels, withOurLabels } from '../../../src/google/labels';

describe('labels', () => {
  for (const text of [
    'plain',
    'My Template',
    'under_score',
    'a-b_-c',
    'Ünïcode 📈',
    '',
    'C:\\x/y.ipynb',
    '_-_',
    '12_3',
  ]) {
    it(`carry ${JSON.stringify(text)} there and back in Google’s characters`, () => {
      const label = encodeLabel(text);
      assert.match(label, /^[a-z0-9_-]{0,63}$/);
      assert.equal(decodeLabel(label), text);
    });
  }

  it('are cut between characters, never within one', () => {
    const label = encodeLabel('Ä'.repeat(40));
    assert.ok(label.length <= 63);
    assert.equal(decodeLabel(label), 'Ä'.repeat(12));
  });

  it('of others are read without harm', () => {
    assert.equal(decodeLabel('_9999999_'), '_9999999_');
    assert.equal(decodeLabel('trailing_'), 'trailing_');
  });

  it('tell ours from the person’s', () => {
    const labels = withOurLabels(
      { team: 'x' },
      { fingerprint: 'abc', templateName: 'Big One', source: 'a b.ipynb' },
    );
    assert.deepEqual(readLabels(labels), {
      fingerprint: 'abc',
      templateName: 'Big One',
      source: 'a b.ipynb',
      others: { team: 'x' },
    });
    assert.equal(readLabels(undefined).fingerprint, undefined);
  });

  for (const [key, value] of [
    ['Upper', 'x'],
    ['a', 'Upper'],
    ['1st', 'x'],
    ['a b', 'x'],
    ['k'.repeat(64), 'x'],
    ['k', 'v'.repeat(64)],
  ] as const) {
    it(`refuse ${key}=${value}`, () => {
      assert.throws(
        () => {
          checkLabels({ [key]: value });
        },
        {
          reason: 'fieldInvalid',
        },
      );
    });
  }
});
