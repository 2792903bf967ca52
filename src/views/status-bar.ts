import * as vscode from 'vscode';
import type { Execution } from '../execution/execution';
import type { Clock, Disposable } from '../tracking/clock';
import type { ExecutionStore } from '../tracking/execution-store';
import { notebookNameOf, parseTime } from '../wording/execution-facts';
import { EXPLORER_VIEW, type ExplorerView } from './explorer/explorer-view';
import { cellsLabel } from '../wording/end-sentences';
import { presentState } from '../wording/state-presentation';
import { formatDuration, oneLine } from '../wording/text';

/** How often the elapsed time is redrawn, in milliseconds. */
const REDRAW = 1000;

/**
 * The status bar item. Shows cells and time of a single active execution or else the number of active executions, and
 * how many executions failed since the view was last visible.
 */
export class StatusBarItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    'notebookExecutions.status',
    vscode.StatusBarAlignment.Left,
    -10,
  );
  private readonly active = new Set<string>();
  private readonly failed = new Set<string>();
  private timer: Disposable | undefined;
  private readonly subscriptions: { dispose(): void }[];

  constructor(
    private readonly store: ExecutionStore,
    explorer: Pick<ExplorerView, 'visible' | 'onDidChangeVisibility'>,
    private readonly clock: Clock,
  ) {
    this.item.name = vscode.l10n.t('Notebook Executions');
    this.item.command = `${EXPLORER_VIEW}.focus`;
    this.subscriptions = [
      this.item,
      store.onDidChange(({ added, changed, removed }) => {
        for (const { key } of removed) this.failed.delete(key);
        for (const { key, execution } of [...added, ...changed]) {
          // Only an execution that was seen active has failed just now; others are history.
          if (execution.state === 'FAILED' && this.active.has(key) && !explorer.visible) this.failed.add(key);
          if (execution.state !== 'FAILED') this.failed.delete(key);
        }
        this.show();
      }),
      explorer.onDidChangeVisibility(({ visible }) => {
        if (visible) this.failed.clear();
        this.show();
      }),
    ];
    this.show();
  }

  dispose(): void {
    this.timer?.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private show(): void {
    this.active.clear();
    const [only, ...others] = this.store.activeOnes();
    for (const { key } of this.store.activeOnes()) this.active.add(key);
    const one = others.length === 0 ? only?.execution : undefined;
    this.tick(one !== undefined);
    const active = this.active.size;
    const failed = this.failed.size;
    if (active + failed === 0) {
      this.item.hide();
      return;
    }
    const parts: string[] = [];
    const sentences: string[] = [];
    if (active > 0) {
      parts.push(one === undefined ? `$(sync~spin) ${String(active)}` : runText(one, this.clock.now()));
      sentences.push(
        one !== undefined
          ? vscode.l10n.t('The notebook execution {0} {1}', nameOf(one), presentState(one.state).predicate)
          : vscode.l10n.t('{0} notebook executions are active', active),
      );
    }
    if (failed > 0) {
      parts.push(`$(error) ${String(failed)}`);
      sentences.push(
        failed === 1
          ? vscode.l10n.t('1 notebook execution has failed')
          : vscode.l10n.t('{0} notebook executions have failed', failed),
      );
    }
    this.item.text = parts.join(' ');
    this.item.tooltip = sentences.join('\n');
    this.item.accessibilityInformation = { label: sentences.join(', '), role: 'button' };
    this.item.backgroundColor =
      failed > 0 ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.item.show();
  }

  /** Keeps the elapsed time of a single active execution current. */
  private tick(goesOn: boolean): void {
    if (!goesOn) {
      this.timer?.dispose();
      this.timer = undefined;
      return;
    }
    this.timer ??= this.clock.after(REDRAW, () => {
      this.timer = undefined;
      this.show();
    });
  }
}

/** A single execution with its cells and time; a waiting one has neither. */
function runText(execution: Execution, now: number): string {
  const { icon } = presentState(execution.state);
  const progress = execution.runStatus?.progress;
  const start = parseTime(execution.runStatus?.startTime);
  const parts = [
    ...(progress === undefined ? [presentState(execution.state).label] : [cellsLabel(progress)]),
    ...(start === undefined ? [] : [formatDuration(now - start)]),
  ];
  return `$(${icon.id}) ${nameOf(execution)} ${parts.join(' · ')}`;
}

/** The notebook's name, in which `$(` is escaped, because names are untrusted and could show icons. */
function nameOf(execution: Execution): string {
  return oneLine(notebookNameOf(execution), 40).replaceAll('$(', '$ (');
}
