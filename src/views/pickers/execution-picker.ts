import * as vscode from 'vscode';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf, startOf } from '../../wording/execution-facts';
import { explain } from '../../wording/end-sentences';
import { presentState } from '../../wording/state-presentation';
import { templateLabel } from '../../wording/names';
import { formatTime, oneLine } from '../../wording/text';
import { label } from '../../wording/text';

interface Item extends vscode.QuickPickItem {
  readonly tracked: TrackedExecution;
}

/** Asks the user to choose executions, newest first. Returns none if the user closed the picker. */
export async function pickExecutions(
  title: string,
  executions: readonly TrackedExecution[],
  many: boolean,
): Promise<readonly TrackedExecution[]> {
  const now = Date.now();
  const items = [...executions]
    .sort((a, b) => (startOf(b.execution) ?? 0) - (startOf(a.execution) ?? 0))
    .map((tracked): Item => {
      const { execution } = tracked;
      const start = startOf(execution);
      const { icon, label: state } = presentState(execution.state);
      const explanation = explain(execution);
      return {
        tracked,
        iconPath: icon,
        label: label(notebookNameOf(execution)),
        description: [
          state,
          start === undefined ? '' : formatTime(start, now, vscode.env.language),
          oneLine(templateLabel(execution.runOptions?.templateName ?? '')),
        ]
          .filter((part) => part !== '')
          .join(' · '),
        ...(explanation === undefined ? {} : { detail: label(explanation, 300) }),
      };
    });
  const options = { title, placeHolder: vscode.l10n.t('Choose an execution'), matchOnDescription: true };
  if (many) {
    const chosen = await vscode.window.showQuickPick(items, { ...options, canPickMany: true });
    return chosen?.map(({ tracked }) => tracked) ?? [];
  }
  const chosen = await vscode.window.showQuickPick(items, options);
  return chosen === undefined ? [] : [chosen.tracked];
}
