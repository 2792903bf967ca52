import * as vscode from 'vscode';
import type { Execution } from '../../../execution/execution';
import { executionIdOf } from '../../../execution/execution-name';
import type { TrackedExecution } from '../../../tracking/execution-store';
import { durationOf, endOf, notebookNameOf, parseTime } from '../../../wording/execution-facts';
import { explain } from '../../../wording/end-sentences';
import { presentState } from '../../../wording/state-presentation';
import { templateLabel } from '../../../wording/names';
import {
  escapeMarkdown,
  formatBytes,
  formatDuration,
  formatMoment,
  oneLine,
  plainText,
} from '../../../wording/text';
import { warningSentence } from '../../../wording/warning-sentences';

/** The details that do not fit into the row. Untrusted Markdown: no commands, no HTML; every value is escaped. */
export function executionTooltip({ execution }: TrackedExecution, now: number): vscode.MarkdownString {
  const text = tooltipOf('');
  const add = (markdown: string) => {
    text.appendMarkdown(markdown);
  };
  const { label } = presentState(execution.state);
  add(
    `**${escapeMarkdown(plainText(notebookNameOf(execution), 200))}** — ${escapeMarkdown(plainText(label))}`,
  );
  for (const paragraph of [explain(execution), execution.description])
    if (paragraph !== undefined && paragraph !== '') add(`\n\n${escapeMarkdown(plainText(paragraph))}`);
  const lines = facts(execution, now)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => escapeMarkdown(`${name}: ${oneLine(value ?? '', 500)}`));
  // Two spaces before a line break start a new line in Markdown.
  add(`\n\n${lines.join('  \n')}`);
  for (const warning of execution.runStatus?.warnings?.slice(0, 5) ?? [])
    add(`\n\n⚠ ${escapeMarkdown(warningSentence(warning))}`);
  return text;
}

/** A tooltip that shows untrusted text unchanged: without commands, HTML and icons. */
export function tooltipOf(text: string): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString(escapeMarkdown(plainText(text)));
  tooltip.isTrusted = false;
  tooltip.supportHtml = false;
  return tooltip;
}

function facts(execution: Execution, now: number): [string, string | undefined][] {
  const { runOptions, runStatus, executionTemplate } = execution;
  const time = (value: number | undefined) =>
    value === undefined ? undefined : formatMoment(value, vscode.env.language);
  const duration = durationOf(execution, now);
  const progress = runStatus?.progress;
  const labels = Object.entries(executionTemplate?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    [vscode.l10n.t('Notebook'), sourcePath(runOptions?.source)],
    [vscode.l10n.t('Template'), templateLabel(runOptions?.templateName ?? '')],
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

/** A file URI as a path; other URIs unchanged. */
function sourcePath(uri: string | undefined): string | undefined {
  if (uri?.startsWith('file:') !== true) return uri;
  try {
    return vscode.Uri.parse(uri, true).fsPath;
  } catch {
    return uri;
  }
}
