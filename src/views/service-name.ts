import * as vscode from 'vscode';

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
