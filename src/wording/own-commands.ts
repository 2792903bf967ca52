import * as vscode from 'vscode';
import type { TrackedExecution } from '../tracking/execution-store';

/** An execution as the argument of a command: its row in the tree, or an object of the same shape. */
export interface ExecutionArgument {
  readonly kind: 'execution';
  readonly tracked: TrackedExecution;
}

/**
 * The commands of this extension that its own buttons, rows and messages run, with the arguments that they pass. The
 * commands must exist: commands/command-map.ts does not compile otherwise.
 */
export interface OwnCommands {
  'notebookExecutions.cancel': [document: vscode.Uri];
  'notebookExecutions.createEnvironment': [];
  'notebookExecutions.editTemplates': [];
  'notebookExecutions.executeExample': [];
  'notebookExecutions.installIpykernel': [];
  'notebookExecutions.loadMore': [row: { readonly kind: 'more'; readonly id: string }];
  /** @param cell index of a cell of the output, counted from 0. */
  'notebookExecutions.openCell': [row: ExecutionArgument, cell: number];
  'notebookExecutions.openCopy': [document: vscode.Uri];
  'notebookExecutions.openFailedCell': [row: ExecutionArgument];
  'notebookExecutions.openNotebook': [row: ExecutionArgument];
  'notebookExecutions.openOutput': [row: ExecutionArgument];
  'notebookExecutions.openSourceCell': [row: ExecutionArgument];
  'notebookExecutions.refresh': [];
  'notebookExecutions.rerun': [document: vscode.Uri];
  'notebookExecutions.restartService': [];
  'notebookExecutions.selectPython': [];
  'notebookExecutions.unmarkParametersCell': [cell: vscode.NotebookCell];
}

/** Runs a command of this extension. Never rejects: the command itself shows its errors. */
export function runCommand<Id extends keyof OwnCommands>(
  id: Id,
  ...args: OwnCommands[Id]
): Thenable<unknown> {
  return vscode.commands.executeCommand(id, ...args);
}

/** A command of this extension for a row, an item or a link. */
export function commandOf<Id extends keyof OwnCommands>(
  title: string,
  command: Id,
  ...args: OwnCommands[Id]
): vscode.Command {
  return { title, command, arguments: args };
}
