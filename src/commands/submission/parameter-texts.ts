import * as path from 'node:path';
import * as vscode from 'vscode';
import { ParametersError } from '../../notebook/parameters/errors';
import { parseWithWords, type ParametersReading } from '../../notebook/parameters/parse';
import { parametersSentence } from '../../wording/input-sentences';
import { oneLine } from '../../wording/text';
import { Problem, type Remedy } from '../../wording/problem';

/**
 * Parses parameters.
 * @param what names the text in the error: "The parameters of the template".
 * @throws Problem if they are invalid.
 */
export function readParametersText(
  text: string,
  what: string,
  remedies: readonly Remedy[] = [],
): ParametersReading {
  try {
    return parseWithWords(text);
  } catch (error) {
    if (error instanceof ParametersError) {
      const sentence = vscode.l10n.t('{0}: {1}', what, parametersSentence(error.code, error.args));
      throw new Problem(oneLine(sentence, 1000), remedies, { cause: error });
    }
    throw error;
  }
}

/** Asks for a YAML file and parses it. Undefined if the user cancelled. */
export async function loadParametersFile(): Promise<ParametersReading | undefined> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Load Parameters'),
      openLabel: vscode.l10n.t('Load'),
      filters: { [vscode.l10n.t('Parameters')]: ['yaml', 'yml', 'json'] },
    })) ?? [];
  if (file === undefined) return undefined;
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  return readParametersText(text, path.posix.basename(file.path));
}
