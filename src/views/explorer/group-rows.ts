import * as vscode from 'vscode';
import { notebookNameOf } from '../execution-facts';
import { presentGroup, type StateGroup } from '../state-presentation';
import { templateLabel } from '../template-label';
import { oneLine } from '../text';
import type { Grouping } from './arrangement';
import type { GroupNode } from './nodes';

/** Command of the rows "Load more"; its argument is the row. */
export const LOAD_MORE = 'notebookExecutions.loadMore';

/** The heading of a group; empty in a flat tree. */
export function labelOf(grouping: Grouping, group: GroupNode): string {
  switch (grouping) {
    case 'state':
      return presentGroup(group.id as StateGroup).label;
    case 'notebook': {
      const [first] = group.members;
      return first === undefined ? '' : notebookNameOf(first.tracked.execution);
    }
    case 'template':
      return group.id === '' ? vscode.l10n.t('Without a Template') : templateLabel(group.id);
    case 'none':
      return '';
  }
}

/** The row of a heading. */
export function groupRow(group: GroupNode, grouping: Grouping): vscode.TreeItem {
  const label = oneLine(labelOf(grouping, group));
  const count = group.members.length;
  const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(label, group.collapsed ? Collapsed : Expanded);
  item.id = `group/${grouping}/${group.id}`;
  item.description = String(count);
  item.contextValue = 'group';
  if (grouping === 'notebook') item.iconPath = new vscode.ThemeIcon('notebook');
  if (grouping === 'template') item.iconPath = new vscode.ThemeIcon('server-process');
  item.accessibilityInformation = {
    label:
      count === 1
        ? vscode.l10n.t('{0}, 1 execution', label)
        : vscode.l10n.t('{0}, {1} executions', label, count),
  };
  return item;
}

/** A row that shows more of a group, or of the services where it has none. */
export function moreRow(id: string, group: GroupNode | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Load more…'));
  item.id = id;
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.contextValue = 'loadMore';
  if (group !== undefined)
    item.description = vscode.l10n.t('{0} of {1} shown', group.limit, group.members.length);
  item.command = {
    command: LOAD_MORE,
    title: vscode.l10n.t('Load more…'),
    arguments: [{ kind: 'more', id, group }],
  };
  return item;
}
