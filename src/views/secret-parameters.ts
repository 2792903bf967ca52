import * as vscode from 'vscode';
import { SECRET_PARAMETERS } from '../execution/secret-names';

/** The setting: patterns of the names of parameters whose values are not shown. One that cannot be read hides the usual. */
export function secretPatterns(): readonly string[] {
  const setting = vscode.workspace.getConfiguration('notebookExecutions').get<unknown>('secretParameters');
  const isRead = Array.isArray(setting) && setting.every((each) => typeof each === 'string');
  return isRead ? setting : SECRET_PARAMETERS;
}
