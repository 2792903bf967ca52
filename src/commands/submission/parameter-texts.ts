import * as path from 'node:path';
import * as vscode from 'vscode';
import type { JsonObject } from '../../notebook/json';
import { ParametersError } from '../../notebook/parameters/errors';
import { parseParameters } from '../../notebook/parameters/parse';
import { oneLine } from '../../views/text';
import { Problem, type Remedy } from '../problems/problem';

/**
 * Reads parameters.
 * @param what names the text in the person's sentence: "The parameters of the template".
 * @throws Problem that says what is wrong with them.
 */
export function readParametersText(text: string, what: string, remedies: readonly Remedy[] = []): JsonObject {
  try {
    return parseParameters(text);
  } catch (error) {
    if (error instanceof ParametersError) {
      throw new Problem(oneLine(sentenceOf(error, what), 1000), remedies, { cause: error });
    }
    throw error;
  }
}

/** Asks for a YAML file and reads it. Undefined where none was chosen. */
export async function loadParametersFile(): Promise<JsonObject | undefined> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Load Parameters'),
      openLabel: vscode.l10n.t('Load'),
      filters: { [vscode.l10n.t('Parameters')]: ['yaml', 'yml', 'json'] },
    })) ?? [];
  if (file === undefined) {
    return undefined;
  }
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  return readParametersText(text, path.posix.basename(file.path));
}

function sentenceOf(error: ParametersError, what: string): string {
  const { args } = error;
  switch (error.code) {
    case 'yamlInvalid':
      return vscode.l10n.t(
        '{0}: not valid YAML at line {1}, column {2}. {3}',
        what,
        args['line'] ?? '',
        args['column'] ?? '',
        args['detail'] ?? '',
      );
    case 'notMapping':
      return vscode.l10n.t('{0}: must be a mapping of names to values, such as “alpha: 0.5”.', what);
    case 'keyInvalid':
      return vscode.l10n.t('{0}: a name must be plain text, not a list or mapping.', what);
    case 'nameInvalid':
      return vscode.l10n.t(
        '{0}: “{1}” is not a name in {2}.',
        what,
        args['name'] ?? '',
        args['language'] ?? '',
      );
    case 'languageUnsupported':
      return vscode.l10n.t(
        '{0}: parameters cannot be set in {1}.',
        what,
        args['language'] ?? args['kernel'] ?? '',
      );
    case 'valueUnsupported':
      return vscode.l10n.t(
        '{0}: the value of “{1}” cannot be written in {2}.',
        what,
        args['name'] ?? '',
        args['language'] ?? '',
      );
  }
}
