import * as vscode from 'vscode';
import { SECRET_PARAMETERS } from '../execution/secrets/secret-names';

/** Name of the built-in template in settings and executions. */
export const BUILT_IN_TEMPLATE = 'This machine';

/** True for the default template: the one that the setting names, else the built-in one. */
export function isDefaultTemplate(name: string): boolean {
  const setting = vscode.workspace.getConfiguration('notebookExecutions').get<string>('defaultTemplate', '');
  return name === (setting === '' ? BUILT_IN_TEMPLATE : setting);
}

/** A template's displayed name. The name of the built-in template is an identifier, which is translated. */
export function templateLabel(name: string): string {
  return name === BUILT_IN_TEMPLATE ? vscode.l10n.t('This machine') : name;
}

/** A service's displayed name. @param id of the service: `embedded`, `vertex/PROJECT/LOCATION`. */
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

/** Name patterns of the parameters whose values are masked, from the setting; the defaults if it is invalid. */
export function secretPatterns(): readonly string[] {
  const setting = vscode.workspace.getConfiguration('notebookExecutions').get<unknown>('secretParameters');
  const isRead = Array.isArray(setting) && setting.every((each) => typeof each === 'string');
  return isRead ? setting : SECRET_PARAMETERS;
}
