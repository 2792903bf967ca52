import * as vscode from 'vscode';

/** The ends of executions that the user is notified about. */
const NOTIFY = ['all', 'failures', 'successes', 'none'] as const;
type Notify = (typeof NOTIFY)[number];

/** Settings for the end of an execution. */
export interface CompletionSettings {
  readonly openOutput: 'always' | 'ask' | 'never';
  readonly notify: Notify;
  /** Shell command to run for each execution that ended; empty for none. */
  readonly endCommand: string;
}

/** Reads the settings. */
export function completionSettings(): CompletionSettings {
  const configuration = vscode.workspace.getConfiguration('notebookExecutions');
  return {
    openOutput: configuration.get<CompletionSettings['openOutput']>('openOutput', 'always'),
    notify: notifySetting(configuration),
    endCommand: configuration.get('endCommand', '').trim(),
  };
}

/** `notify`; where it is not set, the two settings that it replaces. */
function notifySetting(configuration: vscode.WorkspaceConfiguration): Notify {
  const { globalValue, workspaceValue, workspaceFolderValue } =
    configuration.inspect<unknown>('notify') ?? {};
  if ((globalValue ?? workspaceValue ?? workspaceFolderValue) !== undefined) {
    const value = configuration.get<unknown>('notify');
    return NOTIFY.find((each) => each === value) ?? 'all';
  }
  const success = configuration.get<boolean>('notifySuccess', true);
  const failure = configuration.get<boolean>('notifyFailure', true);
  return success ? (failure ? 'all' : 'successes') : failure ? 'failures' : 'none';
}
