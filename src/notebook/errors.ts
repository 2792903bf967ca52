/** Why bytes are not a notebook that can be run. */
export type NotebookErrorCode = 'emptyFile' | 'notJson' | 'notNotebook' | 'unsupportedFormat' | 'tooLarge';

/**
 * A document that cannot be read. `message` is technical English for logs. `args` by `code`: `notJson`: `line`,
 * `column` (from 1), `position` (UTF-16 units from 0), absent if the bytes are not UTF-8; `notNotebook`: `path`, what
 * is missing or has the wrong type (`cells`, `cells[3].source` …); `unsupportedFormat`: `version` (`2.0`, `5.0`);
 * `tooLarge`: `bytes`.
 */
export class NotebookError extends Error {
  override readonly name = 'NotebookError';

  constructor(
    readonly code: NotebookErrorCode,
    message: string,
    readonly args: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** @param path what is missing or has the wrong type; empty for the document itself. */
export function notNotebook(path: string): NotebookError {
  const what = path === '' ? 'the document' : path;
  return new NotebookError('notNotebook', `Not a notebook: ${what} is missing or malformed`, { path });
}
