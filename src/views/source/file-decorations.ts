import * as vscode from 'vscode';
import { isActive } from '../../execution/states';
import { hasFailed } from '../../wording/execution-facts';
import { presentState } from '../../wording/state-presentation';
import { explain } from '../../wording/end-sentences';
import type { LatestExecutions } from './latest-executions';

/** Marks notebooks in the Explorer and on tabs if their latest execution is active or has failed. */
export class FileDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<vscode.Uri[]>();
  readonly onDidChangeFileDecorations = this.emitter.event;
  private readonly subscriptions: { dispose(): void }[];
  /** The last decorated state of each source, so that progress alone does not cause a redraw. */
  private readonly states = new Map<string, string>();

  constructor(private readonly latest: LatestExecutions) {
    this.subscriptions = [
      vscode.window.registerFileDecorationProvider(this),
      latest.onDidChange((sources) => {
        const changed = sources.filter((source) => {
          const state = latest.of(source)?.execution.state ?? '';
          if (this.states.get(source) === state) return false;
          this.states.set(source, state);
          return true;
        });
        if (changed.length > 0) this.emitter.fire(changed.map((source) => vscode.Uri.parse(source)));
      }),
    ];
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const execution = this.latest.of(uri.toString())?.execution;
    if (execution === undefined) return undefined;
    const { label } = presentState(execution.state);
    if (isActive(execution.state))
      return new vscode.FileDecoration('▸', vscode.l10n.t('Notebook execution: {0}', label));
    if (!hasFailed(execution.state)) return undefined;
    const reason = explain(execution);
    return new vscode.FileDecoration(
      '✗',
      reason === undefined
        ? vscode.l10n.t('The last notebook execution failed.')
        : vscode.l10n.t('The last notebook execution failed. {0}', reason),
      new vscode.ThemeColor('list.errorForeground'),
    );
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.emitter.dispose();
  }
}
