import * as vscode from 'vscode';
import { isCleanedUp, type CleanUp, type MachineService } from '../../execution/machine';
import { isTerminal } from '../../execution/states';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { TrackingService } from '../../tracking/tracking-service';
import { parseTime } from '../../wording/execution-facts';
import { formatBytes, formatTime, withoutLinks } from '../../wording/text';
import type { CommandMap } from '../command-map';
import { chooseExecutions, type ExecutionContext } from '../executions/execution-commands';
import type { ExecutionTarget } from '../targets';

type Handled =
  | 'notebookExecutions.pin'
  | 'notebookExecutions.unpin'
  | 'notebookExecutions.cleanUp'
  | 'notebookExecutions.restartService';

const DAY = 24 * 60 * 60 * 1000;
/** Choices of *Clean Up*: minimum age of finished executions in days; 0 for all finished executions. */
const AGES = [0, 7, 30];

/** Commands on this machine's service and its stored executions. */
export function machineCommands(
  machine: MachineService,
  context: ExecutionContext,
): Pick<CommandMap, Handled> {
  const { tracking } = context;
  const pin = async (target: ExecutionTarget, pinned: boolean): Promise<void> => {
    const title = pinned ? vscode.l10n.t('Pin Executions') : vscode.l10n.t('Unpin Executions');
    const chosen = await chooseExecutions(context, target, title, pinned ? 'pinnable' : 'pinned', true);
    await Promise.all(
      chosen.map(async ({ service, execution }: TrackedExecution) => {
        const ticket = tracking.store.begin();
        const changed = await service.pin?.(execution.name, pinned);
        if (changed !== undefined) tracking.store.apply(ticket, service, changed);
      }),
    );
  };
  return {
    'notebookExecutions.pin': (target) => pin(target, true),
    'notebookExecutions.unpin': (target) => pin(target, false),
    'notebookExecutions.restartService': async () => {
      const title = vscode.l10n.t('Restarting the execution service');
      await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title },
        async () => {
          await machine.restart();
          await tracking.refresh();
        },
      );
      void vscode.window.showInformationMessage(
        vscode.l10n.t('The execution service was restarted. Running executions were not interrupted.'),
      );
    },
    'notebookExecutions.cleanUp': () => cleanUp(machine, context),
  };
}

async function cleanUp(machine: MachineService, { tracking }: ExecutionContext): Promise<void> {
  const items = [...(await endedItems(machine, tracking)), ...(await setAsideItems(machine))];
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        'There is nothing to clean up: every execution on this machine is either pinned or has not ended.',
      ),
    );
    return;
  }
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Clean Up Executions of This Machine'),
    placeHolder: vscode.l10n.t('Choose what to delete. Running and pinned executions are kept.'),
  });
  if (chosen === undefined) return;
  const yes = vscode.l10n.t('Delete');
  const question = vscode.l10n.t('Delete {0}?', chosen.description);
  const detail = vscode.l10n.t(
    'Outputs are deleted as well, except those in an output folder of your own. This cannot be undone.',
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  const title = vscode.l10n.t('Deleting executions');
  const location = vscode.ProgressLocation.Notification;
  const deleted = await vscode.window.withProgress({ location, title }, () => chosen.clean());
  void vscode.window.showInformationMessage(withoutLinks(vscode.l10n.t('Deleted {0}.', deleted)));
}

/** A choice of *Clean Up*. */
interface CleanUpItem extends vscode.QuickPickItem {
  /** What it deletes: number and size. */
  readonly description: string;
  /** Deletes it. @returns what was deleted, in the format of the description. */
  clean(): Promise<string>;
}

async function endedItems(machine: MachineService, tracking: TrackingService): Promise<CleanUpItem[]> {
  const now = Date.now();
  const items: CleanUpItem[] = [];
  for (const days of AGES) {
    const before = new Date(now - days * DAY).toISOString();
    const found = await machine.cleanUp(before, true);
    if (found.count === 0) continue;
    const oldest = formatTime(parseTime(found.oldest) ?? now, now, vscode.env.language);
    items.push({
      label:
        days === 0
          ? vscode.l10n.t('All finished executions')
          : vscode.l10n.t('Executions that ended more than {0} days ago', days),
      description: sizeOf(found),
      detail: vscode.l10n.t('Oldest ended: {0}', oldest),
      clean: async () => {
        const ticket = tracking.store.begin();
        const deleted = await machine.cleanUp(before, false);
        for (const { service, execution } of tracking.store.all()) {
          const gone = service.id === machine.id && isTerminal(execution.state);
          if (gone && isCleanedUp(execution, before))
            tracking.store.remove(ticket, service.id, execution.name);
        }
        await tracking.refresh();
        return sizeOf(deleted);
      },
    });
  }
  return items;
}

/** Executions whose record cannot be read. They are in no list. */
async function setAsideItems(machine: MachineService): Promise<CleanUpItem[]> {
  const { setAside = [] } = (await machine.info()) ?? {};
  if (setAside.length === 0) return [];
  return [
    {
      label: vscode.l10n.t('Executions that cannot be read'),
      description: countOf(setAside.length),
      detail: vscode.l10n.t('Their records are damaged or of a newer version; no list shows them.'),
      clean: async () => countOf(await machine.deleteSetAside()),
    },
  ];
}

function countOf(count: number): string {
  return count === 1 ? vscode.l10n.t('1 execution') : vscode.l10n.t('{0} executions', count);
}

/** Number and size of executions. */
function sizeOf({ count, bytes }: CleanUp): string {
  return count === 1
    ? vscode.l10n.t('1 execution, {0}', formatBytes(bytes))
    : vscode.l10n.t('{0} executions, {1}', count, formatBytes(bytes));
}
