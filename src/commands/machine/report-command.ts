import { readFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as vscode from 'vscode';
import { diagnosticsReport } from '../../execution/diagnostics';
import type { ServiceInfo, MachineService } from '../../execution/machine';
import { isSecretName, SECRET_PARAMETERS } from '../../execution/secrets/secret-names';
import type { ExecutionStore } from '../../tracking/execution-store';
import { withoutLinks } from '../../wording/text';
import type { CommandMap } from '../command-map';

/** Sources of a problem report. */
export interface ReportContext {
  readonly machine: Pick<MachineService, 'info'>;
  readonly store: ExecutionStore;
  readonly extension: vscode.Extension<unknown>;
  /** Folder for reports. */
  readonly folder: vscode.Uri;
  /** Log files by their names in the report. */
  readonly logs: Readonly<Record<string, string>>;
}

/** How many bytes are read from the end of a log; more than the lines that are kept. */
const TAIL = 100_000;

/** *Report a Problem*: writes a file that the user can check and then share. */
export function reportCommand(context: ReportContext): Pick<CommandMap, 'notebookExecutions.reportProblem'> {
  return {
    'notebookExecutions.reportProblem': async () => {
      const text = await reportText(context);
      const time = new Date().toISOString().slice(0, 19).replaceAll(/[:T]/g, '-');
      const file = vscode.Uri.joinPath(context.folder, `notebook-executions-${time}.md`);
      // Delete older reports: a new one contains everything that they do.
      await vscode.workspace.fs.delete(context.folder, { recursive: true }).then(undefined, () => undefined);
      await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
      await vscode.window.showTextDocument(file, { preview: false });
      const copy = vscode.l10n.t('Copy');
      void vscode.window
        .showInformationMessage(
          withoutLinks(vscode.l10n.t('Read the report before you share it: {0}', file.fsPath)),
          copy,
        )
        .then(async (chosen) => {
          if (chosen === copy) await vscode.env.clipboard.writeText(text);
        });
      return file;
    },
  };
}

async function reportText({ machine, store, extension, logs }: ReportContext): Promise<string> {
  const manifest = extension.packageJSON as Manifest;
  const configuration = vscode.workspace.getConfiguration();
  const names = manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
  const states: Record<string, number> = {};
  for (const { execution } of store.all()) states[execution.state] = (states[execution.state] ?? 0) + 1;
  const errors = store
    .statuses()
    .flatMap(({ service, error }): [string, string][] =>
      error === undefined ? [] : [[service.id, error.message]],
    );
  return diagnosticsReport({
    introduction: vscode.l10n.t(
      'This report contains versions, which settings are set, what the execution service reports about itself, the number of executions in each state, and the last lines of the logs. It contains no notebooks and no parameter values; tokens and passwords are removed as far as they can be recognized. Logs may contain file names. Read it before you share it.',
    ),
    versions: {
      extension: manifest.version,
      editor: `${vscode.env.appName} ${vscode.version}`,
      node: process.versions.node,
      electron: process.versions['electron'] ?? '-',
      system: `${process.platform} ${process.arch} ${os.release()}`,
      remote: vscode.env.remoteName ?? '-',
      host: vscode.env.appHost,
    },
    settings: Object.fromEntries(names.map((name) => [name, configuration.get<unknown>(name)])),
    service: await machine.info().catch((error: unknown): ServiceInfo | string => String(error)),
    states,
    errors: Object.fromEntries(errors),
    logs: Object.fromEntries(
      await Promise.all(
        Object.entries(logs).map(async ([name, file]) => [name, await tailOf(file)] as const),
      ),
    ),
    secrets: Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && isSecretName(name, SECRET_PARAMETERS) ? [value] : [],
    ),
    home: os.homedir(),
  });
}

interface Manifest {
  readonly version: string;
  readonly contributes: {
    readonly configuration: readonly { readonly properties: Readonly<Record<string, unknown>> }[];
  };
}

async function tailOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? '-' : bytes.subarray(-TAIL).toString('utf8');
}
