import * as vscode from 'vscode';
import { isActive } from '../../execution/states';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { TrackingService } from '../../tracking/tracking-service';
import { capabilitiesOf, notebookNameOf } from '../../wording/execution-facts';
import { trackedOf } from '../../views/explorer/nodes';
import { pickExecutions } from '../../views/pickers/execution-picker';
import type { Views } from '../../views/views';
import { oneLine, withoutLinks } from '../../wording/text';
import type { CommandMap } from '../command-map';
import { Problem } from '../../wording/problem';
import { requirementOf } from './requirements';
import type { ExecutionTarget } from '../targets';

/** The executions of a window and the views that show them. */
export interface ExecutionContext {
  readonly tracking: TrackingService;
  readonly views: Views;
}

type Handled =
  | 'notebookExecutions.cancel'
  | 'notebookExecutions.delete'
  | 'notebookExecutions.openOutput'
  | 'notebookExecutions.openInput'
  | 'notebookExecutions.copyName'
  | 'notebookExecutions.showLog'
  | 'notebookExecutions.refresh';

/** Commands on existing executions: on a row, on the selected rows, or on those chosen in a picker. */
export function executionCommands(context: ExecutionContext): Pick<CommandMap, Handled> {
  const { tracking, views } = context;
  const { explorer, documents, logs, welcome } = views;
  const one = async (
    target: ExecutionTarget,
    title: string,
    capability: string,
  ): Promise<TrackedExecution | undefined> =>
    (await chooseExecutions(context, target, title, capability, false))[0];
  return {
    'notebookExecutions.cancel': async (target) => {
      const title = vscode.l10n.t('Cancel Executions');
      const chosen = await chooseExecutions(context, target, title, 'cancellable', true);
      await Promise.all(chosen.map((tracked) => cancel(tracking, tracked)));
    },
    'notebookExecutions.delete': async (target) => {
      const title = vscode.l10n.t('Delete Executions');
      const chosen = await chooseExecutions(context, target, title, 'deletable', true);
      const keys = chosen.map(({ key }) => key);
      const next = explorer.neighbourOf(keys);
      await deleteExecutions(tracking, chosen);
      // The focused row is gone, so that the next key would have no effect.
      const isGone = keys.every((key) => tracking.store.get(key) === undefined);
      if (next !== undefined && isGone && target.from === 'selection') await explorer.reveal(next, true);
    },
    'notebookExecutions.openOutput': async (target) => {
      const tracked = await one(target, vscode.l10n.t('Open Output'), 'hasOutput');
      if (tracked !== undefined) await documents.open(tracked);
    },
    'notebookExecutions.openInput': async (target) => {
      const tracked = await one(target, vscode.l10n.t('Open Input'), 'hasInput');
      if (tracked !== undefined) await documents.openInput(tracked);
    },
    'notebookExecutions.copyName': async (target) => {
      const tracked = await one(target, vscode.l10n.t('Copy Name'), 'execution');
      if (tracked !== undefined) await vscode.env.clipboard.writeText(tracked.execution.name);
    },
    'notebookExecutions.showLog': async (target) => {
      const tracked = await one(target, vscode.l10n.t('Show Log'), 'hasLog');
      if (tracked !== undefined) await logs.show(tracked);
    },
    'notebookExecutions.refresh': async () => {
      await Promise.all([tracking.refresh(), welcome.check()]);
      explorer.retryFailed();
    },
  };
}

/**
 * The executions with a capability (see capabilitiesOf) that a command applies to: the rows it was called on, the rows
 * selected for a keybinding, or those chosen in a picker.
 */
export async function chooseExecutions(
  context: ExecutionContext,
  target: ExecutionTarget,
  title: string,
  capability: string,
  many: boolean,
): Promise<readonly TrackedExecution[]> {
  const { store } = context.tracking;
  const able = (tracked: TrackedExecution): boolean => capabilitiesOf(tracked).includes(capability);
  const given = givenExecutions(context, target);
  if (given.length > 0) {
    const chosen = given.filter(able);
    if (chosen.length === 0) {
      // The execution may have ended since its menu was opened.
      throw new Problem(requirementOf(capability));
    }
    return many ? chosen : chosen.slice(0, 1);
  }
  if (store.statuses().some(({ loaded }) => !loaded)) await context.tracking.refresh();

  const errors = store.statuses().flatMap(({ error }) => error ?? []);
  // If the executions could not be loaded, report that error.
  if (store.isEmpty && errors[0] !== undefined) throw errors[0];
  const candidates = store.all().filter(able);
  if (candidates.length === 0) {
    throw new Problem(
      store.isEmpty
        ? vscode.l10n.t('There are no executions. Execute a notebook first.')
        : vscode.l10n.t('{0} There is none now.', requirementOf(capability)),
    );
  }
  return pickExecutions(title, candidates, many);
}

function givenExecutions(
  { tracking: { store }, views }: ExecutionContext,
  target: ExecutionTarget,
): TrackedExecution[] {
  switch (target.from) {
    case 'selection':
      return views.explorer.selection.flatMap((node) => trackedOf(node) ?? []);
    case 'document':
      return [target.address].flatMap(({ serviceId, name }) => store.find(serviceId, name) ?? []);
    case 'rows':
      // The store may have a newer version than the row.
      return target.keys.flatMap((key) => store.get(key) ?? []);
  }
}

async function cancel(tracking: TrackingService, { service, execution }: TrackedExecution): Promise<void> {
  const ticket = tracking.store.begin();
  tracking.store.apply(ticket, service, await service.cancel(execution.name));
  tracking.poke(service.id);
}

async function deleteExecutions(
  tracking: TrackingService,
  executions: readonly TrackedExecution[],
): Promise<void> {
  const [first] = executions;
  if (first === undefined) return;

  const name = oneLine(notebookNameOf(first.execution));
  const running = executions.filter(({ execution }) => isActive(execution.state)).length;
  if (running > 0) {
    const question =
      executions.length === 1
        ? vscode.l10n.t('{0} is still running. Cancel and delete it?', name)
        : running === 1
          ? vscode.l10n.t(
              '1 of the {0} executions is still running. Cancel it, and delete them all?',
              executions.length,
            )
          : vscode.l10n.t(
              '{0} of the {1} executions are still running. Cancel those, and delete them all?',
              running,
              executions.length,
            );
    const yes = vscode.l10n.t('Cancel and Delete');
    if ((await vscode.window.showWarningMessage(question, { modal: true }, yes)) !== yes) return;
  }
  for (const { key } of executions) await tracking.completion.forget(key);

  const pending = await tracking.deletion.delete(executions);
  const undo = vscode.l10n.t('Undo');
  const message =
    executions.length === 1
      ? vscode.l10n.t('Deleted the execution of {0}.', name)
      : vscode.l10n.t('Deleted {0} executions.', executions.length);
  // Not awaited: the command has ended, but the message stays open while Undo is possible.
  void vscode.window.showInformationMessage(withoutLinks(message), undo).then(async (chosen) => {
    if (chosen === undo && !(await pending.undo())) {
      await vscode.window.showWarningMessage(
        executions.length === 1
          ? vscode.l10n.t('Too late to undo: the execution has already been deleted.')
          : vscode.l10n.t('Too late to undo: the executions have already been deleted.'),
      );
    }
  });
}
