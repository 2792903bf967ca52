import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import { isActive } from '../../execution/states';
import type { Clock, Disposable } from '../../tracking/clock';
import type { ExecutionStore, TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf } from '../../wording/execution-facts';
import { runCommand } from '../../wording/own-commands';
import { formatBytes, oneLine, withoutLinks } from '../../wording/text';
import { LiveCells } from './live-cells';
import { OutputFileSystemProvider, registerOutputScheme } from './output-file-system-provider';
import { OutputNotebook } from './output-notebook';
import { OutputRefresher } from './output-refresher';
import { revealCell, revealOutputs } from './reveal-cell';
import { OUTPUT_SCHEME, outputUri, parseOutputUri, type DocumentKind } from './output-uri';

export interface OutputDocumentsOptions {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  /** Outputs above this size, in bytes, are opened only after a question. */
  readonly largeOutput: () => number;
}

/** How to open a document. */
export interface OpenOptions {
  /** The cell to show, counted from 0 over all cells; by default the outputs of the failed cell. */
  readonly cell?: number | undefined;
  /**
   * Set if the document opens without a request of the user. The keyboard focus then stays where it is, and the
   * document is not shown if this returns false immediately before showing it.
   */
  readonly mayShow?: () => boolean;
}

/** Inputs and outputs of executions in the editor: opens, compares, saves and refreshes them. */
export class OutputDocuments implements vscode.Disposable {
  private readonly provider: OutputFileSystemProvider;
  private readonly refresher: OutputRefresher;
  /** Documents whose execution is being asked to stop. */
  private readonly stopping = new Set<string>();
  private readonly subscriptions: Disposable[];

  constructor(private readonly options: OutputDocumentsOptions) {
    const { store, clock } = options;
    this.provider = new OutputFileSystemProvider(store, clock);
    this.refresher = new OutputRefresher({
      clock,
      live: () => this.live(),
      check: (document) => this.provider.check(vscode.Uri.parse(document)).catch(() => false),
    });
    const notebook = new OutputNotebook({
      refuse: (uri) => this.refuseToRun(uri),
      stop: (uri) => this.stop(uri),
    });
    const cells = new LiveCells({
      isLive: (uri) => this.isLive(uri),
      kernelFor: (editor) => notebook.kernelFor(editor),
    });
    const updateCells = (editor: vscode.NotebookEditor) => {
      if (editor.notebook.uri.scheme !== OUTPUT_SCHEME) return;
      // Only an indicator of the running cell: its failure can be ignored.
      cells.update(editor).catch(() => undefined);
    };
    const update = () => {
      this.refresher.update();
      vscode.window.visibleNotebookEditors.forEach(updateCells);
    };
    this.subscriptions = [
      this.provider,
      this.refresher,
      registerOutputScheme(this.provider),
      cells,
      notebook,
      vscode.window.onDidChangeVisibleNotebookEditors(update),
      this.provider.onDidRead((uri) => {
        this.refresher.reloaded(uri.toString());
      }),
      vscode.workspace.onDidChangeNotebookDocument(({ notebook, contentChanges }) => {
        if (notebook.uri.scheme !== OUTPUT_SCHEME) return;
        this.refresher.reloaded(notebook.uri.toString());
        for (const editor of vscode.window.visibleNotebookEditors) {
          if (editor.notebook !== notebook) continue;
          if (contentChanges.length > 0) keepSelections(editor);
          cells.changed(editor).catch(() => undefined);
        }
      }),
      store.onDidChange(({ changed, removed }) => {
        // Reload documents of ended executions at once, including those in the background.
        for (const tracked of changed) if (!isActive(tracked.execution.state)) this.refresh(tracked);
        for (const { key } of removed)
          if (store.get(key) === undefined) this.provider.deleted(this.openUris(key));
        update();
      }),
    ];
    update();
  }

  /**
   * Opens the current output: a failed one at the failed cell, an active one at the running cell. Asks first if the
   * output is large.
   * @returns the editor; undefined if the user chose otherwise, it may not be shown, or another editor opened first.
   * @throws ServiceError `outputNotFound` if there is no output yet, or the service's own error.
   */
  async open(
    tracked: TrackedExecution,
    { cell, mayShow }: OpenOptions = {},
  ): Promise<vscode.NotebookEditor | undefined> {
    if (mayShow?.() === false) return undefined;
    const document = await tracked.service.readOutput(tracked.execution);
    if (document === undefined)
      throw new ServiceError('NOT_FOUND', 'outputNotFound', `${tracked.execution.name} has no output yet`);
    if ((document.size ?? 0) <= this.options.largeOutput())
      return this.show('output', tracked, { cell, ...(mayShow === undefined ? {} : { mayShow }) });
    return this.askLarge(tracked, document.size ?? 0, { cell });
  }

  /** Opens the notebook as it was submitted. */
  async openInput(
    tracked: TrackedExecution,
    options: OpenOptions = {},
  ): Promise<vscode.NotebookEditor | undefined> {
    return this.show('input', tracked, options);
  }

  /** Opens the output at the failed cell; at its top if no cell failed. */
  async openFailedCell(tracked: TrackedExecution): Promise<vscode.NotebookEditor | undefined> {
    return this.open(tracked);
  }

  /**
   * Opens the notebook that the execution was submitted from, for editing, at the failed cell if there is one.
   * @returns undefined if the notebook no longer exists.
   */
  async openSource(tracked: TrackedExecution): Promise<vscode.NotebookEditor | undefined> {
    const { openSource } = await import('./source-notebook');
    return openSource(tracked);
  }

  /** Shows what the run changed, with the input beside the output. */
  async compareWithInput(tracked: TrackedExecution): Promise<void> {
    await vscode.commands.executeCommand(
      'vscode.diff',
      outputUri('input', tracked),
      outputUri('output', tracked),
      vscode.l10n.t('{0}: Input and Output', oneLine(notebookNameOf(tracked.execution), 60)),
    );
  }

  /** Compares the outputs of two executions, the older one on the left. */
  async compare(one: TrackedExecution, other: TrackedExecution): Promise<void> {
    const created = ({ execution }: TrackedExecution) => execution.createTime ?? '';
    const [older, newer] = created(one) <= created(other) ? [one, other] : [other, one];
    const names = [older, newer].map(({ execution }) => oneLine(notebookNameOf(execution), 60));
    await vscode.commands.executeCommand(
      'vscode.diff',
      outputUri('output', older),
      outputUri('output', newer),
      names[0] === names[1]
        ? vscode.l10n.t('{0}: Two Executions', names[0] ?? '')
        : vscode.l10n.t('{0} and {1}', names[0] ?? '', names[1] ?? ''),
    );
  }

  /** Asks for a file and writes the output to it. Returns the file; undefined if the user cancelled. */
  async saveAs(tracked: TrackedExecution): Promise<vscode.Uri | undefined> {
    const { saveDocument } = await import('./save-document');
    return saveDocument(tracked);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async show(
    kind: DocumentKind,
    tracked: TrackedExecution,
    { cell, mayShow }: OpenOptions,
  ): Promise<vscode.NotebookEditor | undefined> {
    const document = await vscode.workspace.openNotebookDocument(outputUri(kind, tracked));
    if (mayShow?.() === false) return undefined;
    let editor: vscode.NotebookEditor;
    try {
      editor = await vscode.window.showNotebookDocument(document, {
        preserveFocus: mayShow !== undefined,
        preview: false,
      });
    } catch (error) {
      // If the user double-clicks or opens another editor meanwhile, VS Code rejects the first request.
      if (hasTab(document.uri)) return undefined;
      throw error;
    }
    const { state, runStatus } = tracked.execution;
    const running = kind !== 'input' && isActive(state) ? runStatus?.progress?.cell?.index : undefined;
    const failed = kind === 'input' ? undefined : runStatus?.cell?.index;
    const shown = cell ?? running;
    if (shown !== undefined) revealCell(editor, shown);
    else if (failed !== undefined) await revealOutputs(editor, failed);
    return editor;
  }

  /** Refuses to run cells of a document: the results would not belong to the execution. */
  private async refuseToRun(uri: vscode.Uri): Promise<void> {
    // VS Code has already removed the cells' execution counts; reloading restores them.
    this.provider.reload(uri);
    const rerun = vscode.l10n.t('Re-run');
    const copy = vscode.l10n.t('Open a Copy');
    const chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t('Nothing was run: outputs of executions are read-only.'),
      rerun,
      copy,
    );
    if (chosen === rerun) await runCommand('notebookExecutions.rerun', uri);
    if (chosen === copy) await runCommand('notebookExecutions.openCopy', uri);
  }

  private async askLarge(
    tracked: TrackedExecution,
    size: number,
    options: OpenOptions,
  ): Promise<vscode.NotebookEditor | undefined> {
    const trimmed = vscode.l10n.t('Open Trimmed');
    const download = vscode.l10n.t('Download…');
    const whole = vscode.l10n.t('Open All');
    const chosen = await vscode.window.showWarningMessage(
      withoutLinks(
        vscode.l10n.t(
          'The output of {0} is {1}. Opening all of it may make the editor unresponsive for a while.',
          oneLine(notebookNameOf(tracked.execution), 60),
          formatBytes(size),
        ),
      ),
      trimmed,
      download,
      whole,
    );
    if (chosen === trimmed) return this.show('trimmed', tracked, options);
    if (chosen === whole) return this.show('output', tracked, options);
    if (chosen === download) await this.saveAs(tracked);
    return undefined;
  }

  /** Visible documents whose execution is running. */
  private live(): string[] {
    return vscode.window.visibleNotebookEditors
      .map(({ notebook }) => notebook.uri)
      .filter((uri) => this.isLive(uri))
      .map((uri) => uri.toString());
  }

  /** Whether a document grows: its execution is active and the service has live outputs. */
  private isLive(uri: vscode.Uri): boolean {
    const address = parseOutputUri(uri);
    if (address === undefined || address.kind === 'input') return false;
    const tracked = this.options.store.find(address.serviceId, address.name);
    return (
      tracked !== undefined && tracked.service.capabilities.liveOutput && isActive(tracked.execution.state)
    );
  }

  /** Cancels the execution of a document. A second click while it is being cancelled, or after its end, does nothing. */
  private async stop(uri: vscode.Uri): Promise<void> {
    const key = uri.toString();
    const address = parseOutputUri(uri);
    const tracked = address && this.options.store.find(address.serviceId, address.name);
    if (this.stopping.has(key) || !this.isLive(uri) || tracked?.execution.state === 'CANCELLING') return;
    this.stopping.add(key);
    try {
      await runCommand('notebookExecutions.cancel', uri);
    } finally {
      this.stopping.delete(key);
    }
  }

  private refresh(tracked: TrackedExecution): void {
    for (const uri of this.openUris(tracked.key)) this.provider.check(uri).catch(() => undefined);
  }

  /** Open documents of an execution, except its input, which never changes. */
  private openUris(key: string): vscode.Uri[] {
    return vscode.workspace.notebookDocuments
      .map(({ uri }) => uri)
      .filter((uri) => {
        const address = parseOutputUri(uri);
        return (
          address !== undefined && address.kind !== 'input' && `${address.serviceId}|${address.name}` === key
        );
      });
  }
}

/** VS Code selects the first cell when a reload replaces all cells. The editor still has the selections from before. */
function keepSelections(editor: vscode.NotebookEditor): void {
  editor.selections = [...editor.selections];
}

function hasTab(uri: vscode.Uri): boolean {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .some(({ input }) => input instanceof vscode.TabInputNotebook && input.uri.toString() === uri.toString());
}
