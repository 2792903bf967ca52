import * as vscode from 'vscode';
import { withoutLinks } from './text';

/** Progress and cancellation of an action with a progress notification. */
export interface ActionProgress {
  /** Shows the current step; empty for none. @param percent of the whole action that this step has added. */
  readonly report: (message: string, percent?: number) => void;
  /** Aborted with a CancellationError when the user cancels. */
  readonly signal: AbortSignal;
}

/** Runs an action with a progress notification that can be cancelled. */
export async function underProgress<T>(
  title: string,
  action: (progress: ActionProgress) => Promise<T>,
): Promise<T> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: withoutLinks(title), cancellable: true },
    async (progress, token) => {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => {
        abort.abort(new vscode.CancellationError());
      });
      const report = (message: string, percent?: number): void => {
        progress.report({ message, ...(percent === undefined ? {} : { increment: percent }) });
      };
      try {
        return await action({ report, signal: abort.signal });
      } finally {
        subscription.dispose();
      }
    },
  );
}
