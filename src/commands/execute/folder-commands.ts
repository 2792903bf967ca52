import * as path from 'node:path';
import * as vscode from 'vscode';
import { oneLine } from '../../wording/text';
import type { CommandMap } from '../command-map';
import type { ExecuteCommands } from './execute-commands';
import { Problem } from '../../wording/problem';
import { assertTrusted } from '../submission/submitter';
import { notebooksIn } from './workspace-notebooks';

/** Execute Whole Folder Remotely: all notebooks of a folder. */
export function folderCommands(
  execute: ExecuteCommands,
): Pick<CommandMap, 'notebookExecutions.executeFolder'> {
  return {
    'notebookExecutions.executeFolder': async (folders) => {
      assertTrusted();
      const chosen = folders.length > 0 ? folders : await askFolder();
      const found = await Promise.all(chosen.map(notebooksIn));
      const notebooks = [...new Map(found.flat().map((uri) => [uri.toString(), uri])).values()];
      if (chosen.length > 0 && notebooks.length === 0) {
        throw new Problem(
          vscode.l10n.t(
            'There is no notebook in {0}.',
            chosen.map(({ path: file }) => oneLine(path.posix.basename(file))).join(', '),
          ),
        );
      }
      return execute.executeMany(notebooks);
    },
  };
}

async function askFolder(): Promise<vscode.Uri[]> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 1) return folders.map(({ uri }) => uri);

  const chosen = await vscode.window.showWorkspaceFolderPick();
  return chosen === undefined ? [] : [chosen.uri];
}
