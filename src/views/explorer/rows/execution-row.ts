import * as vscode from 'vscode';
import type { Execution } from '../../../execution/execution';
import { isActive } from '../../../execution/states';
import type { TrackedExecution } from '../../../tracking/execution-store';
import {
  capabilitiesOf,
  durationOf,
  endOf,
  hasFailed,
  mayHaveOutput,
  notebookNameOf,
  parseTime,
} from '../../../wording/execution-facts';
import { causeLabel, cellsDone, cellsLabel, explain } from '../../../wording/end-sentences';
import { commandOf } from '../../../wording/own-commands';
import { presentState } from '../../../wording/state-presentation';
import { isDefaultTemplate, templateLabel } from '../../../wording/names';
import { formatAge, formatDuration, formatTime, oneLine } from '../../../wording/text';
import type { ExecutionNode } from '../nodes';
import type { QueuePosition } from './queue-positions';

/** What a row shows in addition to its execution. */
export interface RowContext {
  readonly now: number;
  /** The row is under the heading of its day, so it shows only the time of day. */
  readonly byDay?: boolean;
  readonly queue?: QueuePosition | undefined;
}

/** The row of an execution. Its tooltip is created later, when the user hovers over the row. */
export function executionRow(tracked: TrackedExecution, context: RowContext): vscode.TreeItem {
  const { execution, key } = tracked;
  const { icon } = presentState(execution.state);
  const item = new vscode.TreeItem(
    oneLine(notebookNameOf(execution)),
    vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = key;
  item.iconPath = icon;
  item.description = rowDescription(execution, context);
  item.contextValue = capabilitiesOf(tracked).join(' ');
  item.accessibilityInformation = { label: rowSentence(execution, context) };
  return item;
}

/** The description after the name. The most important part comes first, because narrow side bars cut off the end. */
export function rowDescription(execution: Execution, { now, byDay = false, queue }: RowContext): string {
  const { runStatus, runOptions, state } = execution;
  const parts: string[] = [];
  const progress = runStatus?.progress;
  const duration = durationOf(execution, now);
  if (isActive(state)) {
    if (state === 'QUEUED' && queue !== undefined)
      parts.push(vscode.l10n.t('{0} of {1} in the queue', queue.position, queue.total));
    else if (state !== 'RUNNING') parts.push(presentState(state).label);
    else if (progress !== undefined) parts.push(cellsLabel(progress));
    if (duration !== undefined && state !== 'QUEUED') parts.push(formatDuration(duration));
  } else {
    // Heading and icon show the state, except for a state that this version does not know.
    if (presentState(state).group === 'unknown') parts.push(oneLine(presentState(state).label, 60));
    const error = runStatus?.cell?.errorName;
    if (error !== undefined) parts.push(oneLine(error, 60));
    else if (hasFailed(state) && runStatus?.cause !== undefined) parts.push(causeLabel(runStatus.cause));
    const end = endOf(execution);
    const { language } = vscode.env;
    // Omit the date if the heading shows it.
    const heading = byDay ? parseTime(execution.createTime) : undefined;
    if (end !== undefined)
      parts.push(heading === undefined ? formatAge(end, now, language) : formatTime(end, heading, language));
    if (duration !== undefined && end !== undefined) parts.push(formatDuration(duration));
  }
  if (runStatus?.pinned === true) parts.push(vscode.l10n.t('pinned'));
  const { templateName } = runOptions ?? {};
  if (templateName !== undefined && !isDefaultTemplate(templateName))
    parts.push(oneLine(templateLabel(templateName), 60));
  if (runStatus?.elsewhere === true) parts.push(vscode.l10n.t('created elsewhere'));
  return parts.join(' · ');
}

/** The whole row as text for screen readers. */
function rowSentence(execution: Execution, { now, queue }: RowContext): string {
  const name = oneLine(notebookNameOf(execution));
  const { predicate } = presentState(execution.state);
  const sentences = [vscode.l10n.t('{0} {1}.', name, predicate)];
  const duration = durationOf(execution, now);
  const end = endOf(execution);
  const { runStatus, runOptions } = execution;
  if (isActive(execution.state)) {
    if (execution.state === 'QUEUED' && queue !== undefined)
      sentences.push(vscode.l10n.t('It is number {0} of {1} in the queue.', queue.position, queue.total));
    if (runStatus?.progress !== undefined) sentences.push(sentence(cellsDone(runStatus.progress)));
    // Rounded to minutes, so that the text does not change while a screen reader reads it.
    if (duration !== undefined && duration >= 60_000) {
      sentences.push(
        vscode.l10n.t('It has taken {0} so far.', formatDuration(duration - (duration % 60_000))),
      );
    }
  } else {
    const explanation = explain(execution);
    if (explanation !== undefined) sentences.push(sentence(explanation));
    if (end !== undefined)
      sentences.push(vscode.l10n.t('Ended: {0}.', formatTime(end, now, vscode.env.language)));
    if (duration !== undefined) sentences.push(vscode.l10n.t('It took {0}.', formatDuration(duration)));
  }
  if (runStatus?.pinned === true) sentences.push(vscode.l10n.t('Pinned.'));
  if (runOptions?.templateName !== undefined && !isDefaultTemplate(runOptions.templateName))
    sentences.push(vscode.l10n.t('Template {0}.', oneLine(templateLabel(runOptions.templateName), 60)));
  if (runStatus?.elsewhere === true) sentences.push(vscode.l10n.t('It was created elsewhere.'));
  return sentences.join(' ');
}

/** Adds a full stop if a text has none: without it, a screen reader would not pause. */
function sentence(text: string): string {
  return /[.!?…]\u2069?$/.test(text) ? text : `${text}.`;
}

/** Opens the output when the user selects a row. Rows without output unfold instead. */
export function openCommand(node: ExecutionNode): vscode.Command | undefined {
  return mayHaveOutput(node.tracked)
    ? commandOf(vscode.l10n.t('Open Output'), 'notebookExecutions.openOutput', node)
    : undefined;
}
