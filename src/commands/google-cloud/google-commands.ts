import * as vscode from 'vscode';
import type { CloudDirectory } from '../../execution/cloud-directory';
import { ServiceError } from '../../execution/errors';
import type { CommandMap } from '../command-map';
import { chooseExecutions, type ExecutionContext } from '../executions/execution-commands';
import { newGoogleTemplate } from './google-template';

type Handled =
  | 'notebookExecutions.newGoogleTemplate'
  | 'notebookExecutions.openInConsole'
  | 'notebookExecutions.copyOutputUri';

/** Commands for Google Cloud. */
export function googleCommands(
  context: ExecutionContext,
  directory: () => Promise<CloudDirectory>,
): Pick<CommandMap, Handled> {
  return {
    'notebookExecutions.newGoogleTemplate': () => newGoogleTemplate(directory),
    'notebookExecutions.openInConsole': async (target) => {
      const title = vscode.l10n.t('Open in Google Cloud Console');
      const [tracked] = await chooseExecutions(context, target, title, 'hasConsole', false);
      const url = tracked?.service.consoleUrl?.(tracked.execution);
      if (url !== undefined) await vscode.env.openExternal(vscode.Uri.parse(url, true));
    },
    'notebookExecutions.copyOutputUri': async (target) => {
      const title = vscode.l10n.t('Copy gs:// URI');
      const [tracked] = await chooseExecutions(context, target, title, 'hasOutputUri', false);
      if (tracked === undefined) return;
      const { service, execution } = tracked;
      const uri = await service.outputUri?.(execution);
      if (uri === undefined)
        throw new ServiceError('NOT_FOUND', 'outputNotFound', `${execution.name} has no output yet`);
      await vscode.env.clipboard.writeText(uri);
    },
  };
}
