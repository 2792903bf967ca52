import assert from 'node:assert/strict';
import {
  escapeMarkdown,
  formatAge,
  formatBytes,
  formatDay,
  formatDuration,
  formatTime,
  oneLine,
  plainText,
  withoutLinks,
} from '../../../src/wording/text';

describe('text from notebooks and services', () => {
  for (const [what, text, shown] of [
    ['lines become one', 'a\nb\r\n\tc', 'a b c'],
    ['line and paragraph separators become spaces, too', 'a\u2028b\u2029c', 'a b c'],
    ['control characters become spaces', 'a\u0000\u0007b', 'a b'],
    ['colours go', '\u001b[1;31mred\u001b[0m', 'red'],
    ['direction overrides are removed', 'abc\u202egpj.exe', 'abcgpj.exe'],
    ['direction isolates are removed', '\u2066a\u2069', 'a'],
    ['right-to-left text is isolated', 'דוח', '\u2068דוח\u2069'],
    ['HTML stays text', '<b>x</b>', '<b>x</b>'],
    ['empty text stays empty', '', ''],
  ] as const) {
    it(what, () => {
      assert.equal(oneLine(text), shown);
    });
  }

  it('is truncated between characters, not within one', () => {
    assert.equal(oneLine('😀'.repeat(10), 4), '😀😀😀…');
    assert.equal(oneLine('x'.repeat(1_000_000), 10), `${'x'.repeat(9)}…`);
    assert.equal(oneLine('exactly 10', 10), 'exactly 10');
  });

  it('creates no link in a notification', () => {
    // Text that VS Code renders as a link in a notification.
    const LINK = /\[[^\]]+\]\([^)]+\)/;
    for (const text of ['[a](command:b)', '[[a](b)](command:c "d")', 'x](y) [a](https://b)', '[a] (b)']) {
      assert.doesNotMatch(withoutLinks(text), LINK);
      assert.equal(withoutLinks(text).replaceAll(' ', ''), text.replaceAll(' ', ''));
    }
  });

  it('may have line breaks in tooltips, but no other control characters', () => {
    assert.equal(plainText('a\r\nb\u001b[31m\u202e\u0007c'), 'a\nb c');
    assert.equal(plainText('x'.repeat(30), 10), `${'x'.repeat(10)}…`);
  });
});

describe('text in Markdown', () => {
  for (const [what, text, escaped] of [
    ['emphasis', '**a** _b_', '\\*\\*a\\*\\* \\_b\\_'],
    ['links', '[a](command:b)', '\\[a\\]\\(command\\:b\\)'],
    ['addresses', 'https://x.y', 'https\\:\\/\\/x\\.y'],
    ['HTML and entities', '<b>&lt;', '\\<b\\>\\&lt\\;'],
    ['icons', '$(trash)', '\\$\\(trash\\)'],
    ['escapes', '\\*', '\\\\\\*'],
    ['lists and headings', '- a\n# b\n1. c', '\\- a  \n\\# b  \n1\\. c'],
    ['code by indent', '    a', '\u00a0\u00a0\u00a0\u00a0a'],
    ['spaces stay spaces', 'a b', 'a b'],
  ] as const) {
    it(what, () => {
      assert.equal(escapeMarkdown(text), escaped);
    });
  }
});

describe('formatDuration', () => {
  for (const [milliseconds, shown] of [
    [-5, '0 ms'],
    [42.4, '42 ms'],
    [840, '0.8 s'],
    [1000, '1 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [187_000, '3 min 07 s'],
    [3_600_000, '1 h'],
    [86_399_999, '23 h 59 min'],
    [97_200_000, '1 d 3 h'],
  ] as const) {
    it(`${String(milliseconds)} ms is ${shown}`, () => {
      assert.equal(formatDuration(milliseconds), shown);
    });
  }
});

describe('formatBytes', () => {
  for (const [bytes, shown] of [
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KB'],
    [20 * 1024 * 1024, '20 MB'],
    [3 * 1024 ** 4, '3072 GB'],
  ] as const) {
    it(`${String(bytes)} is ${shown}`, () => {
      assert.equal(formatBytes(bytes), shown);
    });
  }
});

describe('formatTime', () => {
  const now = new Date(2026, 5, 15, 12).getTime();
  for (const [what, time, shown] of [
    ['today: the time', new Date(2026, 5, 15, 8, 5), '8:05'],
    ['this year: with the day', new Date(2026, 0, 2, 18, 30), '2 Jan, 18:30'],
    ['earlier: with the year', new Date(2025, 0, 2, 18, 30), '2 Jan 2025, 18:30'],
  ] as const) {
    it(what, () => {
      assert.equal(formatTime(time.getTime(), now, 'en-GB').replace(/^0/, ''), shown);
    });
  }
});

describe('formatAge and formatDay', () => {
  const now = new Date(2026, 5, 15, 12).getTime();
  for (const [time, age, day] of [
    [new Date(2026, 5, 15, 11, 59, 30), 'now', 'Today'],
    [new Date(2026, 5, 15, 11, 48), '12m ago', 'Today'],
    [new Date(2026, 5, 15, 1), '11h ago', 'Today'],
    [new Date(2026, 5, 14, 23), 'yesterday', 'Yesterday'],
    [new Date(2026, 5, 12, 23), '3d ago', 'Friday'],
    [new Date(2026, 5, 1), 'June 1', 'June 1'],
    [new Date(2025, 11, 24), 'December 24, 2025', 'December 24, 2025'],
    // The clock is behind.
    [new Date(2026, 5, 15, 12, 5), 'now', 'Today'],
  ] as const) {
    it(`of ${time.toLocaleString('en')} are ${age} and ${day}`, () => {
      assert.equal(formatAge(time.getTime(), now, 'en'), age);
      assert.equal(formatDay(time.getTime(), now, 'en'), day);
    });
  }

  it('of the hours after midnight are in hours, not days', () => {
    const past = new Date(2026, 5, 15, 0, 30).getTime();
    assert.equal(formatAge(new Date(2026, 5, 14, 23).getTime(), past, 'en'), '1h ago');
  });
});
