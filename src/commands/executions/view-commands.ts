import * as vscode from 'vscode';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf } from '../../wording/execution-facts';
import {
  GROUPINGS,
  NO_FILTER,
  SORTINGS,
  type Grouping,
  type Sorting,
} from '../../views/explorer/arrangement';
import { writeDocument } from '../../views/output/save-document';
import { serviceName } from '../../wording/names';
import { underProgress } from '../../wording/progress';
import { presentGroup, STATE_GROUPS } from '../../wording/state-presentation';
import type { CommandMap } from '../command-map';
import { chooseExecutions, type ExecutionContext } from './execution-commands';
import { Problem } from '../../wording/problem';
import type { ExecutionTarget } from '../targets';
import { revealFile } from './reveal-file';

type Handled =
  | 'notebookExecutions.loadMore'
  | 'notebookExecutions.groupBy'
  | 'notebookExecutions.sortBy'
  | 'notebookExecutions.filter'
  | 'notebookExecutions.clearFilter'
  | 'notebookExecutions.openCell'
  | 'notebookExecutions.openFailedCell'
  | 'notebookExecutions.compareWithInput'
  | 'notebookExecutions.compareOutputs'
  | 'notebookExecutions.saveOutputAs'
  | 'notebookExecutions.exportReport'
  | 'notebookExecutions.download'
  | 'notebookExecutions.revealOutput';

/** Commands of the view and of its documents. */
export function viewCommands(context: ExecutionContext): Pick<CommandMap, Handled> {
  const { explorer, documents } = context.views;
  const choose = (target: ExecutionTarget, title: string, capability: string, many = false) =>
    chooseExecutions(context, target, title, capability, many);
  return {
    'notebookExecutions.loadMore': (row) => explorer.showMore(row),
    'notebookExecutions.groupBy': async () => {
      const grouping = await pickOne(
        vscode.l10n.t('Group Executions'),
        GROUPINGS,
        groupingLabel,
        explorer.arrangement.grouping,
      );
      if (grouping !== undefined) await explorer.arrange({ grouping });
    },
    'notebookExecutions.sortBy': async () => {
      const sorting = await pickOne(
        vscode.l10n.t('Sort Executions'),
        SORTINGS,
        sortingLabel,
        explorer.arrangement.sorting,
      );
      if (sorting !== undefined) await explorer.arrange({ sorting });
    },
    'notebookExecutions.filter': () => filter(context),
    'notebookExecutions.clearFilter': () => explorer.arrange({ filter: NO_FILTER }),
    'notebookExecutions.openCell': async (target) => {
      if (target !== undefined) await documents.open(target.tracked, { cell: target.cell });
    },
    'notebookExecutions.openFailedCell': async (target) => {
      const [tracked] = await choose(target, vscode.l10n.t('Open Failed Cell'), 'failedCell');
      if (tracked !== undefined) await documents.openFailedCell(tracked);
    },
    'notebookExecutions.compareWithInput': async (target) => {
      const [tracked] = await choose(target, vscode.l10n.t('Compare Output with Input'), 'comparable');
      if (tracked !== undefined) await documents.compareWithInput(tracked);
    },
    'notebookExecutions.compareOutputs': async (target) => {
      const [one, other] = await choose(
        target,
        vscode.l10n.t('Compare Outputs: choose two'),
        'comparable',
        true,
      );
      if (one === undefined) return;
      if (other === undefined)
        throw new Problem(vscode.l10n.t('Select two executions to compare their outputs.'));
      await documents.compare(one, other);
    },
    'notebookExecutions.saveOutputAs': async (target) => {
      const [tracked] = await choose(target, vscode.l10n.t('Save Output As'), 'hasOutput');
      if (tracked !== undefined) await documents.saveAs(tracked);
    },
    'notebookExecutions.exportReport': async (target) => {
      const [tracked] = await choose(target, vscode.l10n.t('Export Report'), 'hasOutput');
      if (tracked === undefined) return;
      // Large, and most windows never need it.
      const { exportReport } = await import('./export-report');
      await exportReport(tracked);
    },
    'notebookExecutions.download': async (target) => {
      const executions = await choose(target, vscode.l10n.t('Download Outputs'), 'hasOutput', true);
      if (executions.length > 0) await download(executions);
    },
    'notebookExecutions.revealOutput': async (target) => {
      const [tracked] = await choose(target, vscode.l10n.t('Reveal Output'), 'hasOutput');
      if (tracked !== undefined) await reveal(tracked);
    },
  };
}

async function pickOne<T extends string>(
  title: string,
  values: readonly T[],
  labelOf: (value: T) => string,
  current: T,
): Promise<T | undefined> {
  const items = values.map((value) => ({
    value,
    label: labelOf(value),
    ...(value === current ? { description: vscode.l10n.t('current') } : {}),
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.value;
}

function groupingLabel(grouping: Grouping): string {
  switch (grouping) {
    case 'state':
      return vscode.l10n.t('By State');
    case 'day':
      return vscode.l10n.t('By Day');
    case 'notebook':
      return vscode.l10n.t('By Notebook');
    case 'template':
      return vscode.l10n.t('By Template');
    case 'none':
      return vscode.l10n.t('No Groups');
  }
}

function sortingLabel(sorting: Sorting): string {
  switch (sorting) {
    case 'newest':
      return vscode.l10n.t('Newest First');
    case 'name':
      return vscode.l10n.t('By Name');
    case 'duration':
      return vscode.l10n.t('Longest First');
  }
}

interface FilterItem extends vscode.QuickPickItem {
  readonly state?: string;
  readonly service?: string;
}

/** One picker for the whole filter: the input filters by text, the check boxes by state and service. */
async function filter({ tracking, views: { explorer } }: ExecutionContext): Promise<void> {
  const { filter: current } = explorer.arrangement;
  const services = tracking.store.statuses().map(({ service }) => service.id);
  const pick = vscode.window.createQuickPick<FilterItem>();
  pick.title = vscode.l10n.t('Filter Executions');
  pick.placeholder = vscode.l10n.t('Type part of the name, template or error, and tick states');
  pick.canSelectMany = true;
  pick.value = current.text;
  const states = STATE_GROUPS.map((state): FilterItem => ({
    state,
    label: presentGroup(state).label,
    alwaysShow: true,
  }));
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator };
  pick.items = [
    ...states,
    ...(services.length > 1
      ? [
          separator,
          ...services.map((service): FilterItem => ({
            service,
            label: serviceName(service),
            alwaysShow: true,
          })),
        ]
      : []),
  ];
  pick.selectedItems = pick.items.filter(
    ({ state, service }) =>
      (state !== undefined && current.states.includes(state)) ||
      (service !== undefined && current.services.includes(service)),
  );
  const chosen = await new Promise<typeof current | undefined>((resolve) => {
    pick.onDidAccept(() => {
      resolve({
        text: pick.value.trim(),
        states: pick.selectedItems.flatMap(({ state }) => state ?? []),
        services: pick.selectedItems.flatMap(({ service }) => service ?? []),
      });
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
  if (chosen !== undefined) await explorer.arrange({ filter: chosen });
}

/** Writes outputs into a folder that the user chooses, each under an unused name. */
async function download(executions: readonly TrackedExecution[]): Promise<void> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      openLabel: vscode.l10n.t('Download Here'),
    })) ?? [];
  if (folder === undefined) return;
  await underProgress(vscode.l10n.t('Downloading outputs'), async ({ report, signal }) => {
    for (const { service, execution } of executions) {
      signal.throwIfAborted();
      const document = await service.readOutput(execution, signal);
      if (document !== undefined) {
        const target = await freeName(folder, `${notebookNameOf(execution)}-output`);
        await writeDocument(document, target, signal);
      }
      report('', 100 / executions.length);
    }
  });
}

async function freeName(folder: vscode.Uri, stem: string): Promise<vscode.Uri> {
  const safe = stem.replaceAll(/[/\\:*?"<>|]/g, '_');
  for (let count = 1; ; count++) {
    const uri = vscode.Uri.joinPath(folder, `${safe}${count === 1 ? '' : `-${String(count)}`}.ipynb`);
    const taken = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => false,
    );
    if (!taken) return uri;
  }
}

async function reveal({ execution }: TrackedExecution): Promise<void> {
  const file = execution.outputNotebookFile;
  if (file?.startsWith('file:') !== true)
    throw new Problem(vscode.l10n.t('The output is not a file on this machine. Use Save Output As instead.'));

  await revealFile(vscode.Uri.parse(file));
}
