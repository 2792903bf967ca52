import * as vscode from 'vscode';
import type { CommandMap } from '../command-map';
import type { ExecuteCommands } from './execute-commands';
import { assertTrusted } from '../submission/submitter';

/** The example notebook of the walkthrough. */
export interface ExampleNotebook {
  /** URI in the extension. */
  readonly source: vscode.Uri;
  /** URI of the user's copy. */
  readonly copy: vscode.Uri;
}

/** Execute the Example Notebook: opens a copy of it and executes it. */
export function exampleCommand(
  execute: ExecuteCommands,
  { source, copy }: ExampleNotebook,
): Pick<CommandMap, 'notebookExecutions.executeExample'> {
  return {
    'notebookExecutions.executeExample': async () => {
      assertTrusted();
      await vscode.workspace.fs.copy(source, copy, { overwrite: true });
      await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(copy));
      return execute.submitter.once(copy, () => execute.execute(copy));
    },
  };
}
