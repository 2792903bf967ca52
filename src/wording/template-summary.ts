import * as vscode from 'vscode';
import type { UserTemplate } from '../execution/templates/template';
import { formatBytes, formatDuration } from './text';

/** How a template differs from the built-in one, in a few words for the list; empty if it does not differ. */
export function templateSummary({ executionTemplate, runOptions }: UserTemplate): string {
  const { timeout, cellTimeout, maxAttempts = 1, allowErrors, allowErrorNames = [] } = runOptions;
  const { memoryLimitBytes, writeBack } = runOptions;
  const { kernelSpec, masterType, outputNotebookFolder } = executionTemplate;
  const duration = (seconds: number): string => formatDuration(seconds * 1000);
  return [
    masterType,
    kernelSpec === undefined ? undefined : vscode.l10n.t('kernel {0}', kernelSpec),
    timeout === undefined ? undefined : vscode.l10n.t('at most {0}', duration(timeout)),
    cellTimeout === undefined ? undefined : vscode.l10n.t('at most {0} a cell', duration(cellTimeout)),
    maxAttempts > 1 ? vscode.l10n.t('up to {0} attempts', maxAttempts) : undefined,
    memoryLimitBytes === undefined
      ? undefined
      : vscode.l10n.t('{0} of memory', formatBytes(memoryLimitBytes)),
    allowErrors === true
      ? vscode.l10n.t('continues on error')
      : allowErrorNames.length > 0
        ? vscode.l10n.t('continues on {0}', allowErrorNames.join(', '))
        : undefined,
    writeBack === true ? vscode.l10n.t('writes outputs back') : undefined,
    outputNotebookFolder === undefined ? undefined : vscode.l10n.t('output in {0}', outputNotebookFolder),
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}
