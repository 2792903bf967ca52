import * as assert from 'node:assert/strict';
import { TerminalText } from '../../../src/recording/terminal-text';

function shown(...chunks: string[]): string {
  const text = new TerminalText();
  for (const chunk of chunks) text.append(chunk);
  const lines = JSON.parse(`[${Buffer.concat(text.jsonLines()).toString()}]`) as string[];
  assert.equal(lines.join(''), text.toString());
  return text.toString();
}

describe('text of a stream, as a terminal shows it', () => {
  const cases: readonly [name: string, chunks: readonly string[], expected: string][] = [
    ['chunks are joined', ['a', 'b\nc', 'd'], 'ab\ncd'],
    ['a carriage return goes back to the start of the line', ['10%\r20%\r30%'], '30%'],
    ['text longer than its replacement stays', ['abcdef\rXY'], 'XYcdef'],
    ['only the last line is replaced', ['one\ntwo\rTWO\nthree'], 'one\nTWO\nthree'],
    ['a carriage return waits for the next chunk', ['50%\r', '60%'], '60%'],
    ['a carriage return at the end replaces nothing', ['50%\r'], '50%'],
    ['a line feed ends the whole line wherever the cursor is', ['abc\rX\nd'], 'Xbc\nd'],
    ['\\r\\n ends a line', ['a\r\nb\r\n'], 'a\nb\n'],
    ['\\r\\n may come in two chunks', ['a\r', '\nb'], 'a\nb'],
    ['a backspace goes one character back', ['abc\b\bX'], 'aXc'],
    ['a backspace stops at the start of the line', ['a\nb\b\b\bX'], 'a\nX'],
    ['a spinner turns', ['|', '\b/', '\b-', '\b\\'], '\\'],
    ['after going back, writing continues to the end', ['abc\rABCDEF', 'G'], 'ABCDEFG'],
    ['characters of several units are one', ['😀b\rX'], 'Xb'],
    ['combining marks stay with their letter', ['e\u0301b\rX'], 'Xb'],
    ['joined emoji are one', ['👩\u200d💻b\b\bX'], 'Xb'],
    [
      'colours without \\r come through as they are',
      ['\x1b[31mred\x1b[0m plain\n'],
      '\x1b[31mred\x1b[0m plain\n',
    ],
    ['replaced characters lose their colour', ['\x1b[31mred\x1b[0m\rRED'], 'RED'],
    ['others keep it', ['\x1b[31mred\x1b[0m\rR'], 'R\x1b[31med\x1b[0m'],
    ['a colour continues into the replacing text', ['ab\r\x1b[32mX'], '\x1b[32mX\x1b[0mb\x1b[32m'],
    ['a colour continues after the line', ['ab\r\x1b[32mXY\nZ'], '\x1b[32mXY\nZ'],
    ['erasing to the end of the line', ['abcdef\r\x1b[KXY'], 'XY'],
    ['other sequences are kept', ['a\x1b[1Ab\x1b[2K'], 'a\x1b[1Ab\x1b[2K'],
    ['a sequence is removed with the replaced character', ['a\x1b[1Ab\rX'], 'Xb'],
    [
      'a sequence may come in pieces',
      ['ab\r\x1b]8;;', 'x'.repeat(4000), '\x07c', '\rX'],
      `\x1b]8;;${'x'.repeat(4000)}\x07Xb`,
    ],
    [
      'a sequence longer than 4096 characters is treated as text',
      ['ab\r\x1b]8;;', 'x'.repeat(4100), '\rX'],
      `X]8;;${'x'.repeat(4100)}`,
    ],
  ];
  for (const [name, chunks, expected] of cases) {
    it(name, () => {
      assert.equal(shown(...chunks), expected);
    });
  }

  for (const [name, line] of [
    ['as it is', 'x'],
    ['with quotes and backslashes', '"\\n'],
    ['with control characters', '\u0007\t'],
    ['with what is not ASCII', 'é😀\u2028'],
    ['with half a character', '\ud800'],
  ] as const) {
    it(`large texts give the same as small ones, ${name}`, () => {
      const text = `${line.repeat(30)}\n\n`.repeat(10_000);
      assert.equal(shown(text, 'end'), `${text}end`);
    });
  }

  it('is the same however it is cut into chunks', () => {
    const text = 'start\n 1/3 [=  ]\r 2/3 [== ]\r\x1b[32m 3/3\x1b[0m [===]\ndone\b!\r\nend';
    for (let cut = 0; cut <= text.length; cut++)
      assert.equal(shown(text.slice(0, cut), text.slice(cut)), shown(text), `cut at ${cut}`);
  });
});
