import * as vscode from 'vscode';
import { SECRET_PARAMETERS } from '../execution/secret-names';

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

/** What a service is called on the screen. @param id As services of executions are known: `embedded`, `vertex/PROJECT/LOCATION`. */
export function serviceName(id: string): string {
  const [service, project = '', location = ''] = id.split('/');
  switch (service) {
    case 'embedded':
      return vscode.l10n.t('This machine');
    case 'vertex':
      return vscode.l10n.t('Vertex AI, {0}, {1}', project, location);
    case 'notebooks':
      return vscode.l10n.t('Notebooks API, {0}, {1}', project, location);
    default:
      return id;
  }
}

/** The setting: patterns of the names of parameters whose values are not shown. One that cannot be read hides the usual. */
export function secretPatterns(): readonly string[] {
  const setting = vscode.workspace.getConfiguration('notebookExecutions').get<unknown>('secretParameters');
  const isRead = Array.isArray(setting) && setting.every((each) => typeof each === 'string');
  return isRead ? setting : SECRET_PARAMETERS;
}
