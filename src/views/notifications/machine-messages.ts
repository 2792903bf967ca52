import * as vscode from 'vscode';
import type { Disposable } from '../../tracking/clock';
import type { MachineMonitor } from '../../tracking/machine-monitor';
import { runCommand } from '../../wording/own-commands';
import { formatBytes, withoutLinks } from '../../wording/text';

/** Notifies the user about events of this machine's service. */
export function notifyAboutMachine(monitor: MachineMonitor): Disposable[] {
  return [
    monitor.onDidRetain(({ count, bytes }) => {
      const setting = vscode.l10n.t('Open Settings');
      const message =
        count === 1
          ? vscode.l10n.t(
              '1 old execution was deleted to free {0}. Pin executions to keep them.',
              formatBytes(bytes),
            )
          : vscode.l10n.t(
              '{0} old executions were deleted to free {1}. Pin executions to keep them.',
              count,
              formatBytes(bytes),
            );
      void vscode.window.showInformationMessage(withoutLinks(message), setting).then(async (chosen) => {
        if (chosen === setting) {
          await vscode.commands.executeCommand(
            'workbench.action.openSettings',
            'notebookExecutions.retention',
          );
        }
      });
    }),
    monitor.onDidHang(() => {
      const restart = vscode.l10n.t('Restart Service');
      const message = vscode.l10n.t(
        'The execution service of this machine does not answer. Restarting it does not interrupt running executions.',
      );
      void vscode.window.showWarningMessage(message, restart).then(async (chosen) => {
        if (chosen === restart) await runCommand('notebookExecutions.restartService');
      });
    }),
  ];
}
