import { AnsiUp } from 'ansi_up';
import { TerminalText } from '../recording/terminal-text';
import { escapeHtml } from './html';

/**
 * Text of a terminal as HTML: colours become classes such as `ansi-red-fg`, carriage returns and backspaces overwrite,
 * other escape sequences are dropped.
 */
export function ansiToHtml(text: string): string {
  let shown = text;
  if (text.includes('\r') || text.includes('\b')) {
    const terminal = new TerminalText();
    terminal.append(text.replaceAll('\r\n', '\n'));
    shown = terminal.toString();
  }
  if (!shown.includes('\x1b')) return escapeHtml(shown);
  const converter = new AnsiUp();
  converter.use_classes = true;
  return converter.ansi_to_html(shown);
}
