import type { StoreChange, TrackedExecution } from '../../tracking/execution-store';
import {
  compareKeys,
  matches,
  sortKeyOf,
  type Arrangement,
  type Filter,
  type Grouping,
  type Sorting,
} from './arrangement';
import type { ExecutionNode, GroupNode } from './nodes';

/** The nodes to redraw; undefined for the whole tree. */
export type Redraw = readonly (GroupNode | ExecutionNode)[] | undefined;

/** How many rows of a group are shown at first, and how many more each "Load more" shows. */
const STEP = 200;
/** A group with at least this many rows is collapsed at first. */
const FOLDED_FROM = 101;
/** After more than this many changes at once, the whole tree is rebuilt. */
const MANY = 200;

export interface ExecutionTreeOptions {
  readonly now: () => number;
  /** The group of an execution when the tree is grouped by state. */
  readonly stateGroup: (tracked: TrackedExecution) => string;
  /** A template's displayed name. */
  readonly templateLabel: (name: string) => string;
  /** The id of an execution's group for the other groupings. */
  readonly groupOf: (grouping: Grouping, tracked: TrackedExecution) => string;
  /** Orders groups. */
  readonly compareGroups: (grouping: Grouping, one: GroupNode, other: GroupNode) => number;
}

/** Executions in groups, sorted and filtered. Updated incrementally: a change affects only its own rows. */
export class ExecutionTree {
  private readonly nodes = new Map<string, ExecutionNode>();
  private groupsById = new Map<string, GroupNode>();
  private sortedGroups: GroupNode[] = [];

  constructor(
    private arrangement: Arrangement,
    private readonly options: ExecutionTreeOptions,
  ) {}

  /** The groups in display order, without empty ones. */
  get groups(): readonly GroupNode[] {
    return this.sortedGroups;
  }

  get(key: string): ExecutionNode | undefined {
    return this.nodes.get(key);
  }

  /** Rebuilds the tree. Nodes of remaining executions and groups are reused. */
  rebuild(arrangement: Arrangement, all: readonly TrackedExecution[]): void {
    const regrouped = arrangement.grouping !== this.arrangement.grouping;
    this.arrangement = arrangement;
    const before = regrouped ? new Map<string, GroupNode>() : this.groupsById;
    this.groupsById = new Map();
    const keep = new Set<string>();
    const byGroup = new Map<string, ExecutionNode[]>();
    for (const tracked of all) {
      if (!this.shows(arrangement.filter, tracked)) continue;
      keep.add(tracked.key);
      const id = this.groupIdOf(tracked);
      const sortKey = this.sortKeyOf(arrangement.sorting, tracked);
      const node = this.nodes.get(tracked.key) ?? makeNode(tracked, sortKey);
      node.tracked = tracked;
      node.sortKey = sortKey;
      const list = byGroup.get(id) ?? [];
      list.push(node);
      byGroup.set(id, list);
      this.nodes.set(tracked.key, node);
    }
    for (const key of this.nodes.keys()) if (!keep.has(key)) this.nodes.delete(key);
    for (const [id, list] of byGroup) {
      list.sort((one, other) => compareKeys(one.sortKey, other.sortKey));
      const group = before.get(id) ?? makeGroup(id, list.length >= FOLDED_FROM);
      group.members.length = 0;
      for (const node of list) {
        node.group = group;
        group.members.push(node);
      }
      this.groupsById.set(id, group);
    }
    this.sortGroups();
  }

  /** Applies a change of the store. Returns what to redraw; an empty list if nothing visible has changed. */
  apply(change: StoreChange, all: () => readonly TrackedExecution[]): Redraw {
    const count = change.added.length + change.changed.length + change.removed.length;
    if (count > MANY) {
      this.rebuild(this.arrangement, all());
      return undefined;
    }
    const redraw = new Set<GroupNode | ExecutionNode>();
    let groupsBefore = this.groupsById.size;
    let headings = false;
    for (const { key } of change.removed) this.take(key, redraw);
    for (const tracked of [...change.added, ...change.changed]) {
      const node = this.nodes.get(tracked.key);
      const id = this.groupIdOf(tracked);
      const sortKey = this.sortKeyOf(this.arrangement.sorting, tracked);
      const shown = this.shows(this.arrangement.filter, tracked);
      if (node !== undefined && shown && node.group.id === id && compareKeys(node.sortKey, sortKey) === 0) {
        node.tracked = tracked;
        redraw.add(node);
        continue;
      }
      this.take(tracked.key, redraw);
      if (!shown) continue;
      // Reuse the node, so that the row keeps its selection and its folding.
      this.put(node ?? makeNode(tracked, sortKey), tracked, sortKey, id, redraw);
    }
    for (const [id, group] of this.groupsById) {
      if (group.members.length > 0) continue;
      this.groupsById.delete(id);
      headings = true;
    }
    groupsBefore = this.groupsById.size - groupsBefore;
    if (headings || groupsBefore !== 0 || this.sortedGroups.length !== this.groupsById.size) {
      this.sortGroups();
      return undefined;
    }
    // Redrawing a group redraws its rows as well.
    return [...redraw].filter((node) => node.kind === 'group' || !redraw.has(node.group));
  }

  /** Shows more rows of a group. */
  showMore(group: GroupNode): void {
    group.limit += STEP;
  }

  private put(
    node: ExecutionNode,
    tracked: TrackedExecution,
    sortKey: ExecutionNode['sortKey'],
    groupId: string,
    redraw: Set<GroupNode | ExecutionNode>,
  ): void {
    let group = this.groupsById.get(groupId);
    if (group === undefined) {
      group = makeGroup(groupId, false);
      this.groupsById.set(groupId, group);
    }
    node.tracked = tracked;
    node.sortKey = sortKey;
    node.group = group;
    group.members.splice(positionOf(group.members, sortKey), 0, node);
    this.nodes.set(tracked.key, node);
    redraw.add(group);
  }

  private take(key: string, redraw: Set<GroupNode | ExecutionNode>): void {
    const node = this.nodes.get(key);
    if (node === undefined) return;
    this.nodes.delete(key);
    const { members } = node.group;
    const index = members.indexOf(node);
    if (index >= 0) members.splice(index, 1);
    redraw.delete(node);
    redraw.add(node.group);
  }

  private sortGroups(): void {
    const { grouping } = this.arrangement;
    this.sortedGroups = [...this.groupsById.values()].sort((one, other) =>
      this.options.compareGroups(grouping, one, other),
    );
  }

  private shows(filter: Filter, tracked: TrackedExecution): boolean {
    const { stateGroup, templateLabel } = this.options;
    const template = tracked.execution.runOptions?.templateName ?? '';
    return matches(filter, tracked, stateGroup(tracked), templateLabel(template));
  }

  private groupIdOf(tracked: TrackedExecution): string {
    return this.options.groupOf(this.arrangement.grouping, tracked);
  }

  private sortKeyOf(sorting: Sorting, tracked: TrackedExecution): ExecutionNode['sortKey'] {
    return sortKeyOf(sorting, tracked, this.options.now());
  }
}

function makeGroup(id: string, collapsed: boolean): GroupNode {
  return { kind: 'group', id, members: [], limit: STEP, collapsed };
}

function makeNode(tracked: TrackedExecution, sortKey: ExecutionNode['sortKey']): ExecutionNode {
  return {
    kind: 'execution',
    tracked,
    sortKey,
    group: makeGroup('', false),
    details: [],
    detailed: undefined,
  };
}

/** Binary search for the position of a key among sorted nodes. */
function positionOf(members: readonly ExecutionNode[], sortKey: ExecutionNode['sortKey']): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const node = members[middle];
    if (node !== undefined && compareKeys(node.sortKey, sortKey) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
