import type * as vscode from 'vscode';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { SortKey } from './arrangement';

/** What the tree shows. Menus and commands get these objects as arguments; see {@link trackedOf}. */
export type TreeNode =
  GroupNode | ExecutionNode | DetailNode | MoreNode | ServiceErrorNode | MachineNode | SetupNode;

/** Executions under one heading. The root of a flat tree is one, too, but not shown. */
export interface GroupNode {
  readonly kind: 'group';
  readonly id: string;
  /** Sorted. */
  readonly members: ExecutionNode[];
  /** How many of them are shown before "Load more". */
  limit: number;
  /** As the group first appeared; the person's own folding is VS Code's. */
  readonly collapsed: boolean;
}

/** One execution. The node stays the same while the execution changes. */
export interface ExecutionNode {
  readonly kind: 'execution';
  tracked: TrackedExecution;
  group: GroupNode;
  sortKey: SortKey;
  /** The lines below it as the editor knows them; empty while it was never unfolded. */
  details: readonly DetailNode[];
  /** What `details` were made of. */
  detailed: TrackedExecution | undefined;
}

/** A line below an execution. */
export interface DetailNode {
  readonly kind: 'detail';
  readonly id: string;
  readonly parent: ExecutionNode | DetailNode;
  readonly item: vscode.TreeItem;
  /** The text behind the label, where it changes with time alone. */
  readonly elapsed?: (now: number) => string;
  /** Asked when the person unfolds it. */
  readonly children?: () => Promise<DetailNode[]>;
}

/** Shows more executions when chosen. */
export interface MoreNode {
  readonly kind: 'more';
  readonly id: string;
  /** The group it belongs to; undefined: it asks the services for older ones. */
  readonly group: GroupNode | undefined;
}

/** A service that cannot be asked now. */
export interface ServiceErrorNode {
  readonly kind: 'serviceError';
  readonly serviceId: string;
}

/** The service of this machine; the last row. */
export interface MachineNode {
  readonly kind: 'machine';
}

/** Something that keeps notebooks from being executed, or what mends it, in an empty view. */
export interface SetupNode {
  readonly kind: 'setup';
  readonly item: vscode.TreeItem;
}

/** The execution that a menu's argument means: of its row or of a line below it. Undefined for anything else. */
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
