import { isJsonObject, type JsonObject, jsonKeys, type JsonValue } from '../notebook/json';
import { type Cell, type CodeCell, type Notebook, type TextCell } from '../notebook/model';
import { CHART_POLICY, CHART_SCRIPT } from './charts';
import { highlight } from './highlight';
import { escapeHtml } from './html';
import { markdownToHtml } from './markdown';
import { type Mask, maskOf } from './mask';
import type { ReportOptions } from './options';
import { outputToHtml } from './outputs';
import { STYLE } from './style';

/** Nothing is loaded from elsewhere: styles and images are part of the file. */
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
const POLICY_WITH_CHARTS = `default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; ${CHART_POLICY}`;

/**
 * An output notebook as one HTML file that needs nothing else, in pieces, a cell each. Whatever the notebook contains,
 * nothing of it runs; with `interactive`, the scripts of charts do, each in a frame of its own.
 */
export function* renderReport(notebook: Notebook, options: ReportOptions): Generator<string> {
  const { interactive, language } = options;
  const mask = maskOf(options.secrets);
  const title = escapeHtml(mask(options.title));
  yield `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${interactive ? POLICY_WITH_CHARTS : POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p>${options.facts.map((fact) => escapeHtml(mask(fact))).join(' · ')}</p>
</header>
`;
  const codeLanguage = languageOf(notebook);
  for (const cell of notebook.cells) yield cellToHtml(cell, codeLanguage, options, mask);
  yield `</main>
${interactive ? CHART_SCRIPT : ''}
</body>
</html>
`;
}

function cellToHtml(cell: Cell, language: string, options: ReportOptions, mask: Mask): string {
  switch (cell.cell_type) {
    case 'code':
      return codeCellToHtml(cell, language, options, mask);
    case 'markdown': {
      const images = { attachments: attachmentsOf(cell), left: options.texts.image };
      return `<section class="rich">${markdownToHtml(mask(cell.source), images)}</section>\n`;
    }
    case 'raw':
      return cell.source.trim() === '' ? '' : `<pre class="raw">${escapeHtml(mask(cell.source))}</pre>\n`;
  }
}

function codeCellToHtml(cell: CodeCell, language: string, options: ReportOptions, mask: Mask): string {
  const source =
    options.code && cell.source.trim() !== ''
      ? `<pre class="source"><code>${highlight(mask(cell.source), language)}</code></pre>\n`
      : '';
  const outputs = cell.outputs
    .map((output) => outputToHtml(output, { options, mask }))
    .filter((html) => html !== '')
    .map((html) => `<div class="output">${html}</div>\n`)
    .join('');
  return source + outputs === '' ? '' : `<section class="code">\n${source}${outputs}</section>\n`;
}

/** `data:` URIs of a cell's attachments that are images. */
function attachmentsOf(cell: TextCell): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of jsonKeys(cell.attachments ?? {})) {
    const bundle: JsonValue = cell.attachments?.[name] ?? null;
    if (!isJsonObject(bundle)) continue;
    for (const [mime, content] of Object.entries(bundle))
      if (typeof content === 'string') found.set(name, dataUri(mime, content));
  }
  return found;
}

function dataUri(mime: string, content: string): string {
  // nbformat keeps SVG as text, other images as base64.
  const base64 = content.trimStart().startsWith('<') ? Buffer.from(content).toString('base64') : content;
  return `data:${mime};base64,${base64.replaceAll(/\s/g, '')}`;
}

/** The language of the code cells, as the highlighter names it. */
function languageOf({ metadata }: Notebook): string {
  const { kernelspec, language_info: info } = metadata;
  const name = textAt(info, 'name') ?? textAt(kernelspec, 'language') ?? 'python';
  return { 'c#': 'csharp', 'f#': 'fsharp', pwsh: 'powershell' }[name.toLowerCase()] ?? name.toLowerCase();
}

function textAt(value: JsonValue | undefined, key: keyof JsonObject): string | undefined {
  const text = isJsonObject(value) ? value[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}
