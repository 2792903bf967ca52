import * as path from 'node:path';
import * as vscode from 'vscode';
import { oneLine, withoutLinks } from '../../wording/text';

/** Shows a file in the Explorer or in the system's file manager; copies its path where there is neither. */
export async function revealFile(uri: vscode.Uri): Promise<void> {
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  if (!inWorkspace && !isDesktop()) {
    await vscode.env.clipboard.writeText(uri.fsPath);
    void vscode.window.showInformationMessage(
      withoutLinks(vscode.l10n.t('The path of {0} was copied.', oneLine(path.basename(uri.fsPath)))),
    );
    return;
  }
  await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
}

/** Whether files of this machine can be opened with its programs; false in a remote window and in a browser. */
export function isDesktop(): boolean {
  return vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop;
}
