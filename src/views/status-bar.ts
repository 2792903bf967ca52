import * as vscode from 'vscode';
import type { ExecutionStore } from '../tracking/execution-store';
import { EXPLORER_VIEW, type ExplorerView } from './explorer/explorer-view';

/** The status-bar item: how many executions are active, and how many failed since the view was last seen. */
export class StatusBarItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    'notebookExecutions.status',
    vscode.StatusBarAlignment.Left,
    -10,
  );
  private readonly active = new Set<string>();
  private readonly failed = new Set<string>();
  private readonly subscriptions: { dispose(): void }[];

  constructor(
    private readonly store: ExecutionStore,
    explorer: Pick<ExplorerView, 'visible' | 'onDidChangeVisibility'>,
  ) {
    this.item.name = vscode.l10n.t('Notebook Executions');
    this.item.command = `${EXPLORER_VIEW}.focus`;
    this.subscriptions = [
      this.item,
      store.onDidChange(({ added, changed, removed }) => {
        for (const { key } of removed) this.failed.delete(key);
        for (const { key, execution } of [...added, ...changed]) {
          // Only what was seen active has failed newly; the rest is history.
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
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private show(): void {
    this.active.clear();
    for (const { key } of this.store.activeOnes()) this.active.add(key);
    const active = this.active.size;
    const failed = this.failed.size;
    if (active + failed === 0) {
      this.item.hide();
      return;
    }
    const parts: string[] = [];
    const sentences: string[] = [];
    if (active > 0) {
      parts.push(`$(sync~spin) ${String(active)}`);
      sentences.push(
        active === 1
          ? vscode.l10n.t('1 notebook execution is active')
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
}
