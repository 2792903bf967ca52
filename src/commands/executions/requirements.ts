import { l10n } from 'vscode';

/** A sentence that says which executions a command applies to, by the capability it requires (see capabilitiesOf). */
export function requirementOf(capability: string): string {
  switch (capability) {
    case 'cancellable':
      return l10n.t('Only an execution that is running or waiting can be cancelled.');
    case 'hasOutput':
    case 'comparable':
      return l10n.t('Only an execution that has begun to run has an output.');
    case 'hasLog':
      return l10n.t('Only an execution whose kernel was started on this machine has a kernel log.');
    case 'failedCell':
      return l10n.t('Only an execution that failed in a cell has a failed cell.');
    case 'hasSource':
      return l10n.t('Only an execution that was submitted in VS Code says which notebook it belongs to.');
    case 'pinnable':
      return l10n.t('Only an execution on this machine that is not pinned yet can be pinned.');
    case 'pinned':
      return l10n.t('Only an execution that is pinned can be unpinned.');
    case 'hasConsole':
      return l10n.t('Only an execution on Google Cloud has a page in its console.');
    case 'hasOutputUri':
      return l10n.t('Only an execution on Google Cloud that has begun to run has a gs:// URI.');
    default:
      return l10n.t('This execution does not support the action.');
  }
}
