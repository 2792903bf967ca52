import type { TrackedExecution } from '../../../tracking/execution-store';
import type { ExecutionTree } from '../execution-tree';
import type { DetailNode, ExecutionNode, GroupNode, TreeNode } from '../nodes';
import { dayId } from './group-rows';

/** How often the ages of finished executions are redrawn, in milliseconds. */
const AGES_REDRAW = 60_000;
/** How long the elapsed time of a row under the mouse is not redrawn, in milliseconds. */
const TOOLTIP_TIME = 10_000;

/** Finds the rows whose text has changed with time alone. */
export class OutdatedRows {
  /** Row descriptions as last drawn. Rows that were never drawn have no entry. */
  private readonly descriptions = new WeakMap<ExecutionNode, string>();
  /** The row whose tooltip was requested last. Redrawing a row closes its tooltip. */
  private hover: { readonly node: TreeNode; readonly since: number } | undefined;

  /**
   * @param agesDrawn when the ages of finished executions were last drawn; like all times here, in milliseconds since
   * the epoch.
   * @param describe returns the description that a row has at a time.
   */
  constructor(
    private readonly tree: ExecutionTree,
    private agesDrawn: number,
    private readonly describe: (node: ExecutionNode, now: number) => string,
  ) {}

  /** A row was drawn with this description. */
  drawn(node: ExecutionNode, description: string): void {
    this.descriptions.set(node, description);
  }

  /** The tooltip of a row was requested. */
  hovered(node: TreeNode, now: number): void {
    this.hover = { node, since: now };
  }

  /**
   * Unfolded rows whose elapsed time or queue position has changed and, once a minute, those whose age has changed.
   * Undefined if a new day has begun, so that all groups by day change.
   */
  find(
    active: readonly TrackedExecution[],
    now: number,
    byDay: boolean,
    isUnfolded: (node: GroupNode | ExecutionNode) => boolean,
  ): TreeNode[] | undefined {
    const redraw = new Set<TreeNode>();
    for (const { key } of active) {
      const node = this.tree.get(key);
      if (node === undefined || !isUnfolded(node.group) || this.isHovered(node, now)) continue;
      if (this.isOutdated(node, now)) redraw.add(node);
      else for (const detail of outdatedDetails(node, now)) redraw.add(detail);
    }
    if (now - this.agesDrawn >= AGES_REDRAW) {
      const newDay = dayId(now) !== dayId(this.agesDrawn);
      this.agesDrawn = now;
      if (newDay && byDay) return undefined;
      for (const group of this.tree.groups.filter(isUnfolded)) {
        for (const node of group.members.slice(0, group.limit))
          if (this.isOutdated(node, now) && !this.isHovered(node, now)) redraw.add(node);
      }
    }
    return [...redraw];
  }

  /** Whether a drawn row would now have another description. */
  private isOutdated(node: ExecutionNode, now: number): boolean {
    const drawn = this.descriptions.get(node);
    return drawn !== undefined && drawn !== this.describe(node, now);
  }

  /** Whether the tooltip of a row is probably open. A queued row shows its position, which is always current. */
  private isHovered(node: ExecutionNode, now: number): boolean {
    if (node.tracked.execution.state === 'QUEUED') return false;
    return this.hover?.node === node && now - this.hover.since < TOOLTIP_TIME;
  }
}

/** Updates the elapsed times in the lines below an execution. Returns the lines that changed. */
export function outdatedDetails(node: ExecutionNode, now: number): DetailNode[] {
  return node.details.filter((detail) => {
    const text = detail.elapsed?.(now);
    if (text === undefined || text === detail.item.description) return false;
    detail.item.description = text;
    return true;
  });
}
