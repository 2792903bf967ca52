import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import { readAll } from '../../execution/read-all';
import { wholeExecution } from '../../execution/whole-execution';
import { readNotebook } from '../../notebook/document';
import type { JsonObject } from '../../notebook/json';
import type { Notebook } from '../../notebook/model';
import { ParametersError } from '../../notebook/parameters/errors';
import { parseParameters } from '../../notebook/parameters/parse';
import type { ReportOptions, ReportTexts } from '../../report/options';
import { renderReport } from '../../report/render-report';
import { secretValuesOf } from '../../report/secret-values';
import type { TrackedExecution } from '../../tracking/execution-store';
import { defaultTarget, writeWithProgress } from '../../views/output/save-document';
import { durationOf, notebookNameOf, startOf } from '../../wording/execution-facts';
import { secretPatterns } from '../../wording/names';
import { presentState } from '../../wording/state-presentation';
import { formatDuration, formatMoment, oneLine, withoutLinks } from '../../wording/text';
import { isDesktop, revealFile } from './reveal-file';

type Content = Pick<ReportOptions, 'code' | 'interactive'>;

/**
 * Asks for the content and a file, and writes the output of an execution as a report.
 * @throws ServiceError `outputNotFound` if there is no output yet; NotebookError if the output is not a notebook.
 */
export async function exportReport({ service, execution }: TrackedExecution): Promise<void> {
  const content = await pickContent();
  if (content === undefined) return;
  const document = await service.readOutput(execution);
  if (document === undefined)
    throw new ServiceError('NOT_FOUND', 'outputNotFound', `${execution.name} has no output yet`);
  const defaultUri = defaultTarget(execution, '.html');
  const target = await vscode.window.showSaveDialog({
    filters: { [vscode.l10n.t('Web Pages')]: ['html'] },
    saveLabel: vscode.l10n.t('Export Report'),
    ...(defaultUri === undefined ? {} : { defaultUri }),
  });
  if (target === undefined) return;
  const saved = await writeWithProgress(
    {
      read: async function* (signal) {
        const { notebook } = readNotebook(await readAll(document, signal));
        const whole = await wholeExecution(service, execution);
        for (const part of renderReport(notebook, optionsOf(whole, notebook, content))) {
          signal?.throwIfAborted();
          yield Buffer.from(part);
          // Between two cells, the window's other requests are answered.
          await setImmediate();
        }
      },
    },
    target,
  );
  // Not awaited: the message may stay open for hours.
  if (saved !== undefined) void offerToOpen(saved);
}

async function pickContent(): Promise<Content | undefined> {
  const items: (vscode.QuickPickItem & Content)[] = [
    {
      label: vscode.l10n.t('With Code'),
      detail: vscode.l10n.t('Text, code and results. The report contains no scripts.'),
      code: true,
      interactive: false,
    },
    {
      label: vscode.l10n.t('Without Code'),
      detail: vscode.l10n.t('Text and results. The report contains no scripts.'),
      code: false,
      interactive: false,
    },
    {
      label: vscode.l10n.t('With Interactive Charts'),
      detail: vscode.l10n.t('Text, code and results. Opening the report runs the scripts of its charts.'),
      code: true,
      interactive: true,
    },
  ];
  return vscode.window.showQuickPick(
    // Scripts of a workspace that is not trusted stay out.
    items.filter(({ interactive }) => !interactive || vscode.workspace.isTrusted),
    { title: vscode.l10n.t('Export Report') },
  );
}

function optionsOf(execution: Execution, notebook: Notebook, content: Content): ReportOptions {
  const { language } = vscode.env;
  const start = startOf(execution);
  const duration = durationOf(execution, Date.now());
  return {
    ...content,
    language,
    title: notebookNameOf(execution),
    facts: [
      presentState(execution.state).label,
      ...(start === undefined ? [] : [formatMoment(start, language)]),
      ...(duration === undefined ? [] : [formatDuration(duration)]),
    ],
    secrets: secretValuesOf(
      notebook,
      parametersOf(execution.executionTemplate?.parameters ?? ''),
      secretPatterns(),
    ),
    texts: reportTexts(language),
  };
}

/** Empty if the text cannot be parsed: then nothing was executed with it. */
function parametersOf(text: string): JsonObject {
  try {
    return parseParameters(text);
  } catch (error) {
    if (error instanceof ParametersError) return {};
    throw error;
  }
}

function reportTexts(language: string): ReportTexts {
  return {
    trimmed: (left) =>
      vscode.l10n.t(
        '{0} characters are not shown here. The output notebook has them.',
        left.toLocaleString(language),
      ),
    image: (description) =>
      description === ''
        ? vscode.l10n.t('[An image that is not part of the notebook]')
        : vscode.l10n.t('[An image that is not part of the notebook: {0}]', description),
    unsupported: (types) => vscode.l10n.t('This result cannot be shown in a report: {0}', types),
    chart: vscode.l10n.t(
      'This chart needs its scripts and has no image. Export the report with interactive charts, or open the output notebook.',
    ),
    picture: vscode.l10n.t('Result as an image'),
  };
}

async function offerToOpen(file: vscode.Uri): Promise<void> {
  const open = vscode.l10n.t('Open in Browser');
  const reveal = vscode.l10n.t('Reveal');
  const isFile = file.scheme === 'file';
  const chosen = await vscode.window.showInformationMessage(
    withoutLinks(vscode.l10n.t('The report was saved as {0}.', oneLine(path.posix.basename(file.path)))),
    ...(isFile && isDesktop() ? [open] : []),
    ...(isFile ? [reveal] : []),
  );
  if (chosen === open) await vscode.env.openExternal(file);
  if (chosen === reveal) await revealFile(file);
}
