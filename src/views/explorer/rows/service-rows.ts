import * as vscode from 'vscode';
import type { ServiceInfo } from '../../../execution/machine';
import type { ServiceStatus } from '../../../tracking/service-statuses';
import { isHanging } from '../../../tracking/machine-monitor';
import { parseTime } from '../../../wording/execution-facts';
import { serviceName } from '../../../wording/names';
import { commandOf } from '../../../wording/own-commands';
import { problemOf } from '../../../wording/problem-sentences';
import { formatBytes, formatDuration, oneLine } from '../../../wording/text';
import { tooltipOf } from './tooltip';

/*
 * Rows about services. Values of their contextValue: `machine` for the service of this machine, `serviceError` for a
 * service that cannot be reached, `hanging` for a running service that does not respond.
 */

/** The last row: running, queued and stored executions of this machine. */
export function machineRow(info: ServiceInfo, now: number): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('This machine'));
  item.id = 'machine';
  item.iconPath = new vscode.ThemeIcon('vm');
  item.contextValue = 'machine';
  const { running, queued, diskBytes } = info;
  const parts = [
    ...(running > 0 ? [vscode.l10n.t('{0} running', running)] : []),
    ...(queued > 0 ? [vscode.l10n.t('{0} queued', queued)] : []),
    ...(diskBytes === undefined ? [] : [formatBytes(diskBytes)]),
  ];
  item.description = parts.join(' · ');
  const facts = machineFacts(info, now);
  item.tooltip = tooltipOf(facts.join('\n'));
  item.accessibilityInformation = { label: facts.join('. ') };
  return item;
}

/** Facts about the service, one per line. */
function machineFacts(info: ServiceInfo, now: number): string[] {
  const start = parseTime(info.startTime);
  const { build, running, maxConcurrent, queued, executions, diskBytes, spare, setAside } = info;
  return [
    vscode.l10n.t('Execution service of this machine'),
    vscode.l10n.t('Version: {0}', oneLine(build, 60)),
    ...(start === undefined ? [] : [vscode.l10n.t('Up for {0}', formatDuration(now - start))]),
    vscode.l10n.t('{0} running, at most {1} at once; {2} queued', running, maxConcurrent, queued),
    vscode.l10n.t('Executions: {0}', executions),
    ...(diskBytes === undefined ? [] : [vscode.l10n.t('Disk use: {0}', formatBytes(diskBytes))]),
    ...(spare ? [vscode.l10n.t('A spare kernel is ready')] : []),
    ...(setAside.length === 0
      ? []
      : [vscode.l10n.t('Could not be read, and set aside: {0}', setAside.length)]),
  ];
}

/** In place of lines that could not be loaded: the reason. @param parent id of the line they belong to. */
export function failureRow(parent: string, reason: string): vscode.TreeItem {
  const item = warningRow(`${parent}/error`, reason);
  item.tooltip = tooltipOf(reason);
  item.contextValue = 'detail';
  return item;
}

/** A row with a warning that loads again what could not be loaded. */
function warningRow(id: string, sentence: string): vscode.TreeItem {
  const item = new vscode.TreeItem(oneLine(sentence, 300));
  item.id = id;
  item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('editorWarning.foreground'));
  item.command = commandOf(vscode.l10n.t('Try Again'), 'notebookExecutions.refresh');
  return item;
}

/** A service that cannot be reached, with the reason. */
export function errorRow(status: ServiceStatus | undefined): vscode.TreeItem {
  const sentence = status?.error === undefined ? '' : problemOf(status.error).message;
  const item = warningRow(`error/${status?.service.id ?? ''}`, sentence);
  item.tooltip = tooltipOf(`${serviceName(status?.service.id ?? '')}: ${sentence}`);
  const hanging = status?.service.id === 'embedded' && status.error !== undefined && isHanging(status.error);
  item.contextValue = hanging ? 'serviceError hanging' : 'serviceError';
  return item;
}
