import * as vscode from 'vscode';

/** Name of the template that is always there, in settings and executions. */
export const BUILT_IN_TEMPLATE = 'This machine';

/** True for the template that is chosen first: the one that the setting names, else the built-in one. */
export function isDefaultTemplate(name: string): boolean {
  const setting = vscode.workspace.getConfiguration('notebookExecutions').get<string>('defaultTemplate', '');
  return name === (setting === '' ? BUILT_IN_TEMPLATE : setting);
}

/** What a template is called on the screen: its name, but for the built-in one, whose name is an identifier. */
export function templateLabel(name: string): string {
  return name === BUILT_IN_TEMPLATE ? vscode.l10n.t('This machine') : name;
}
