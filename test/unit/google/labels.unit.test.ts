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
    it(`preserve ${JSON.stringify(text)} in Google’s characters`, () => {
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

  it('of other clients are read without errors', () => {
    assert.equal(decodeLabel('_9999999_'), '_9999999_');
    assert.equal(decodeLabel('trailing_'), 'trailing_');
  });

  it('separate ours from the user’s', () => {
    const labels = withOurLabels(
      { team: 'x' },
      { fingerprint: 'abc', templateName: 'Big One', source: 'a b.ipynb' },
    );
    assert.deepEqual(readLabels(labels), {
      fingerprint: 'abc',
      templateName: 'Big One',
      source: 'a b.ipynb',
      image: undefined,
      others: { team: 'x' },
    });
    assert.equal(readLabels(undefined).fingerprint, undefined);
  });

  it('contain the name of an image, in as many labels as it needs', () => {
    const ours = { fingerprint: 'abc' };
    for (const image of [
      'gcr.io/p/i:v1',
      `europe-west4-docker.pkg.dev/my_Project/${'deep/'.repeat(12)}image:V2.1`,
    ]) {
      const labels = withOurLabels({}, { ...ours, image });
      checkLabels(labels);
      assert.equal(readLabels(labels).image, image);
      assert.equal(readLabels(labels).others, undefined);
    }
    const tooLong = withOurLabels({}, { ...ours, image: `gcr.io/${'.'.repeat(100)}` });
    assert.equal(readLabels(tooLong).image, '', 'never another image than the one that was asked for');
  });

  it('that are reserved for Google are not sent again', () => {
    const theirs = { 'aiplatform.googleapis.com/colab_enterprise_entry_service': 'workbench', team: 'x' };
    checkLabels(theirs);
    assert.deepEqual(withOurLabels(theirs, { fingerprint: 'abc' }), {
      team: 'x',
      'notebook-executions': 'abc',
    });
    assert.deepEqual(readLabels(theirs).others, { team: 'x' });
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
