import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import type { Clock, Disposable } from '../../tracking/clock';
import type { MachineMonitor } from '../../tracking/machine-monitor';
import type { TrackingService } from '../../tracking/tracking-service';
import { serviceName } from '../../wording/names';
import { presentGroup, STATE_GROUPS } from '../../wording/state-presentation';
import { isFiltering, parseArrangement, type Arrangement, type Filter } from './arrangement';
import { ExecutionTreeProvider } from './execution-tree-provider';
import type { ExecutionNode, GroupNode, MoreNode, TreeNode } from './nodes';
import { serviceFilter } from './service-filter';

export const EXPLORER_VIEW = 'notebookExecutions.explorer';
/** Context key: true while a filter hides executions. */
export const FILTERING_CONTEXT = 'notebookExecutions.filtering';
const ARRANGEMENT_KEY = 'explorer.arrangement';
/** With more active rows than this, elapsed times are redrawn less often. */
const FEW_ROWS = 20;
/** How often the ages of finished executions are redrawn while no execution is active, in milliseconds. */
const IDLE_REDRAW = 60_000;
/** A filter searches the services until it has found this many matches, and this many more per "Load more". */
const SEARCH_STEP = 100;

export interface ExplorerViewOptions {
  readonly tracking: Pick<TrackingService, 'store' | 'setWatched' | 'loadMore' | 'search'>;
  readonly monitor: Pick<MachineMonitor, 'info' | 'onDidChange' | 'setWatched'>;
  readonly clock: Clock;
  /** Workspace state, which keeps grouping, sorting and filter over a reload. */
  readonly memento: vscode.Memento;
}

/** The view "Notebook Executions": tree, badge, message about the filter and redrawing of elapsed times. */
export class ExplorerView implements vscode.Disposable {
  readonly provider: ExecutionTreeProvider;
  private readonly view: vscode.TreeView<TreeNode>;
  private readonly subscriptions: Disposable[];
  private readonly folded = new WeakSet<TreeNode>();
  private readonly unfolded = new WeakSet<TreeNode>();
  private timer: Disposable | undefined;
  /** Delay of the current timer, in milliseconds. */
  private wait = 0;
  /** How many matches the filter should find. */
  private wanted = SEARCH_STEP;
  private searching = false;
  /** The value of {@link FILTERING_CONTEXT}. */
  private filtering: boolean | undefined;
  private disposed = false;

  constructor(private readonly options: ExplorerViewOptions) {
    const { tracking, monitor, clock, memento } = options;
    const { store } = tracking;
    const arrangement = parseArrangement(memento.get(ARRANGEMENT_KEY));
    this.provider = new ExecutionTreeProvider({
      store,
      clock,
      arrangement,
      machine: monitor,
    });
    this.view = vscode.window.createTreeView(EXPLORER_VIEW, {
      treeDataProvider: this.provider,
      showCollapseAll: true,
      canSelectMany: true,
    });
    this.subscriptions = [
      this.provider,
      this.view,
      this.view.onDidChangeVisibility(({ visible }) => {
        tracking.setWatched(visible);
        monitor.setWatched(visible);
        this.tick();
        this.search();
      }),
      this.view.onDidCollapseElement(({ element }) => {
        this.folded.add(element);
        this.unfolded.delete(element);
      }),
      this.view.onDidExpandElement(({ element }) => {
        this.folded.delete(element);
        this.unfolded.add(element);
      }),
      store.onDidChange(() => {
        this.showBadge();
        this.showFilter();
        this.tick();
      }),
      store.onDidChangeService(() => {
        this.showFilter();
        this.search();
      }),
    ];
    tracking.setWatched(this.view.visible);
    monitor.setWatched(this.view.visible);
    this.showBadge();
    this.showFilter();
  }

  /** True while the view is visible. */
  get visible(): boolean {
    return this.view.visible;
  }

  /** Fires when the view becomes visible or hidden. */
  get onDidChangeVisibility(): vscode.Event<vscode.TreeViewVisibilityChangeEvent> {
    return this.view.onDidChangeVisibility;
  }

  get arrangement(): Arrangement {
    return this.provider.arrangement;
  }

  /** The selected rows. Commands of the palette act on them. */
  get selection(): readonly TreeNode[] {
    return this.view.selection;
  }

  /** Loads the lines again that could not be loaded. */
  retryFailed(): void {
    this.provider.retryFailed();
  }

  /** Changes grouping, sorting or filter, and stores the change. */
  async arrange(change: Partial<Arrangement>): Promise<void> {
    const arrangement = { ...this.provider.arrangement, ...change };
    this.provider.arrange(arrangement);
    this.wanted = SEARCH_STEP;
    this.showFilter();
    this.search();
    await this.options.memento.update(ARRANGEMENT_KEY, arrangement);
  }

  /** The row to select once these executions are gone: the next one in their group, else the one before. */
  neighbourOf(keys: readonly string[]): string | undefined {
    const node = this.provider.nodeOf(keys.at(-1) ?? '');
    if (node === undefined) return undefined;
    const { members } = node.group;
    const place = members.indexOf(node);
    const nearest = [...members.slice(place + 1), ...members.slice(0, place).reverse()];
    return nearest.find(({ tracked }) => !keys.includes(tracked.key))?.tracked.key;
  }

  /** Opens the view and selects an execution's row. Does nothing if the filter hides the execution. */
  async reveal(key: string, focus = false): Promise<void> {
    const node = this.provider.nodeOf(key);
    if (node === undefined) return;
    // The editor does not know rows behind "Load more" yet.
    while (node.group.members.indexOf(node) >= node.group.limit) this.provider.showMore(node.group);
    await this.view.reveal(node, { select: true, focus });
  }

  /** Shows more rows of a group, or requests older executions from the services. */
  async showMore(node: MoreNode | undefined): Promise<void> {
    if (node?.group !== undefined) {
      this.provider.showMore(node.group);
      return;
    }
    this.wanted = this.provider.shownCount + SEARCH_STEP;
    if (!this.search()) await this.options.tracking.loadMore();
  }

  dispose(): void {
    this.disposed = true;
    this.timer?.dispose();
    this.timer = undefined;
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private showBadge(): void {
    const value = this.options.tracking.store.activeOnes().length;
    if ((this.view.badge?.value ?? 0) === value) return;
    const tooltip =
      value === 1 ? vscode.l10n.t('1 active execution') : vscode.l10n.t('{0} active executions', value);
    this.view.badge = value === 0 ? undefined : { value, tooltip };
  }

  /** Says above the rows what is filtered. VS Code shows no description in the title of a container's only view. */
  private showFilter(): void {
    const { filter } = this.provider.arrangement;
    const filtering = isFiltering(filter);
    // With a message, VS Code would not show the welcome text of an empty view. An empty text removes the message.
    const empty = this.provider.shownCount === 0 && !this.provider.isPartial;
    const message = filtering && !empty ? this.filterMessage(filter) : '';
    if (message !== this.view.message) this.view.message = message;
    if (filtering === this.filtering) return;
    this.filtering = filtering;
    void vscode.commands.executeCommand('setContext', FILTERING_CONTEXT, filtering);
  }

  private filterMessage({ text, states, services }: Filter): string {
    const typed = text.trim();
    const parts = [
      ...(typed === '' ? [] : [`“${typed}”`]),
      ...STATE_GROUPS.filter((group) => states.includes(group)).map((group) => presentGroup(group).label),
      ...services.map(serviceName),
    ].join(', ');
    const { partialServices, shownCount } = this.provider;
    if (partialServices.length === 0) return vscode.l10n.t('Filter: {0}', parts);
    // A service with filters returns the newest matches, whatever is between them.
    if (partialServices.every(({ service }) => service.capabilities.filters === true))
      return vscode.l10n.t('Filter: {0}. Shown: the newest {1} that match.', parts, shownCount);
    const known = this.options.tracking.store.all().length;
    return vscode.l10n.t('Filter: {0}. Searched: the newest {1} executions.', parts, known);
  }

  /**
   * Requests older executions from the services while the filter has found too few matches. Returns whether a search
   * is running. Stops if a service fails; the view shows its error.
   */
  private search(): boolean {
    if (this.searching) return true;
    if (!this.searchesOn()) return false;
    this.searching = true;
    void vscode.window.withProgress({ location: { viewId: EXPLORER_VIEW } }, async () => {
      try {
        while (this.searchesOn() && (await this.loadOlder()));
      } finally {
        this.searching = false;
        if (!this.disposed) this.showFilter();
      }
    });
    return true;
  }

  /** Returns whether the services returned another page. */
  private async loadOlder(): Promise<boolean> {
    const { tracking } = this.options;
    const { filter } = this.provider.arrangement;
    const positions = () =>
      tracking.store.statuses().map(({ nextPageToken, search }) => [nextPageToken, search]);
    const before = positions();
    await tracking.search(serviceFilter(filter), filter.services);
    return !isDeepStrictEqual(before, positions());
  }

  private searchesOn(): boolean {
    const { provider, view, wanted } = this;
    const failing = this.options.tracking.store.statuses().some(({ error }) => error !== undefined);
    return (
      !this.disposed &&
      view.visible &&
      isFiltering(provider.arrangement.filter) &&
      provider.isPartial &&
      provider.shownCount < wanted &&
      !failing
    );
  }

  /** Whether the user unfolded the node. A group that the user has not changed is in its initial state. */
  private isUnfolded(node: GroupNode | ExecutionNode): boolean {
    if (this.folded.has(node)) return false;
    return this.unfolded.has(node) || (node.kind === 'group' && !node.collapsed);
  }

  /** Updates elapsed times and ages while the view is visible. */
  private tick(): void {
    const { store } = this.options.tracking;
    if (!this.view.visible || store.isEmpty) return;
    const active = store.activeOnes().length;
    const wait = active === 0 ? IDLE_REDRAW : active > FEW_ROWS ? 5000 : 1000;
    // When an execution becomes active, a long idle timer is replaced by a short one.
    if (this.timer !== undefined && wait >= this.wait) return;
    this.timer?.dispose();
    this.wait = wait;
    this.timer = this.options.clock.after(wait, () => {
      this.timer = undefined;
      if (this.view.visible) this.provider.redrawElapsed((node) => this.isUnfolded(node));
      this.tick();
    });
  }
}
