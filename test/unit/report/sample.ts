import type { JsonObject } from '../../../src/notebook/json';
import type { Cell, CodeCell, Notebook, Output, TextCell } from '../../../src/notebook/model';
import type { ReportOptions } from '../../../src/report/options';
import { renderReport } from '../../../src/report/render-report';

/** A report of cells, with texts that tests can find. */
export function reportOf(cells: readonly Cell[], options: Partial<ReportOptions> = {}): string {
  const notebook: Notebook = { metadata: {}, nbformat: 4, nbformat_minor: 5, cells: [...cells] };
  return [
    ...renderReport(notebook, {
      title: 'sales',
      facts: ['Succeeded'],
      language: 'en',
      code: true,
      interactive: false,
      secrets: [],
      texts: {
        trimmed: (left) => `TRIMMED ${String(left)}`,
        image: (description) => `NO IMAGE ${description}`,
        unsupported: (types) => `UNSUPPORTED ${types}`,
        chart: 'CHART',
        picture: 'PICTURE',
      },
      ...options,
    }),
  ].join('');
}

/** What a report shows between its header and its end. */
export function bodyOf(report: string): string {
  return report.slice(report.indexOf('</header>'), report.lastIndexOf('</main>'));
}

export function code(source: string, ...outputs: Output[]): CodeCell {
  return { cell_type: 'code', id: 'code', metadata: {}, source, outputs, execution_count: 1 };
}

export function markdown(source: string, attachments?: JsonObject): TextCell {
  return {
    ...{ cell_type: 'markdown', id: 'markdown', metadata: {}, source },
    ...(attachments === undefined ? {} : { attachments }),
  };
}

export function data(bundle: JsonObject, metadata: JsonObject = {}): Output {
  return { output_type: 'display_data', data: bundle, metadata };
}

export function stream(text: string, name = 'stdout'): Output {
  return { output_type: 'stream', name, text };
}
