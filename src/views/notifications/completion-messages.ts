import * as vscode from 'vscode';
import type { Execution } from '../../execution/execution';
import type { EndedTogether } from '../../tracking/completion-notifier';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { EditorInUse } from '../editor-in-use';
import { capabilitiesOf, durationOf, mayHaveOutput, notebookNameOf } from '../../wording/execution-facts';
import type { ExplorerView } from '../explorer/explorer-view';
import type { OutputDocuments } from '../output/output-documents';
import type { CompletionSettings } from './completion-settings';
import { runEndCommand } from './end-command';
import { explain } from '../../wording/end-sentences';
import { runCommand } from '../../wording/own-commands';
import { problemOf } from '../../wording/problem-sentences';
import { presentState } from '../../wording/state-presentation';
import { formatDuration, oneLine, withoutLinks } from '../../wording/text';

export interface CompletionMessagesOptions {
  readonly documents: Pick<OutputDocuments, 'open'>;
  readonly explorer: Pick<ExplorerView, 'reveal'>;
  readonly editor: Pick<EditorInUse, 'givesWayTo'>;
  readonly settings: () => CompletionSettings;
  readonly log: (line: string) => void;
}

/** How many names a notification lists at most. */
const MOST_NAMES = 5;

/** Notifies the user about finished executions, and opens an output if that does not interrupt editing. */
export class CompletionMessages {
  constructor(private readonly options: CompletionMessagesOptions) {}

  /** Notifies about executions that ended together. Resolves when the user has responded or closed the messages. */
  async present({ executions, batch }: EndedTogether): Promise<void> {
    // A user who cancelled an execution needs no notification.
    const told = executions.filter(({ execution }) => execution.state !== 'CANCELLED');
    const succeeded = told.filter(({ execution }) => execution.state === 'SUCCEEDED');
    const failed = told.filter(({ execution }) => execution.state !== 'SUCCEEDED');
    const { openOutput, notify, endCommand } = this.options.settings();
    if (endCommand !== '')
      for (const { execution } of executions) runEndCommand(endCommand, execution, this.options.log);
    const bad = notify === 'all' || notify === 'failures' ? failed : [];
    const [first, second] = succeeded;
    if (openOutput === 'always' && !batch && first !== undefined && second === undefined) {
      await Promise.all([this.openByItself(first), this.notify([], bad)]);
      return;
    }
    const good = openOutput !== 'never' || notify === 'all' || notify === 'successes' ? succeeded : [];
    await this.notify(good, bad);
  }

  private async notify(
    succeeded: readonly TrackedExecution[],
    failed: readonly TrackedExecution[],
  ): Promise<void> {
    const [only, ...others] = [...succeeded, ...failed];
    if (only === undefined) return;
    await (others.length === 0 ? this.notifyOne(only) : this.notifyMany(succeeded.length, failed));
  }

  private async notifyOne(tracked: TrackedExecution): Promise<void> {
    const { execution } = tracked;
    const openOutput = vscode.l10n.t('Open Output');
    const goToSource = vscode.l10n.t('Go to Source Cell');
    const openNotebook = vscode.l10n.t('Open Notebook');
    const show = vscode.l10n.t('Show Execution');
    const capabilities = capabilitiesOf(tracked);
    const source = capabilities.includes('failedCell')
      ? [goToSource]
      : capabilities.includes('hasSource')
        ? [openNotebook]
        : [];
    const buttons = [
      ...(mayHaveOutput(tracked) ? [openOutput] : []),
      ...(execution.state === 'SUCCEEDED' ? [] : source),
      show,
    ];
    const message = withoutLinks(endSentence(execution));
    const chosen =
      execution.state === 'SUCCEEDED'
        ? await vscode.window.showInformationMessage(message, ...buttons)
        : await vscode.window.showErrorMessage(message, ...buttons);
    const node = { kind: 'execution', tracked } as const;
    if (chosen === openOutput) await this.open(tracked);
    if (chosen === goToSource) await runCommand('notebookExecutions.openSourceCell', node);
    if (chosen === openNotebook) await runCommand('notebookExecutions.openNotebook', node);
    if (chosen === show) await this.options.explorer.reveal(tracked.key);
  }

  private async notifyMany(succeeded: number, failed: readonly TrackedExecution[]): Promise<void> {
    const showFailed = vscode.l10n.t('Show Failed…');
    const show = vscode.l10n.t('Show Executions');
    const names = failed.map(({ execution }) => oneLine(notebookNameOf(execution), 40));
    const listed = [...names.slice(0, MOST_NAMES), ...(names.length > MOST_NAMES ? ['…'] : [])].join(', ');
    const message =
      failed.length === 0
        ? vscode.l10n.t('{0} executions succeeded.', succeeded)
        : succeeded === 0
          ? vscode.l10n.t('{0} executions failed: {1}.', failed.length, listed)
          : vscode.l10n.t(
              '{0} executions ended: {1} succeeded, {2} failed: {3}.',
              succeeded + failed.length,
              succeeded,
              failed.length,
              listed,
            );
    const chosen =
      failed.length === 0
        ? await vscode.window.showInformationMessage(withoutLinks(message), show)
        : await vscode.window.showErrorMessage(withoutLinks(message), showFailed, show);
    if (chosen === show) await vscode.commands.executeCommand('notebookExecutions.explorer.focus');
    if (chosen === showFailed) {
      const { pickExecutions } = await import('../pickers/execution-picker');
      const [picked] = await pickExecutions(vscode.l10n.t('Failed Executions'), failed, false);
      if (picked !== undefined) await this.open(picked);
    }
  }

  /** Opens an output without a request of the user. If the user is editing, offers it in a notification instead. */
  private async openByItself(tracked: TrackedExecution): Promise<void> {
    const editor = { inUse: false };
    await this.open(tracked, () => {
      editor.inUse = !this.options.editor.givesWayTo(tracked.execution);
      return !editor.inUse;
    });
    if (editor.inUse) await this.notify([tracked], []);
  }

  private async open(tracked: TrackedExecution, mayShow?: () => boolean): Promise<void> {
    try {
      await this.options.documents.open(tracked, mayShow === undefined ? {} : { mayShow });
    } catch (error) {
      await vscode.window.showErrorMessage(
        withoutLinks(
          vscode.l10n.t(
            'The output of {0} cannot be opened: {1}',
            oneLine(notebookNameOf(tracked.execution), 60),
            problemOf(error).message,
          ),
        ),
      );
    }
  }
}

/** How an execution ended, as the text of a notification. */
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
