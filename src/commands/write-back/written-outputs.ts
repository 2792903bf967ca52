import * as path from 'node:path';
import * as vscode from 'vscode';
import { readNotebook, writeNotebook } from '../../notebook/document';
import type { TrackedExecution } from '../../tracking/execution-store';
import { readAll } from '../../execution/read-all';
import { oneLine, withoutLinks } from '../../wording/text';
import { captureNotebook } from '../submission/notebook-capture';
import { hashOf } from './notebook-hash';
import { Problem } from '../../wording/problem';

/**
 * Writes the outputs of an execution into the notebook it came from.
 * @param hash of the notebook as it was submitted.
 * @throws Problem where the notebook was edited meanwhile: the person's edits come first.
 */
export async function writeOutputs(
  tracked: TrackedExecution,
  source: vscode.Uri,
  hash: string,
): Promise<void> {
  const { service, execution } = tracked;
  const name = oneLine(path.posix.basename(source.path));
  const document = await service.readOutput(execution);
  if (document === undefined) {
    throw new Problem(vscode.l10n.t('There is no output to write into {0}.', name));
  }
  const output = await readAll(document);
  // Last of all: next to no time is left for edits between this look and the writing.
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
          run: () =>
            vscode.commands.executeCommand('notebookExecutions.openOutput', { kind: 'execution', tracked }),
        },
      ],
    );
  }
  await vscode.workspace.fs.writeFile(source, withOutputs(current, output));
}

/** How long the line in the status bar stays, in milliseconds. */
const LINE_STAYS = 10_000;

/** Says that outputs were written: of one execution by a notification, of each of many by a line in the status bar. */
export function tellWritten(tracked: TrackedExecution, source: vscode.Uri, batch: boolean): void {
  const name = oneLine(path.posix.basename(source.path), 60);
  const message = vscode.l10n.t('The outputs were written into {0}.', name);
  if (batch) {
    // What looks like an icon in a name is a part of it.
    vscode.window.setStatusBarMessage(message.replaceAll('$(', '\\$('), LINE_STAYS);
    return;
  }
  const open = vscode.l10n.t('Open Notebook');
  // Not awaited: the notification may stay for hours.
  void vscode.window.showInformationMessage(withoutLinks(message), open).then(async (chosen) => {
    if (chosen === open) {
      await vscode.commands.executeCommand('notebookExecutions.openNotebook', { kind: 'execution', tracked });
    }
  });
}

/** The source with the outputs and counts of the run; cells that the run put in stay out. */
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
