import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { trimNotebook, type TrimLimits } from '../../../src/views/output/trim-notebook';

describe('trimNotebook', () => {
  const notice = (bytes: number, mimeType: string | undefined) => `[${String(bytes)} ${mimeType ?? 'text'}]`;
  const limits: TrimLimits = { value: 60, total: 1000 };

  async function trimText(text: string, chunk = 7, within = limits): Promise<string> {
    const bytes = Buffer.from(text);
    const count = Math.ceil(bytes.length / chunk);
    const chunks = Readable.from(
      Array.from({ length: count }, (_, index) => bytes.subarray(index * chunk, (index + 1) * chunk)),
    );
    const parts: Uint8Array[] = [];
    for await (const part of trimNotebook(chunks, notice, within)) parts.push(part);
    return Buffer.concat(parts).toString();
  }
  const notebook = (...outputs: unknown[]) => ({
    cells: [
      {
        cell_type: 'markdown',
        source: ['# '.repeat(100)],
        attachments: { 'a.png': { 'image/png': 'x'.repeat(500) } },
      },
      { cell_type: 'code', source: 's'.repeat(500), metadata: { tags: ['t'.repeat(100)] }, outputs },
    ],
    metadata: { long: 'm'.repeat(500) },
    nbformat: 4,
  });
  const outputsOf = async (...outputs: unknown[]): Promise<unknown[]> => {
    const trimmed = JSON.parse(await trimText(JSON.stringify(notebook(...outputs)))) as {
      cells: { outputs?: unknown[] }[];
    };
    return trimmed.cells[1]?.outputs ?? [];
  };

  it('returns a notebook with small outputs byte for byte', async () => {
    for (const space of [0, 1]) {
      const text = JSON.stringify(
        notebook(
          { output_type: 'stream', name: 'stdout', text: ['a\n', '"b" \\ é 😀\n'] },
          { output_type: 'execute_result', execution_count: 3, metadata: {}, data: { 'text/plain': '1.0' } },
          { output_type: 'display_data', metadata: { w: { n: -0.5e3, b: true, z: null } }, data: {} },
        ),
        undefined,
        space,
      ).replace('-500', '-0.50e3');
      for (const chunk of [1, 7, 100_000]) assert.equal(await trimText(text, chunk), text);
    }
  });

  it('truncates a text and shows how much is missing', async () => {
    const [output] = (await outputsOf({ output_type: 'stream', text: 'x'.repeat(500) })) as [
      { text: string },
    ];
    assert.match(output.text, /^x{50,60}\n\[4\d\d text\]\n$/);
  });

  it('truncates a list of lines', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${String(index)}\n`);
    const [output] = (await outputsOf({ output_type: 'stream', text: lines })) as [{ text: string[] }];
    assert.equal(output.text[0], 'line 0\n');
    assert.match(output.text.join(''), /^(?:line \d\n)+.*\n\[\d+ text\]\n$/);
    assert.ok(output.text.length < 10);
  });

  for (const [what, character] of [
    ['characters of several bytes', '😀'],
    ['escapes', '\\'],
    ['unicode escapes', '\u0001'],
    ['quotes', '"'],
  ] as const) {
    it(`never truncates within ${what}`, async () => {
      for (let shift = 0; shift < 8; shift++) {
        const [output] = (await outputsOf({
          text: `${'a'.repeat(shift)}${character.repeat(100)}`,
        })) as [{ text: string }];
        const pattern = new RegExp(
          `^a{${String(shift)}}(?:${character === '\\' ? '\\\\' : character})+\n\\[`,
          'u',
        );
        assert.match(output.text, pattern);
      }
    });
  }

  it('replaces anything other than text with a line that says so', async () => {
    const [output] = (await outputsOf({
      output_type: 'display_data',
      data: {
        'image/png': 'A'.repeat(500),
        'application/json': { rows: Array.from({ length: 100 }, (_, i) => ({ i })) },
        'text/plain': '<Figure>',
      },
      metadata: {},
    })) as [{ data: Record<string, string> }];
    assert.equal(output.data['text/plain'], '<Figure>');
    assert.equal(output.data['image/png'], undefined);
    assert.match(output.data['text/markdown'] ?? '', /^\[\d+ (?:image\/png|application\/json)\]$/);
  });

  it('truncates the text of an error', async () => {
    const [output] = (await outputsOf({
      output_type: 'error',
      ename: 'E',
      evalue: 'v'.repeat(100),
      traceback: ['t'.repeat(100), 'u'],
    })) as [{ ename: string; evalue: string; traceback: string[] }];
    assert.equal(output.ename, 'E');
    assert.match(output.evalue, /^v+\n\[\d+ text\]\n$/);
    assert.match(output.traceback.join(''), /^t+\n\[\d+ text\]\n$/);
  });

  it('applies the limit to all outputs together', async () => {
    const texts = Array.from({ length: 100 }, (_, index) => ({ text: `${String(index)} ${'y'.repeat(40)}` }));
    const outputs = (await outputsOf(...texts)) as { text: string }[];
    assert.equal(outputs.length, 100);
    assert.ok(outputs[0]?.text.endsWith('y'));
    assert.match(outputs[99]?.text ?? '', /^\[\d+ text\]$/);
    const kept = outputs.filter(({ text }) => text.includes('y'));
    assert.ok(kept.length > 15 && kept.length < 25, String(kept.length));
  });

  it('never changes sources, attachments and metadata', async () => {
    const input = notebook({ text: 'z'.repeat(500) });
    const trimmed = JSON.parse(await trimText(JSON.stringify(input))) as typeof input;
    assert.deepEqual(trimmed.cells[0], input.cells[0]);
    assert.equal(trimmed.cells[1]?.source, input.cells[1]?.source);
    assert.deepEqual(trimmed.metadata, input.metadata);
  });

  it('returns input that is not JSON unchanged', async () => {
    for (const text of ['', 'no notebook', '{"cells": [{"outputs": [{"text": 1}]', ']]}}'])
      assert.equal(await trimText(text), text);
  });
});
