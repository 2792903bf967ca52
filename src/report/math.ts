import temml from 'temml';
import { escapeHtml } from './html';

/** A longer formula, in characters, is shown as text. */
const MAX_FORMULA = 20_000;

/** A formula in TeX as MathML, which browsers show without a font or script of ours. Never throws. */
export function mathToHtml(tex: string, displayMode: boolean): string {
  if (tex.length <= MAX_FORMULA) {
    try {
      return temml.renderToString(tex, { displayMode, throwOnError: true, trust: false, maxExpand: 1000 });
    } catch {
      // Not a formula, or one that is not supported: it is shown as it is written.
    }
  }
  return `<code class="tex">${escapeHtml(tex)}</code>`;
}

/** A result of type `text/latex`, with or without delimiters. */
export function latexToHtml(text: string): string {
  const trimmed = text.trim();
  const [, display = ''] = /^\$\$([^]*)\$\$$/.exec(trimmed) ?? /^\\\[([^]*)\\\]$/.exec(trimmed) ?? [];
  if (display !== '') return mathToHtml(display, true);
  const [, inline = trimmed] = /^\$([^]*)\$$/.exec(trimmed) ?? [];
  return mathToHtml(inline, true);
}
