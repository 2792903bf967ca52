import type { JsonObject } from '../../../src/notebook/json';
import { stringifyJson } from '../../../src/notebook/json';
import { readNotebook } from '../../../src/notebook/document';
import type { Notebook } from '../../../src/notebook/model';
import { inspectParameters } from '../../../src/notebook/parameters/inspect';

/** A notebook whose first cell tagged `parameters` has this source, followed by another such cell. */
export function notebook(source: string, metadata: object = {}): Notebook {
  const cells = [
    { cell_type: 'markdown', source: '# x = 1' },
    { cell_type: 'code', source: 'y = 1' },
    { cell_type: 'code', source, metadata: { tags: ['parameters'] } },
    { cell_type: 'code', source: 'z = 1', metadata: { tags: ['parameters'] } },
  ];
  return readNotebook(Buffer.from(JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells })))
    .notebook;
}

/** All facts about the parameters, as one comparable text each. */
export function inspect(source: string, metadata?: object): string[] {
  return inspectParameters(notebook(source, metadata)).parameters.map((parameter) =>
    stringifyJson(parameter as unknown as JsonObject, { nonFinite: 'bare' }),
  );
}
