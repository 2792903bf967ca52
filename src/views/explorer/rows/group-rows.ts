import * as vscode from 'vscode';
import { isActive } from '../../../execution/states';
import type { TrackedExecution } from '../../../tracking/execution-store';
import { notebookNameOf, parseTime } from '../../../wording/execution-facts';
import {
  presentGroup,
  presentState,
  STATE_GROUPS,
  type StateGroup,
} from '../../../wording/state-presentation';
import { templateLabel } from '../../../wording/names';
import { commandOf } from '../../../wording/own-commands';
import { formatDay, oneLine } from '../../../wording/text';
import type { Grouping } from '../arrangement';
import type { GroupNode, MoreNode } from '../nodes';

/** Id of the group of active executions, when grouped by state or by day. */
const ACTIVE = 'active';

/** A day in this machine's time zone as the id of a group, such as `2026-11-03`. */
export function dayId(time: number): string {
  const date = new Date(time);
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${String(date.getFullYear())}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** The id of the group that an execution belongs to. */
export function groupOf(grouping: Grouping, { execution }: TrackedExecution): string {
  switch (grouping) {
    case 'state':
      return presentState(execution.state).group;
    case 'notebook':
      return execution.runOptions?.source ?? notebookNameOf(execution);
    case 'day': {
      const created = parseTime(execution.createTime);
      return isActive(execution.state) ? ACTIVE : created === undefined ? '' : dayId(created);
    }
    case 'template':
      return execution.runOptions?.templateName ?? '';
    case 'none':
      return 'all';
  }
}

/** Orders groups for display. */
export function compareGroups(grouping: Grouping, one: GroupNode, other: GroupNode, now: number): number {
  if (grouping === 'state')
    return STATE_GROUPS.indexOf(one.id as StateGroup) - STATE_GROUPS.indexOf(other.id as StateGroup);
  // Active executions first, then the newest day. Ids of days sort chronologically.
  if (grouping === 'day') return one.id === other.id ? 0 : one.id > other.id ? -1 : 1;
  return labelOf(grouping, one, now).localeCompare(labelOf(grouping, other, now), undefined, {
    numeric: true,
  });
}

/** The heading of a group; empty in a flat tree. */
export function labelOf(grouping: Grouping, group: GroupNode, now: number): string {
  switch (grouping) {
    case 'state':
      return presentGroup(group.id as StateGroup).label;
    case 'day':
      if (group.id === ACTIVE) return presentGroup('active').label;
      return group.id === ''
        ? vscode.l10n.t('Without a Date')
        : formatDay(new Date(`${group.id}T00:00`).getTime(), now, vscode.env.language);
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

/**
 * The row of a group's heading.
 * @param partial true if the services have more executions than the store.
 */
export function groupRow(
  group: GroupNode,
  grouping: Grouping,
  now: number,
  partial: boolean,
): vscode.TreeItem {
  const label = oneLine(labelOf(grouping, group, now));
  const count = group.members.length;
  // The store always knows all active executions.
  const allActive = (grouping === 'state' || grouping === 'day') && group.id === ACTIVE;
  const atLeast = partial && !allActive;
  const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(label, group.collapsed ? Collapsed : Expanded);
  item.id = `group/${grouping}/${group.id}`;
  item.description = atLeast ? `${String(count)}+` : String(count);
  if (atLeast) item.tooltip = vscode.l10n.t('{0} of the executions loaded so far', count);
  item.contextValue = 'group';
  if (grouping === 'notebook') item.iconPath = new vscode.ThemeIcon('notebook');
  if (grouping === 'template') item.iconPath = new vscode.ThemeIcon('server-process');
  item.accessibilityInformation = {
    label: atLeast
      ? vscode.l10n.t('{0}, at least {1} executions', label, count)
      : count === 1
        ? vscode.l10n.t('{0}, 1 execution', label)
        : vscode.l10n.t('{0}, {1} executions', label, count),
  };
  return item;
}

/** The row "Load more", for a group or, without one, for the services. */
export function moreRow(id: string, group: GroupNode | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Load more…'));
  item.id = id;
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.contextValue = 'loadMore';
  if (group !== undefined)
    item.description = vscode.l10n.t('{0} of {1} shown', group.limit, group.members.length);
  const node: MoreNode = { kind: 'more', id, group };
  item.command = commandOf(vscode.l10n.t('Load more…'), 'notebookExecutions.loadMore', node);
  return item;
}
