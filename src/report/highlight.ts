import { highlighter } from './highlighter.mjs';
import { escapeHtml } from './html';

/** Longer code, in characters, has no colours. */
const MAX_CODE = 100_000;

/** Code as HTML with classes for its syntax (`hljs-…`); without them if the language is not known. */
export function highlight(code: string, language: string): string {
  const known = highlighter.getLanguage(language) !== undefined;
  if (!known || code.length > MAX_CODE) return escapeHtml(code);
  return highlighter.highlight(code, { language, ignoreIllegals: true }).value;
}
