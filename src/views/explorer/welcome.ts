import * as vscode from 'vscode';
import type { Disposable } from '../../tracking/clock';
import type { ExecutionStore } from '../../tracking/execution-store';
import type { ExplorerView } from './explorer-view';
import { type FoundPython } from '../../python/found-python';
import { welcomeReason, type WelcomeReason } from './welcome-reason';

/** Context key: why the view shows no executions, unless there are none. */
const WELCOME_CONTEXT = 'notebookExecutions.welcome';

export interface WelcomeOptions {
  readonly store: ExecutionStore;
  readonly explorer: ExplorerView;
  /** Starts a process. Called only while an empty view is visible. */
  readonly findPython: () => Promise<FoundPython>;
  readonly log: (line: string) => void;
}

/** Selects the text and the button that the view shows if it has no executions. */
export class Welcome implements vscode.Disposable {
  private readonly subscriptions: Disposable[];
  private reason: WelcomeReason = '';
  private python: FoundPython = { state: 'found', executable: undefined };

  constructor(private readonly options: WelcomeOptions) {
    const { store, explorer } = options;
    const update = () => {
      this.update();
    };
    const check = () => {
      this.check().catch((error: unknown) => {
        options.log(`Looking for Python: ${String(error)}`);
      });
    };
    this.subscriptions = [
      store.onDidChange(update),
      store.onDidChangeService(update),
      explorer.provider.onDidChangeTreeData(update),
      explorer.onDidChangeVisibility(check),
      vscode.workspace.onDidGrantWorkspaceTrust(check),
    ];
    update();
    check();
  }

  /** Looks for Python while an empty view is visible. Starts no program in an untrusted workspace. */
  async check(): Promise<void> {
    const { explorer, store, findPython } = this.options;
    if (!explorer.visible || !vscode.workspace.isTrusted || !store.isEmpty) return;
    this.python = await findPython();
    this.update();
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private update(): void {
    const { store, explorer } = this.options;
    const failures = store
      .statuses()
      .flatMap(({ service, error }) => (error === undefined ? [] : [{ serviceId: service.id, error }]));
    const { shownCount } = explorer.provider;
    const reason = welcomeReason(!store.isEmpty, shownCount, failures, this.python.state);
    explorer.provider.showUnable(reason === 'ipykernelMissing' ? this.python.executable : undefined);
    if (reason === this.reason) return;
    this.reason = reason;
    void vscode.commands.executeCommand('setContext', WELCOME_CONTEXT, reason);
  }
}
