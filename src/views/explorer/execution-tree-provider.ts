import * as vscode from 'vscode';
import type { Clock } from '../../tracking/clock';
import type { ExecutionStore } from '../../tracking/execution-store';
import type { MachineMonitor } from '../../tracking/machine-monitor';
import type { ServiceStatus } from '../../tracking/service-statuses';
import { problemOf } from '../../wording/problem-sentences';
import { presentState } from '../../wording/state-presentation';
import { templateLabel } from '../../wording/names';
import type { Arrangement } from './arrangement';
import { executionRow, openCommand, rowDescription, type RowContext } from './rows/execution-row';
import { OutdatedRows, outdatedDetails } from './rows/outdated-rows';
import { ExecutionTree } from './execution-tree';
import { compareGroups, groupOf, groupRow, moreRow } from './rows/group-rows';
import type { DetailNode, ExecutionNode, GroupNode, MachineNode, TreeNode } from './nodes';
import { serviceFilter } from './service-filter';
import { queuePositions, type QueuePosition } from './rows/queue-positions';
import { errorRow, failureRow, machineRow } from './rows/service-rows';
import { setupRows } from './rows/setup-rows';
import { executionTooltip } from './rows/tooltip';

export interface ExecutionTreeProviderOptions {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly arrangement: Arrangement;
  /** The service of this machine, if it has a row. */
  readonly machine?: Pick<MachineMonitor, 'info' | 'onDidChange'>;
}

/** Shows the store as a tree. Redraws only the rows that a change affects. */
export class ExecutionTreeProvider implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly tree: ExecutionTree;
  private readonly changeEmitter = new vscode.EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.changeEmitter.event;
  private readonly subscriptions: { dispose(): void }[];
  private current: Arrangement;
  private readonly machineNode: MachineNode = { kind: 'machine' };
  /** The Python that cannot run notebooks, if the empty view should say so. */
  private unable: string | undefined;
  private machineShown = false;
  private readonly outdated: OutdatedRows;
  /** Lines whose own lines could not be loaded. */
  private readonly failed = new Set<DetailNode>();
  /** Positions in queues; undefined if they must be computed again. */
  private positions: ReadonlyMap<string, QueuePosition> | undefined;

  constructor(private readonly options: ExecutionTreeProviderOptions) {
    const { store, clock, arrangement, machine } = options;
    this.current = arrangement;
    this.tree = new ExecutionTree(arrangement, {
      now: () => clock.now(),
      stateGroup: ({ execution }) => presentState(execution.state).group,
      templateLabel,
      groupOf,
      compareGroups: (grouping, one, other) => compareGroups(grouping, one, other, clock.now()),
    });
    this.tree.rebuild(arrangement, store.all());
    this.outdated = new OutdatedRows(this.tree, clock.now(), (node, now) => {
      return rowDescription(node.tracked.execution, this.contextOf(node, now));
    });
    this.subscriptions = [
      store.onDidChange((change) => {
        this.positions = undefined;
        const redraw = this.tree.apply(change, () => store.all());
        if (redraw === undefined || this.current.grouping === 'none')
          this.changeEmitter.fire(this.flatRedraw(redraw));
        else if (redraw.length > 0) this.changeEmitter.fire([...redraw]);
      }),
      store.onDidChangeService(() => {
        this.positions = undefined;
        this.changeEmitter.fire(undefined);
      }),
    ];
    const redrawMachine = machine?.onDidChange(() => {
      this.redrawMachine();
    });
    if (redrawMachine !== undefined) this.subscriptions.push(redrawMachine);
  }

  get arrangement(): Arrangement {
    return this.current;
  }

  /** Changes grouping, sorting or filter. */
  arrange(arrangement: Arrangement): void {
    this.current = arrangement;
    this.tree.rebuild(arrangement, this.options.store.all());
    this.changeEmitter.fire(undefined);
  }

  /** How many executions match the filter. */
  get shownCount(): number {
    return this.tree.groups.reduce((sum, group) => sum + group.members.length, 0);
  }

  /** Shows in the empty view which Python cannot run notebooks and how to fix it; undefined shows nothing. */
  showUnable(python: string | undefined): void {
    if (python === this.unable) return;
    this.unable = python;
    this.changeEmitter.fire(undefined);
  }

  /** Whether services have more executions than the store; with a filter, more that may match. */
  get isPartial(): boolean {
    return this.partialServices.length > 0;
  }

  /** The services that {@link isPartial} is about. */
  get partialServices(): readonly ServiceStatus[] {
    const { services } = this.current.filter;
    const filter = serviceFilter(this.current.filter);
    return this.options.store.statuses().filter(({ service, nextPageToken, search }) => {
      const foundAll = filter !== '' && search?.filter === filter && search.nextPageToken === undefined;
      const isShown = services.length === 0 || services.includes(service.id);
      return nextPageToken !== undefined && isShown && !foundAll;
    });
  }

  /** The row of an execution, to reveal it. */
  nodeOf(key: string): ExecutionNode | undefined {
    return this.tree.get(key);
  }

  /**
   * Redraws rows whose elapsed time or queue position has changed and, once a minute, those whose age has changed.
   */
  redrawElapsed(isUnfolded: (node: GroupNode | ExecutionNode) => boolean): void {
    const { store, clock } = this.options;
    const now = clock.now();
    const byDay = this.current.grouping === 'day';
    const redraw = this.outdated.find(store.activeOnes(), now, byDay, isUnfolded);
    if (redraw === undefined || redraw.length > 0) this.changeEmitter.fire(redraw);
  }

  /** Shows more rows of a group. */
  showMore(group: GroupNode): void {
    this.tree.showMore(group);
    this.changeEmitter.fire(this.current.grouping === 'none' ? undefined : [group]);
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (node === undefined) {
      await this.firstAnswer();
      return this.roots();
    }
    switch (node.kind) {
      case 'group':
        return rowsOf(node);
      case 'execution': {
        const { detailsOf } = await import('./rows/details');
        const now = this.options.clock.now();
        // Reuse the same lines while the execution is unchanged, so that unfolded lines stay unfolded.
        if (node.detailed === node.tracked) outdatedDetails(node, now);
        else node.details = detailsOf(node, now);
        node.detailed = node.tracked;
        return [...node.details];
      }
      case 'detail':
        return this.linesBelow(node);
      case 'more':
      case 'serviceError':
      case 'machine':
      case 'setup':
        return [];
    }
  }

  /** The lines below a line. If they cannot be loaded, one that says why: VS Code would show a notification each time. */
  private async linesBelow(node: DetailNode): Promise<DetailNode[]> {
    try {
      this.failed.delete(node);
      return (await node.children?.()) ?? [];
    } catch (error) {
      this.failed.add(node);
      const item = failureRow(node.id, problemOf(error).message);
      return [{ kind: 'detail', id: `${node.id}/error`, parent: node, item }];
    }
  }

  /** Loads the lines again that could not be loaded. */
  retryFailed(): void {
    const failed = [...this.failed];
    this.failed.clear();
    if (failed.length > 0) this.changeEmitter.fire(failed);
  }

  getParent(node: TreeNode): TreeNode | undefined {
    switch (node.kind) {
      case 'execution':
        return this.current.grouping === 'none' ? undefined : node.group;
      case 'detail':
        return node.parent;
      case 'more':
        return this.current.grouping === 'none' ? undefined : node.group;
      case 'group':
      case 'serviceError':
      case 'machine':
      case 'setup':
        return undefined;
    }
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    switch (node.kind) {
      case 'group':
        return groupRow(node, this.current.grouping, this.options.clock.now(), this.isPartial);
      case 'execution': {
        const item = executionRow(node.tracked, this.contextOf(node, this.options.clock.now()));
        this.outdated.drawn(node, String(item.description));
        const command = openCommand(node);
        if (command !== undefined) item.command = command;
        return item;
      }
      case 'detail':
      case 'setup':
        return node.item;
      case 'more':
        return moreRow(node.id, node.group);
      case 'serviceError':
        return errorRow(this.options.store.status(node.serviceId));
      case 'machine': {
        const info = this.options.machine?.info;
        return info === undefined ? new vscode.TreeItem('') : machineRow(info, this.options.clock.now());
      }
    }
  }

  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    const now = this.options.clock.now();
    this.outdated.hovered(node, now);
    if (node.kind === 'execution') item.tooltip = executionTooltip(node.tracked, now);
    return item;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
  }

  /** What a row shows in addition to its execution. */
  private contextOf({ tracked: { key } }: ExecutionNode, now: number): RowContext {
    this.positions ??= queuePositions(this.options.store);
    return { now, byDay: this.current.grouping === 'day', queue: this.positions.get(key) };
  }

  private roots(): TreeNode[] {
    const { store } = this.options;
    const statuses = store.statuses();
    const [flat] = this.tree.groups;
    const rows = this.current.grouping !== 'none' ? this.tree.groups : flat === undefined ? [] : rowsOf(flat);
    // An empty view shows errors differently, with buttons (welcome.ts).
    const errors = (rows.length === 0 ? [] : statuses)
      .filter(({ error }) => error !== undefined)
      .map(({ service }): TreeNode => ({ kind: 'serviceError', serviceId: service.id }));
    // Without executions, the view shows the welcome text. VS Code shows it only if the tree is empty.
    this.machineShown = rows.length > 0 && this.options.machine?.info !== undefined;
    if (rows.length === 0 && this.unable !== undefined) return setupRows(this.unable);
    return [
      ...errors,
      ...rows,
      ...(this.isPartial ? [{ kind: 'more', id: 'more', group: undefined } as const] : []),
      ...(this.machineShown ? [this.machineNode] : []),
    ];
  }

  private redrawMachine(): void {
    const shown = this.tree.groups.length > 0 && this.options.machine?.info !== undefined;
    if (shown !== this.machineShown) this.changeEmitter.fire(undefined);
    else if (shown) this.changeEmitter.fire([this.machineNode]);
  }

  /** A flat tree has no headings, so a changed group means that the whole tree is redrawn. */
  private flatRedraw(redraw: readonly TreeNode[] | undefined): TreeNode[] | undefined {
    if (redraw === undefined || redraw.some((node) => node.kind === 'group')) return undefined;
    return [...redraw];
  }

  /** Resolves once every service has answered or failed. Until then the view shows that it is loading. */
  private async firstAnswer(): Promise<void> {
    const { store } = this.options;
    const pending = () => store.statuses().some(({ loaded, error }) => !loaded && error === undefined);
    if (!pending() || this.tree.groups.length > 0) return;
    await new Promise<void>((resolve) => {
      const subscription = store.onDidChangeService(() => {
        if (pending()) return;
        subscription.dispose();
        resolve();
      });
      this.subscriptions.push(subscription);
    });
  }
}

/** The rows of a group, up to its limit. */
function rowsOf(group: GroupNode): TreeNode[] {
  if (group.members.length <= group.limit) return [...group.members];
  return [...group.members.slice(0, group.limit), { kind: 'more', id: `more/${group.id}`, group }];
}
