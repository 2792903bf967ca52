import { l10n } from 'vscode';
import { readNotebook, type NotebookReading } from '../../notebook/document';
import { NotebookError } from '../../notebook/errors';
import { oneLine } from '../../views/text';
import { Problem } from '../problems/problem';

/**
 * Reads a notebook before anything is started with it.
 * @throws Problem that says what is wrong with it.
 */
export function checkNotebook(bytes: Uint8Array, name: string): NotebookReading {
  try {
    return readNotebook(bytes);
  } catch (error) {
    if (error instanceof NotebookError) {
      throw new Problem(sentenceOf(error, oneLine(name)), [], { cause: error });
    }
    throw error;
  }
}

function sentenceOf(error: NotebookError, name: string): string {
  const { args } = error;
  switch (error.code) {
    case 'emptyFile':
      return l10n.t('{0} is empty.', name);
    case 'notJson':
      return args['line'] === undefined
        ? l10n.t('{0} is not a notebook: it is not UTF-8 text.', name)
        : l10n.t(
            '{0} is not a notebook: it is not valid JSON at line {1}, column {2}.',
            name,
            args['line'],
            args['column'] ?? '',
          );
    case 'notNotebook':
      return args['path'] === undefined || args['path'] === ''
        ? l10n.t('{0} is JSON, but not a notebook.', name)
        : l10n.t('{0} is JSON, but not a notebook: “{1}” is missing or malformed.', name, args['path']);
    case 'unsupportedFormat':
      return l10n.t(
        '{0} is a notebook of format {1}. Formats 3 and 4 can be executed; open and save it with a current Jupyter to convert it.',
        name,
        args['version'] ?? '',
      );
    case 'tooLarge':
      return l10n.t('{0} is too large: {1} bytes.', name, args['bytes'] ?? '');
  }
}
