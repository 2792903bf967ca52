import MarkdownIt from 'markdown-it';
import { highlight } from './highlight';
import { escapeHtml, PLACE_END, PLACE_START, withoutPlaces } from './html';
import { mathToHtml } from './math';
import { type ImageSources, sanitizeHtml } from './sanitize';

/** `$$…$$` or `$…$`. Neither a price such as $5 nor `$ x $` is a formula. */
const INLINE = /\$\$((?:[^$\\]|\\[^])+)\$\$|\$(?!\s)((?:[^$\\]|\\[^])*?(?:[^$\s\\]|\\[^]))\$(?!\d)/y;
const BLOCK = /^\$\$([^]*?)\$\$[ \t]*$|^\\begin\{(\w+\*?)\}[^]*?\\end\{\2\}[ \t]*$/my;
/** Longest formula, in characters, that begins a block. */
const MAX_BLOCK = 20_000;
const PLACE = new RegExp(`${PLACE_START}(\\d+)${PLACE_END}`, 'g');

const parser = new MarkdownIt({
  html: true,
  linkify: true,
  highlight: (code, language) => highlight(code, language.toLowerCase()),
});
// Sanitising decides about images; markdown-it would not accept `data:image/svg+xml` and keeps the others anyway.
parser.validateLink = () => true;

parser.inline.ruler.before('escape', 'math', (state, silent) => {
  if (state.src[state.pos] !== '$') return false;
  INLINE.lastIndex = state.pos;
  const found = INLINE.exec(state.src);
  if (found === null) return false;
  if (!silent) {
    const token = state.push('math', '', 0);
    token.content = found[1] ?? found[2] ?? '';
    token.block = found[1] !== undefined;
  }
  state.pos += found[0].length;
  return true;
});

parser.block.ruler.before(
  'fence',
  'math',
  (state, startLine, endLine, silent) => {
    const start = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
    const end = state.eMarks[endLine - 1] ?? state.src.length;
    if (!/^(?:\$\$|\\begin\{)/.test(state.src.slice(start, start + 8))) return false;
    BLOCK.lastIndex = 0;
    const found = BLOCK.exec(state.src.slice(start, Math.min(end, start + MAX_BLOCK)));
    if (found === null) return false;
    if (silent) return true;
    const token = state.push('math', '', 0);
    token.content = found[1] ?? found[0];
    token.block = true;
    state.line = startLine + found[0].split('\n').length;
    return true;
  },
  { alt: ['paragraph', 'reference', 'blockquote', 'list'] },
);

parser.renderer.rules['math'] = (tokens, index, _options, env) => {
  const token = tokens[index];
  if (token === undefined) return '';
  // Put in after sanitising, which would remove MathML.
  const formulas = env?.['formulas'] as string[];
  formulas.push(mathToHtml(token.content, token.block));
  return `${PLACE_START}${String(formulas.length - 1)}${PLACE_END}`;
};

/** Markdown as Jupyter understands it (tables, HTML, formulas in TeX), sanitised. */
export function markdownToHtml(text: string, images: ImageSources): string {
  const formulas: string[] = [];
  let html: string;
  try {
    html = parser.render(withoutPlaces(text), { formulas });
  } catch {
    // An overflow of the stack by deeply nested Markdown.
    return `<pre>${escapeHtml(text)}</pre>`;
  }
  return sanitizeHtml(html, images).replace(PLACE, (_place, index: string) => formulas[Number(index)] ?? '');
}
