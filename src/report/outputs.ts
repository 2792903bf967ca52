import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../notebook/json';
import { type Output } from '../notebook/model';
import { ansiToHtml } from './ansi';
import { chartToHtml, chartParts } from './charts';
import { escapeHtml } from './html';
import { markdownToHtml } from './markdown';
import type { Mask } from './mask';
import { latexToHtml } from './math';
import type { ReportOptions } from './options';
import { type ImageSources, sanitizeHtml } from './sanitize';

/** A longer text, in characters, is shown with its beginning and its end. */
const MAX_TEXT = 500_000;
/** Of HTML and Markdown only the beginning is shown. */
const MAX_MARKUP = 2_000_000;

const NO_ATTACHMENTS: ImageSources['attachments'] = new Map();

/** What is needed to render outputs. */
export interface OutputContext {
  readonly options: Pick<ReportOptions, 'interactive' | 'texts'>;
  readonly mask: Mask;
}

/** An output as HTML. Every text in it is masked and cannot run. */
export function outputToHtml(output: Output, context: OutputContext): string {
  switch (output.output_type) {
    case 'stream':
      return textToHtml(output.text, output.name === 'stderr' ? 'stream stderr' : 'stream', context);
    case 'error': {
      const traceback = output.traceback.join('\n').trim();
      return textToHtml(traceback === '' ? `${output.ename}: ${output.evalue}` : traceback, 'error', context);
    }
    case 'display_data':
    case 'execute_result':
      return bundleToHtml(output.data, output.metadata, context);
  }
}

function textToHtml(text: string, classes: string, { mask, options }: OutputContext): string {
  const [start, end, left] = trimText(text);
  const shown = (part: string): string => ansiToHtml(mask(part));
  const gap = left === 0 ? '' : `<em class="note">${escapeHtml(options.texts.trimmed(left))}</em>\n`;
  return `<pre class="${classes}">${shown(start)}${gap}${shown(end)}</pre>`;
}

/** The beginning and the end of a text, cut between lines where possible, and how many characters are left out. */
function trimText(text: string): [start: string, end: string, left: number] {
  if (text.length <= MAX_TEXT) return [text, '', 0];
  const half = MAX_TEXT / 2;
  const lineEnd = text.lastIndexOf('\n', half) + 1;
  const lineStart = text.indexOf('\n', text.length - half) + 1;
  const start = text.slice(0, lineEnd > 0 ? lineEnd : half);
  const end = text.slice(lineStart > 0 ? lineStart : text.length - half);
  return [start, end, text.length - start.length - end.length];
}

/** The richest type of a bundle that a report can show. */
function bundleToHtml(data: JsonObject, metadata: JsonObject, context: OutputContext): string {
  const { texts, interactive } = context.options;
  const html = textOf(data['text/html']);
  const parts = html === undefined ? undefined : chartParts(html);
  if (interactive && parts !== undefined && html !== undefined) return chartToHtml(context.mask(html), parts);
  // A library that charts need shows nothing by itself.
  if (parts === 'library') return '';
  for (const [mime, render] of RENDERERS) {
    const value = data[mime];
    if (value === undefined) continue;
    const rendered = render(value, { ...context, metadata: metadata[mime] });
    if (rendered !== undefined) return rendered;
  }
  const mimes = Object.keys(data);
  const isChart = parts === 'chart' || mimes.some((mime) => /plotly|vega/.test(mime));
  const text = textOf(data['text/plain']);
  const note = isChart
    ? texts.chart
    : text === undefined
      ? texts.unsupported(mimes.map((mime) => context.mask(mime)).join(', '))
      : undefined;
  return (
    (note === undefined ? '' : `<p class="note">${escapeHtml(note)}</p>`) +
    (text === undefined ? '' : textToHtml(text, 'text', context))
  );
}

type Render = (
  value: JsonValue,
  context: OutputContext & { metadata: JsonValue | undefined },
) => string | undefined;

/** From rich to plain. Undefined: this content cannot be shown. */
const RENDERERS: readonly (readonly [mime: string, render: Render])[] = [
  ['text/html', htmlOutput],
  [
    'text/markdown',
    (value, context) => markup(value, context, (text) => markdownToHtml(text, imagesOf(context))),
  ],
  ['image/svg+xml', svgOutput],
  ['text/latex', (value, context) => markup(value, context, latexToHtml)],
  ...['png', 'jpeg', 'gif', 'webp', 'bmp'].map(
    (type) => [`image/${type}`, imageOutput(`image/${type}`)] as const,
  ),
  ['application/json', jsonOutput],
];

/** Undefined if `render` returns nothing. */
function markup(
  value: JsonValue,
  context: OutputContext,
  render: (text: string) => string,
): string | undefined {
  const text = textOf(value);
  const html = text === undefined ? '' : render(context.mask(text.slice(0, MAX_MARKUP)));
  if (text === undefined || html === '') return undefined;
  const left = text.length - MAX_MARKUP;
  const note = left > 0 ? `<p class="note">${escapeHtml(context.options.texts.trimmed(left))}</p>` : '';
  return `<div class="rich">${html}</div>${note}`;
}

function htmlOutput(value: JsonValue, context: OutputContext): string | undefined {
  return markup(value, context, (text) => {
    const html = sanitizeHtml(text, imagesOf(context));
    // What consists of scripts has nothing to show without them.
    const isShown =
      /<(?:img|hr|table|meter|progress)\b/.test(html) || html.replaceAll(/<[^>]*>/g, '').trim() !== '';
    return isShown ? html : '';
  });
}

function svgOutput(value: JsonValue, { mask, options }: OutputContext): string | undefined {
  const svg = textOf(value);
  if (svg === undefined) return undefined;
  // As an image, a drawing can neither run scripts nor load anything.
  return image('image/svg+xml', Buffer.from(mask(svg)).toString('base64'), '', options.texts.picture);
}

function imageOutput(mime: string): Render {
  return (value, { metadata, options }) => {
    const base64 = textOf(value)?.replaceAll(/\s/g, '');
    if (base64 === undefined || !/^[\w+/=-]+$/.test(base64)) return undefined;
    const size = ['width', 'height'].map((name) => {
      const pixels = isJsonObject(metadata) ? Number(metadata[name]) : NaN;
      return pixels > 0 && Number.isFinite(pixels) ? ` ${name}="${String(pixels)}"` : '';
    });
    return image(mime, base64, size.join(''), options.texts.picture);
  };
}

function image(mime: string, base64: string, attributes: string, description: string): string {
  return `<img src="data:${mime};base64,${base64}" alt="${escapeHtml(description)}"${attributes}>`;
}

function jsonOutput(value: JsonValue, context: OutputContext): string {
  return textToHtml(stringifyJson(value, { indent: 2, nonFinite: 'bare' }), 'text', context);
}

function imagesOf({ options }: OutputContext): ImageSources {
  return { attachments: NO_ATTACHMENTS, left: options.texts.image };
}

/** Texts are strings; a lenient writer may have left an array of lines. */
function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((line) => typeof line === 'string') ? value.join('') : undefined;
}
