import * as vscode from 'vscode';
import { commandOf } from '../../../wording/own-commands';
import { oneLine } from '../../../wording/text';
import type { SetupNode } from '../nodes';
import { tooltipOf } from './tooltip';

type SetupCommand = 'installIpykernel' | 'createEnvironment' | 'selectPython' | 'refresh';

/**
 * Rows of an empty view if the workspace's Python cannot run notebooks: the reason and the actions that fix it.
 * VS Code's welcome texts cannot be used, because they cannot name the Python.
 */
export function setupRows(executable: string): SetupNode[] {
  const why = vscode.l10n.t(
    '{0} cannot run notebooks: the package ipykernel is not installed there.',
    executable,
  );
  const python = new vscode.TreeItem(oneLine(executable));
  python.description = vscode.l10n.t('lacks ipykernel');
  python.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('editorWarning.foreground'));
  python.tooltip = tooltipOf(why);
  python.accessibilityInformation = { label: why };
  const action = (title: string, icon: string, command: SetupCommand): vscode.TreeItem => {
    const item = new vscode.TreeItem(title);
    item.iconPath = new vscode.ThemeIcon(icon);
    item.command = commandOf(title, `notebookExecutions.${command}`);
    item.accessibilityInformation = { label: title, role: 'button' };
    return item;
  };
  return [
    python,
    action(vscode.l10n.t('Install ipykernel'), 'cloud-download', 'installIpykernel'),
    ...(vscode.workspace.workspaceFolders === undefined
      ? []
      : [action(vscode.l10n.t('Create .venv in This Workspace'), 'add', 'createEnvironment')]),
    action(vscode.l10n.t('Select Another Python…'), 'list-selection', 'selectPython'),
    action(vscode.l10n.t('Check Again'), 'refresh', 'refresh'),
  ].map((item): SetupNode => ({ kind: 'setup', item }));
}
