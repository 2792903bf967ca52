import * as vscode from 'vscode';
import { isTerminal } from '../../execution/states';
import type { ExecutionStore, TrackedExecution } from '../../tracking/execution-store';
import { hashOf } from './notebook-hash';

const KEY = 'notebookExecutions.writeBacks';

/** Pending write-backs by key of the execution; kept over a reload. */
type Pending = Readonly<
  Record<
    string,
    {
      readonly source: string;
      /** SHA-256 of the notebook at submission. */
      readonly hash: string;
      /** Whether it was submitted together with others. */
      readonly batch?: boolean;
    }
  >
>;

/** Writes the outputs of successful executions into their source notebooks, also after a reload. */
export class WriteBackService implements vscode.Disposable {
  private readonly subscription: { dispose(): void };

  constructor(
    store: ExecutionStore,
    private readonly state: vscode.Memento,
    /** Runs an action and shows its error to the user. */
    private readonly attempt: (action: () => Promise<void>) => void,
  ) {
    this.subscription = store.onDidChange(({ added, changed }) => {
      for (const tracked of [...added, ...changed])
        if (isTerminal(tracked.execution.state)) this.end(tracked);
    });
  }

  /**
   * Call this after the execution was created.
   * @param notebook the submitted content.
   * @param batch true if it was submitted together with others. Each write is then reported in the status bar.
   */
  async expect(
    tracked: TrackedExecution,
    source: vscode.Uri,
    notebook: Uint8Array,
    batch = false,
  ): Promise<void> {
    const entry = { source: source.toString(), hash: hashOf(notebook), ...(batch ? { batch } : {}) };
    await this.save({ ...this.read(), [tracked.key]: entry });
    if (isTerminal(tracked.execution.state)) this.end(tracked);
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private end(tracked: TrackedExecution): void {
    const { [tracked.key]: entry, ...others } = this.read();
    if (entry === undefined) return;
    this.attempt(async () => {
      await this.save(others);
      if (tracked.execution.state === 'SUCCEEDED') {
        const { notifyWritten, writeOutputs } = await import('./written-outputs');
        const source = vscode.Uri.parse(entry.source);
        await writeOutputs(tracked, source, entry.hash);
        notifyWritten(tracked, source, entry.batch === true);
      }
    });
  }

  private read(): Pending {
    return this.state.get<{ readonly pending: Pending }>(KEY)?.pending ?? {};
  }

  private async save(pending: Pending): Promise<void> {
    await this.state.update(KEY, { version: 1, pending });
  }
}
