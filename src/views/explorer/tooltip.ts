import * as vscode from 'vscode';
import { executionIdOf, type Execution } from '../../execution/execution';
import type { TrackedExecution } from '../../tracking/execution-store';
import { durationOf, endOf, notebookNameOf, parseTime } from '../execution-facts';
import { explain, warningSentence } from '../sentences';
import { presentState } from '../state-presentation';
import { formatBytes, formatDuration, formatTime, plainText } from '../text';

/** What the row has no room for. Untrusted Markdown: no commands, no HTML; every value is escaped. */
export function executionTooltip({ execution }: TrackedExecution, now: number): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.isTrusted = false;
  text.supportHtml = false;
  text
    .appendMarkdown('**')
    .appendText(plainText(notebookNameOf(execution), 200))
    .appendMarkdown('** — ');
  text.appendText(presentState(execution.state).label);
  const explanation = explain(execution);
  if (explanation !== undefined) text.appendMarkdown('\n\n').appendText(plainText(explanation));
  if (execution.description !== undefined && execution.description !== '')
    text.appendMarkdown('\n\n').appendText(plainText(execution.description));
  text.appendMarkdown('\n\n');
  for (const [label, value] of facts(execution, now)) {
    if (value === undefined || value === '') continue;
    // Two spaces and a line break: the next fact on its own line.
    text.appendText(`${label}: ${plainText(value, 500).replaceAll('\n', ' ')}`).appendMarkdown('  \n');
  }
  for (const warning of execution.runStatus?.warnings?.slice(0, 5) ?? [])
    text.appendMarkdown('\n\n⚠ ').appendText(warningSentence(warning));
  return text;
}

function facts(execution: Execution, now: number): [string, string | undefined][] {
  const { runOptions, runStatus, executionTemplate } = execution;
  const time = (value: number | undefined) =>
    value === undefined ? undefined : formatTime(value, now, vscode.env.language);
  const duration = durationOf(execution, now);
  const progress = runStatus?.progress;
  const labels = Object.entries(executionTemplate?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    [vscode.l10n.t('Notebook'), sourcePath(runOptions?.source)],
    [vscode.l10n.t('Template'), runOptions?.templateName],
    [
      vscode.l10n.t('Cells'),
      progress === undefined
        ? undefined
        : vscode.l10n.t('{0} of {1} done', progress.completedCells, progress.totalCells),
    ],
    [vscode.l10n.t('Created'), time(parseTime(execution.createTime))],
    [vscode.l10n.t('Started'), time(parseTime(runStatus?.startTime))],
    [vscode.l10n.t('Ended'), time(endOf(execution))],
    [vscode.l10n.t('Duration'), duration === undefined ? undefined : formatDuration(duration)],
    [vscode.l10n.t('Kernel'), runStatus?.kernel?.displayName ?? runStatus?.kernel?.name],
    [vscode.l10n.t('Host'), runStatus?.host],
    [
      vscode.l10n.t('Peak memory'),
      runStatus?.peakMemoryBytes === undefined ? undefined : formatBytes(runStatus.peakMemoryBytes),
    ],
    [vscode.l10n.t('Labels'), labels.join(', ')],
    [vscode.l10n.t('Output'), sourcePath(execution.outputNotebookFile)],
    [vscode.l10n.t('Id'), executionIdOf(execution.name)],
  ];
}

/** A file URI as the path people know; others as they are. */
function sourcePath(uri: string | undefined): string | undefined {
  if (uri?.startsWith('file:') !== true) return uri;
  try {
    return vscode.Uri.parse(uri, true).fsPath;
  } catch {
    return uri;
  }
}
