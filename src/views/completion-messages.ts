import * as vscode from 'vscode';
import type { Execution } from '../execution/execution';
import type { TrackedExecution } from '../tracking/execution-store';
import { durationOf, mayHaveOutput, notebookNameOf } from './execution-facts';
import type { ExplorerView } from './explorer/explorer-view';
import type { OutputDocuments } from './output/output-documents';
import { runEndCommand } from './end-command';
import { explain } from './sentences';
import { presentState } from './state-presentation';
import { formatDuration, oneLine, withoutLinks } from './text';

/** The settings about the end of an execution. */
export interface CompletionSettings {
  readonly openOutput: 'always' | 'ask' | 'never';
  readonly notifySuccess: boolean;
  readonly notifyFailure: boolean;
  /** Shell command to run for each execution that ended; empty: none. */
  readonly endCommand: string;
}

export interface CompletionMessagesOptions {
  readonly documents: Pick<OutputDocuments, 'open'>;
  readonly explorer: Pick<ExplorerView, 'reveal'>;
  readonly settings: () => CompletionSettings;
  readonly describeError: (error: Error) => string;
  readonly log: (line: string) => void;
}

/** More outputs than this are not opened by themselves when they end together. */
const OPENED_TOGETHER = 3;

/** Tells the person that executions have ended, and opens their outputs. */
export class CompletionMessages {
  constructor(private readonly options: CompletionMessagesOptions) {}

  /** Shows what ended together. Resolves when the person has answered or put the messages away. */
  async present(ended: readonly TrackedExecution[]): Promise<void> {
    // A person who cancelled knows.
    const told = ended.filter(({ execution }) => execution.state !== 'CANCELLED');
    const succeeded = told.filter(({ execution }) => execution.state === 'SUCCEEDED');
    const failed = told.filter(({ execution }) => execution.state !== 'SUCCEEDED');
    const { openOutput, notifySuccess, notifyFailure, endCommand } = this.options.settings();
    if (endCommand !== '')
      for (const { execution } of ended) runEndCommand(endCommand, execution, this.options.log);
    const opens = openOutput === 'always' && succeeded.length <= OPENED_TOGETHER;
    const opening = opens ? succeeded.map((tracked) => this.open(tracked, true)) : [];
    const asks = openOutput === 'ask' || (openOutput === 'always' && !opens);
    const good = !opens && (asks || notifySuccess) ? succeeded : [];
    const bad = notifyFailure ? failed : [];
    const [only] = [...good, ...bad];
    const telling =
      only === undefined
        ? undefined
        : good.length + bad.length === 1
          ? this.tellOne(only)
          : this.tellMany(good.length, bad.length);
    await Promise.all([...opening, telling]);
  }

  private async tellOne(tracked: TrackedExecution): Promise<void> {
    const { execution } = tracked;
    const openOutput = vscode.l10n.t('Open Output');
    const show = vscode.l10n.t('Show Execution');
    const buttons = mayHaveOutput(tracked) ? [openOutput, show] : [show];
    const message = withoutLinks(endSentence(execution));
    const chosen =
      execution.state === 'SUCCEEDED'
        ? await vscode.window.showInformationMessage(message, ...buttons)
        : await vscode.window.showErrorMessage(message, ...buttons);
    if (chosen === openOutput) await this.open(tracked, false);
    if (chosen === show) await this.options.explorer.reveal(tracked.key);
  }

  private async tellMany(succeeded: number, failed: number): Promise<void> {
    const show = vscode.l10n.t('Show Executions');
    const message =
      failed === 0
        ? vscode.l10n.t('{0} executions succeeded.', succeeded)
        : succeeded === 0
          ? vscode.l10n.t('{0} executions failed.', failed)
          : vscode.l10n.t(
              '{0} executions ended: {1} succeeded, {2} failed.',
              succeeded + failed,
              succeeded,
              failed,
            );
    const chosen =
      failed === 0
        ? await vscode.window.showInformationMessage(message, show)
        : await vscode.window.showErrorMessage(message, show);
    if (chosen === show) await vscode.commands.executeCommand('notebookExecutions.explorer.focus');
  }

  private async open(tracked: TrackedExecution, background: boolean): Promise<void> {
    try {
      await this.options.documents.open(tracked, { background });
    } catch (error) {
      const reason = error instanceof Error ? this.options.describeError(error) : String(error);
      await vscode.window.showErrorMessage(
        withoutLinks(
          vscode.l10n.t(
            'The output of {0} cannot be opened: {1}',
            oneLine(notebookNameOf(tracked.execution), 60),
            reason,
          ),
        ),
      );
    }
  }
}

/** How an execution ended, as a notification says it. */
export function endSentence(execution: Execution): string {
  const name = oneLine(notebookNameOf(execution), 60);
  const { predicate } = presentState(execution.state);
  const explanation = explain(execution);
  if (explanation !== undefined) return vscode.l10n.t('{0} {1}. {2}', name, predicate, explanation);
  const duration = durationOf(execution, Date.now());
  return duration === undefined
    ? vscode.l10n.t('{0} {1}.', name, predicate)
    : vscode.l10n.t('{0} {1} after {2}.', name, predicate, formatDuration(duration));
}
