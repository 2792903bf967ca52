import * as vscode from 'vscode';
import type { KnownState, State, VERTEX_STATES } from '../execution/states';

/** Icon and texts of a state. */
export interface StatePresentation {
  /** Name of a product icon (codicon), with its colour. */
  readonly icon: vscode.ThemeIcon;
  /** As a name: the heading of a group, a field of the tooltip. */
  readonly label: string;
  /** As a part of a sentence: "sales is running". */
  readonly predicate: string;
  /** The group of the state when the tree is grouped by state. */
  readonly group: StateGroup;
}

/** Groups of states in display order. */
export const STATE_GROUPS = ['active', 'failed', 'expired', 'succeeded', 'cancelled', 'unknown'] as const;
export type StateGroup = (typeof STATE_GROUPS)[number];

/** Maps every state to its icon and texts. A state that this version does not know is shown under its own name. */
export function presentState(state: State): StatePresentation {
  return (
    PRESENTATIONS.get(state)?.() ??
    present('question', undefined, 'unknown', state, vscode.l10n.t('is in the unknown state {0}', state))
  );
}

const PRESENTATIONS: ReadonlyMap<string, () => StatePresentation> = new Map(
  Object.entries({
    STATE_UNSPECIFIED: () =>
      present(
        'question',
        undefined,
        'unknown',
        vscode.l10n.t('Unknown'),
        vscode.l10n.t('is in an unknown state'),
      ),
    INITIALIZING: () =>
      present(
        'circle-outline',
        'charts.blue',
        'active',
        vscode.l10n.t('Initializing'),
        vscode.l10n.t('is being submitted'),
      ),
    QUEUED: () =>
      present('clock', 'charts.blue', 'active', vscode.l10n.t('Queued'), vscode.l10n.t('is waiting')),
    PREPARING: () =>
      present(
        'loading~spin',
        'charts.blue',
        'active',
        vscode.l10n.t('Preparing'),
        vscode.l10n.t('is starting its kernel'),
      ),
    RUNNING: () =>
      present('sync~spin', 'charts.blue', 'active', vscode.l10n.t('Running'), vscode.l10n.t('is running')),
    CANCELLING: () =>
      present(
        'stop-circle',
        'editorWarning.foreground',
        'active',
        vscode.l10n.t('Cancelling'),
        vscode.l10n.t('is being cancelled'),
      ),
    SUCCEEDED: () =>
      present('pass', 'charts.green', 'succeeded', vscode.l10n.t('Succeeded'), vscode.l10n.t('succeeded')),
    FAILED: () =>
      present('error', 'errorForeground', 'failed', vscode.l10n.t('Failed'), vscode.l10n.t('failed')),
    CANCELLED: () =>
      present(
        'circle-slash',
        'descriptionForeground',
        'cancelled',
        vscode.l10n.t('Cancelled'),
        vscode.l10n.t('was cancelled'),
      ),
    EXPIRED: () =>
      present(
        'watch',
        'editorWarning.foreground',
        'expired',
        vscode.l10n.t('Expired'),
        vscode.l10n.t('was stopped'),
      ),
    PAUSED: () =>
      present(
        'debug-pause',
        'editorWarning.foreground',
        'active',
        vscode.l10n.t('Paused'),
        vscode.l10n.t('is paused'),
      ),
    UPDATING: () =>
      present('sync', 'charts.blue', 'active', vscode.l10n.t('Updating'), vscode.l10n.t('is being updated')),
    PARTIALLY_SUCCEEDED: () =>
      present(
        'warning',
        'editorWarning.foreground',
        'succeeded',
        vscode.l10n.t('Partially succeeded'),
        vscode.l10n.t('succeeded in part'),
      ),
  } satisfies Record<KnownState | (typeof VERTEX_STATES)[number], () => StatePresentation>),
);

/** Heading and icon of a group of states. */
export function presentGroup(group: StateGroup): { label: string; icon: vscode.ThemeIcon } {
  switch (group) {
    case 'active':
      return { label: vscode.l10n.t('Active'), icon: icon('sync', 'charts.blue') };
    case 'succeeded':
      return presentState('SUCCEEDED');
    case 'failed':
      return presentState('FAILED');
    case 'cancelled':
      return presentState('CANCELLED');
    case 'expired':
      return presentState('EXPIRED');
    case 'unknown':
      return presentState('STATE_UNSPECIFIED');
  }
}

function present(
  name: string,
  color: string | undefined,
  group: StateGroup,
  label: string,
  predicate: string,
): StatePresentation {
  return { icon: icon(name, color), label, predicate, group };
}

function icon(name: string, color: string | undefined): vscode.ThemeIcon {
  return new vscode.ThemeIcon(name, color === undefined ? undefined : new vscode.ThemeColor(color));
}
