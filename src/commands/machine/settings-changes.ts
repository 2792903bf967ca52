import * as vscode from 'vscode';
import type { CommandRunner } from '../command-runner';
import { machineSettings, type MachineSettings } from './machine-settings';

/** Settings that the embedded service applies while it runs. */
const SERVICE_SETTINGS = [
  'notebookExecutions.maxConcurrentExecutions',
  'notebookExecutions.spareKernel',
  'notebookExecutions.keepAwake',
  'notebookExecutions.retention',
  'notebookExecutions.secretParameters',
];

/** Settings that take effect in the next window. */
const RELOAD_SETTINGS = ['notebookExecutions.dataDirectory', 'notebookExecutions.nodePath'];

/** This machine's service, as far as settings change it. */
export interface ConfigurableService {
  configure(settings: MachineSettings['service']): Promise<unknown>;
}

/** Applies changed settings to this machine's service, or offers to reload the window. */
export function applySettingsChanges(
  service: ConfigurableService,
  runner: CommandRunner,
  log: (line: string) => void,
): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (RELOAD_SETTINGS.some((name) => event.affectsConfiguration(name)))
      void runner.run('settings', offerReload);
    if (SERVICE_SETTINGS.some((name) => event.affectsConfiguration(name))) {
      service.configure(machineSettings().service).catch((error: unknown) => {
        log(`Settings of the service: ${String(error)}`);
      });
    }
  });
}

async function offerReload(): Promise<void> {
  const reload = vscode.l10n.t('Reload Window');
  const message = vscode.l10n.t('The changed setting of Notebook Executions takes effect after a reload.');
  if ((await vscode.window.showInformationMessage(message, reload)) === reload)
    await vscode.commands.executeCommand('workbench.action.reloadWindow');
}
