import * as vscode from 'vscode';

/** Name of the template that is always there, in settings and executions. */
export const BUILT_IN_TEMPLATE = 'This machine';

/** What a template is called on the screen: its name, but for the built-in one, whose name is an identifier. */
export function templateLabel(name: string): string {
  return name === BUILT_IN_TEMPLATE ? vscode.l10n.t('This machine') : name;
}
