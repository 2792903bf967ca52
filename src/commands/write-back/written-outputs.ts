import * as path from 'node:path';
import * as vscode from 'vscode';
import { readNotebook, writeNotebook } from '../../notebook/document';
import type { TrackedExecution } from '../../tracking/execution-store';
import { readAll } from '../../execution/read-all';
import { runCommand } from '../../wording/own-commands';
import { oneLine, withoutLinks } from '../../wording/text';
import { captureNotebook } from '../submission/notebook-capture';
import { hashOf } from './notebook-hash';
import { Problem } from '../../wording/problem';

/**
 * Writes the outputs of an execution into its source notebook.
 * @param hash of the notebook at submission.
 * @throws Problem if the notebook was edited since, because the user's edits take precedence.
 */
export async function writeOutputs(
  tracked: TrackedExecution,
  source: vscode.Uri,
  hash: string,
): Promise<void> {
  const { service, execution } = tracked;
  const name = oneLine(path.posix.basename(source.path));
  const document = await service.readOutput(execution);
  if (document === undefined) throw new Problem(vscode.l10n.t('There is no output to write into {0}.', name));
  const output = await readAll(document);
  // Check immediately before writing, so that there is almost no time for edits in between.
  const current = await captureNotebook(source);
  const open = vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === source.toString());
  if (hashOf(current) !== hash || open?.isDirty === true || source.scheme === 'untitled') {
    throw new Problem(
      vscode.l10n.t(
        '{0} has been edited, or was never saved, since it was submitted, so the outputs were not written into it.',
        name,
      ),
      [
        {
          label: vscode.l10n.t('Open Output'),
          run: () => runCommand('notebookExecutions.openOutput', { kind: 'execution', tracked }),
        },
      ],
    );
  }
  await vscode.workspace.fs.writeFile(source, withOutputs(current, output));
}

/** How long the status bar message is shown, in milliseconds. */
const LINE_STAYS = 10_000;

/** Reports that outputs were written: of one execution in a notification, of several in the status bar. */
export function notifyWritten(tracked: TrackedExecution, source: vscode.Uri, batch: boolean): void {
  const name = oneLine(path.posix.basename(source.path), 60);
  const message = vscode.l10n.t('The outputs were written into {0}.', name);
  if (batch) {
    // Escape `$(` in the name, so that it is not shown as an icon.
    vscode.window.setStatusBarMessage(message.replaceAll('$(', '\\$('), LINE_STAYS);
    return;
  }
  const open = vscode.l10n.t('Open Notebook');
  // Not awaited: the notification may stay open for hours.
  void vscode.window.showInformationMessage(withoutLinks(message), open).then(async (chosen) => {
    if (chosen === open) await runCommand('notebookExecutions.openNotebook', { kind: 'execution', tracked });
  });
}

/** The source notebook with the outputs and execution counts of the run, without cells that the run inserted. */
function withOutputs(source: Uint8Array, output: Uint8Array): Uint8Array {
  const { notebook } = readNotebook(source);
  const ran = new Map(readNotebook(output).notebook.cells.map((cell) => [cell.id, cell]));
  for (const cell of notebook.cells) {
    const done = ran.get(cell.id);
    if (cell.cell_type === 'code' && done?.cell_type === 'code') {
      cell.outputs = done.outputs;
      cell.execution_count = done.execution_count;
    }
  }
  return writeNotebook(notebook);
}
