/** Notebooks for the benchmark, generated so that every run uses the same ones. */

/** A notebook of code cells for the kernelspec `python3`, nbformat 4.5. */
export function notebook(sources: readonly string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' },
      language_info: { name: 'python' },
    },
    cells: sources.map((source, index) => ({
      cell_type: 'code',
      id: `cell-${String(index)}`,
      metadata: {},
      execution_count: null,
      outputs: [],
      source,
    })),
  });
}

/** Sources of `count` cells that each print one short line; the last line is `cell <count - 1>`. */
export function printingSources(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `print('cell', ${String(index)})`);
}

/** `count` cells that each print 10 KB. */
export function tenKilobyteSources(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `print('x' * 10_000)\nprint('cell', ${String(index)})`);
}

/** 20 MB of stdout in 200,000 writes of 100 bytes, from one cell. */
export function manySmallWrites(): string[] {
  return ["import sys\nfor i in range(200_000):\n    sys.stdout.write('x' * 99 + '\\n')\nprint('cell', 0)"];
}

/** 50 cells that each show a PNG of 200 KB (a valid signature; the bytes after it are noise). */
export function imageSources(): string[] {
  const cell = (index: number): string =>
    [
      'import os',
      'from IPython.display import Image, display',
      "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(200_000), format='png', width=10, height=10))",
      `print('cell', ${String(index)})`,
    ].join('\n');
  return Array.from({ length: 50 }, (_, index) => cell(index));
}

interface WrittenCell {
  cell_type: string;
  outputs?: {
    output_type: string;
    name?: string;
    text?: string | string[];
    data?: Record<string, unknown>;
  }[];
}

/**
 * Throws unless the written notebook contains the outputs of the cells.
 * @param text The output notebook's JSON.
 * @param expected Code cells, bytes of stdout (at least) and PNG outputs.
 */
export function checkOutput(
  text: string,
  expected: { cells: number; stdoutBytes: number; images: number },
): void {
  const { cells } = JSON.parse(text) as { cells: WrittenCell[] };
  const code = cells.filter((cell) => cell.cell_type === 'code');
  const outputs = code.flatMap((cell) => cell.outputs ?? []);
  const stdout = outputs
    .filter((output) => output.output_type === 'stream' && output.name === 'stdout')
    .map((output) => (Array.isArray(output.text) ? output.text.join('') : (output.text ?? '')))
    .join('');
  const pngs = outputs.filter((output) => output.data?.['image/png'] !== undefined).length;
  const last = `cell ${String(expected.cells - 1)}`;
  if (
    code.length !== expected.cells ||
    stdout.length < expected.stdoutBytes ||
    !stdout.trimEnd().endsWith(last) ||
    pngs !== expected.images
  ) {
    throw new Error(
      `The output is not what the cells make: ${String(code.length)} cells, ${String(stdout.length)} bytes of stdout ` +
        `ending in ${JSON.stringify(stdout.slice(-30))}, ${String(pngs)} images.`,
    );
  }
}
