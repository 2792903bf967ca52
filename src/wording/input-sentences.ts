import { l10n } from 'vscode';
import type { NotebookErrorCode } from '../notebook/errors';
import type { ParametersErrorCode } from '../notebook/parameters/errors';
import { formatBytes } from './text';

/*
 * Sentences for the error codes of notebooks and parameters. The codes come from the editor's own checks, from the
 * services and from the runner.
 */

type Args = Readonly<Record<string, string>>;

const NOTEBOOK: Readonly<Record<NotebookErrorCode, (name: string, args: Args) => string>> = {
  emptyFile: (name) => l10n.t('{0} is empty.', name),
  notJson: (name, { line, column = '' }) =>
    line === undefined
      ? l10n.t('{0} is not a notebook: it is not UTF-8 text.', name)
      : l10n.t('{0} is not a notebook: it is not valid JSON at line {1}, column {2}.', name, line, column),
  notNotebook: (name, { path = '' }) =>
    path === ''
      ? l10n.t('{0} is JSON, but not a notebook.', name)
      : l10n.t('{0} is JSON, but not a notebook: “{1}” is missing or malformed.', name, path),
  unsupportedFormat: (name, { version = '' }) =>
    l10n.t(
      '{0} is a notebook of format {1}. Formats 3 and 4 can be executed; open and save it with a current Jupyter to convert it.',
      name,
      version,
    ),
  tooLarge: (name, { bytes }) => l10n.t('{0} is too large: {1}.', name, formatBytes(Number(bytes))),
};

const PARAMETERS: Readonly<Record<ParametersErrorCode, (args: Args) => string>> = {
  yamlInvalid: ({ line = '', column = '', detail = '' }) =>
    l10n.t('Not valid YAML at line {0}, column {1}. {2}', line, column, detail),
  notMapping: () => l10n.t('Must be a mapping of names to values, such as “alpha: 0.5”.'),
  keyInvalid: () => l10n.t('A name must be plain text, not a list or mapping.'),
  nameInvalid: ({ name = '', language = '' }) => l10n.t('“{0}” is not a name in {1}.', name, language),
  languageUnsupported: ({ language, kernel = '' }) =>
    l10n.t('Parameters cannot be set in {0}.', language ?? kernel),
  valueUnsupported: ({ name = '', language = '' }) =>
    l10n.t('The value of “{0}” cannot be written in {1}.', name, language),
  tooLarge: ({ bytes, limit }) =>
    l10n.t(
      'They are too large: {0}. At most {1} can be given; larger data belongs in a file that the notebook reads.',
      formatBytes(Number(bytes)),
      formatBytes(Number(limit)),
    ),
  tooSlow: ({ seconds = '' }) =>
    l10n.t(
      'Reading them took more than {0} seconds. Larger data belongs in a file that the notebook reads.',
      seconds,
    ),
};

/** The sentence for the code of a NotebookError; undefined for other codes. @param name of the notebook. */
export function notebookSentence(code: NotebookErrorCode, name: string, args?: Args): string;
export function notebookSentence(code: string, name: string, args?: Args): string | undefined;
export function notebookSentence(code: string, name: string, args: Args = {}): string | undefined {
  return isKeyOf(NOTEBOOK, code) ? NOTEBOOK[code](name, args) : undefined;
}

/** The sentence for the code of a ParametersError; undefined for other codes. */
export function parametersSentence(code: ParametersErrorCode, args?: Args): string;
export function parametersSentence(code: string, args?: Args): string | undefined;
export function parametersSentence(code: string, args: Args = {}): string | undefined {
  return isKeyOf(PARAMETERS, code) ? PARAMETERS[code](args) : undefined;
}

function isKeyOf<T extends object>(object: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(object, key);
}
