import * as vscode from 'vscode';
import type { TrackedExecution } from '../tracking/execution-store';
import type { TrackingService } from '../tracking/tracking-service';
import { notebookNameOf } from './execution-facts';
import { oneLine } from './text';

/**
 * Takes executions out of sight and deletes them after ten seconds, in which a notification offers to undo it. Resolves
 * once the wish is written down, so that it is carried out whatever happens to the window.
 */
export async function deleteWithUndo(
  tracking: TrackingService,
  list: readonly TrackedExecution[],
): Promise<void> {
  const [first] = list;
  if (first === undefined) return;
  const pending = await tracking.deletion.delete(list);
  // Not awaited: the message may stay for longer than the command.
  void offerUndo();

  async function offerUndo(): Promise<void> {
    const undo = vscode.l10n.t('Undo');
    const name = first === undefined ? '' : oneLine(notebookNameOf(first.execution), 60);
    const message =
      list.length === 1
        ? vscode.l10n.t('Deleted the execution of {0}.', name)
        : vscode.l10n.t('Deleted {0} executions.', list.length);
    if ((await vscode.window.showInformationMessage(message, undo)) !== undo) return;
    if (!(await pending.undo()))
      await vscode.window.showWarningMessage(
        vscode.l10n.t('It was too late to undo: the deletion was carried out after ten seconds.'),
      );
  }
}
