import type * as vscode from 'vscode';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { SortKey } from './arrangement';

/** A row of the tree. Menus and commands receive these objects as arguments; see {@link trackedOf}. */
export type TreeNode =
  GroupNode | ExecutionNode | DetailNode | MoreNode | ServiceErrorNode | MachineNode | SetupNode;

/** Executions under one heading. A flat tree has one group, whose heading is not shown. */
export interface GroupNode {
  readonly kind: 'group';
  readonly id: string;
  /** Sorted. */
  readonly members: ExecutionNode[];
  /** How many members are shown before "Load more". */
  limit: number;
  /** Initial state of the group. VS Code keeps the user's folding. */
  readonly collapsed: boolean;
}

/** One execution. The node is reused when the execution changes. */
export interface ExecutionNode {
  readonly kind: 'execution';
  tracked: TrackedExecution;
  group: GroupNode;
  sortKey: SortKey;
  /** The lines below it as the editor knows them; empty until it is unfolded. */
  details: readonly DetailNode[];
  /** The execution from which `details` were computed. */
  detailed: TrackedExecution | undefined;
}

/** A line below an execution. */
export interface DetailNode {
  readonly kind: 'detail';
  readonly id: string;
  readonly parent: ExecutionNode | DetailNode;
  readonly item: vscode.TreeItem;
  /** The description after the label, if it changes with time alone. `now` in milliseconds since the epoch. */
  readonly elapsed?: (now: number) => string;
  /** Called when the user unfolds the line. */
  readonly children?: () => Promise<DetailNode[]>;
}

/** Shows more executions when chosen. */
export interface MoreNode {
  readonly kind: 'more';
  readonly id: string;
  /** The group it belongs to; undefined if it requests older executions from the services. */
  readonly group: GroupNode | undefined;
}

/** A service that cannot be reached. */
export interface ServiceErrorNode {
  readonly kind: 'serviceError';
  readonly serviceId: string;
}

/** The service of this machine, the last row. */
export interface MachineNode {
  readonly kind: 'machine';
}

/** In an empty view: something that prevents notebooks from running, or an action that fixes it. */
export interface SetupNode {
  readonly kind: 'setup';
  readonly item: vscode.TreeItem;
}

/** The execution of a menu's argument: of its row or of a line below it. Undefined for anything else. */
export function trackedOf(argument: unknown): TrackedExecution | undefined {
  if (!isNode(argument)) return undefined;
  switch (argument.kind) {
    case 'execution':
      return argument.tracked;
    case 'detail':
      return trackedOf(argument.parent);
    case 'group':
    case 'more':
    case 'serviceError':
    case 'machine':
    case 'setup':
      return undefined;
  }
}

function isNode(argument: unknown): argument is TreeNode {
  return (
    typeof argument === 'object' &&
    argument !== null &&
    'kind' in argument &&
    ['execution', 'detail', 'group', 'more', 'serviceError', 'machine', 'setup'].includes(
      String(argument.kind),
    ) &&
    (argument.kind !== 'execution' || 'tracked' in argument)
  );
}
