import * as vscode from 'vscode';
import type { Clock, Disposable } from '../tracking/clock';
import type { WindowFocus } from '../tracking/completion-notifier';
import type { ExecutionStore } from '../tracking/execution-store';
import type { MachineMonitor } from '../tracking/machine-monitor';
import type { TrackingService } from '../tracking/tracking-service';
import { CompletionMessages } from './notifications/completion-messages';
import { completionSettings } from './notifications/completion-settings';
import { EditorInUse } from './editor-in-use';
import { ExplorerView } from './explorer/explorer-view';
import { notifyAboutMachine } from './notifications/machine-messages';
import { Welcome } from './explorer/welcome';
import type { FoundPython } from '../python/found-python';
import { LogChannels } from './log-channels';
import { OutputDocuments } from './output/output-documents';
import { CellStatus } from './source/cell-status';
import { FileDecorations } from './source/file-decorations';
import { LatestExecutions } from './source/latest-executions';
import { StatusBarItem } from './status-bar';
import { problemOf } from '../wording/problem-sentences';
import { withoutLinks } from '../wording/text';

export interface ViewsOptions {
  readonly tracking: TrackingService;
  readonly monitor: MachineMonitor;
  readonly clock: Clock;
  /** Workspace state. */
  readonly memento: vscode.Memento;
  /** Finds the Python of this window and whether it can run notebooks. */
  readonly findPython: () => Promise<FoundPython>;
  /** Writes a line to the extension's log. */
  readonly log: (line: string) => void;
}

/** The extension's user interface in a window. */
export interface Views extends vscode.Disposable {
  readonly explorer: ExplorerView;
  readonly welcome: Welcome;
  readonly documents: OutputDocuments;
  readonly logs: LogChannels;
}

/** Creates the views of a window and subscribes them to its tracking. */
export function createViews({ tracking, monitor, clock, memento, findPython, log }: ViewsOptions): Views {
  const { store } = tracking;
  const explorer = new ExplorerView({ tracking, monitor, clock, memento });
  const welcome = new Welcome({ store, explorer, findPython, log });
  const documents = new OutputDocuments({ store, clock, largeOutput });
  const logs = new LogChannels(store, clock);
  const editor = new EditorInUse(clock);
  const latest = new LatestExecutions(store);
  const messages = new CompletionMessages({
    documents,
    explorer,
    editor,
    log,
    settings: completionSettings,
  });
  const disposables: Disposable[] = [
    welcome,
    explorer,
    documents,
    logs,
    editor,
    latest,
    new FileDecorations(latest),
    new CellStatus(latest, clock),
    new StatusBarItem(store, explorer, clock),
    setCloudContext(store),
    tracking.completion.onDidEnd((ended) => void messages.present(ended)),
    ...notifyAboutMachine(monitor),
    tracking.deletion.onDidFail(
      ({ error }) =>
        void vscode.window.showErrorMessage(
          withoutLinks(vscode.l10n.t('The execution could not be deleted: {0}', problemOf(error).message)),
        ),
    ),
  ];
  return {
    explorer,
    welcome,
    documents,
    logs,
    dispose: () => {
      for (const disposable of disposables) disposable.dispose();
    },
  };
}

/** Context key: true while executions of a cloud service are listed. */
const CLOUD_CONTEXT = 'notebookExecutions.cloud';

/** Enables commands that exist only for executions of a cloud service. */
function setCloudContext(store: ExecutionStore): Disposable {
  let told = false;
  return store.onDidChangeService(() => {
    const clouds = store.statuses().some(({ service }) => service.consoleUrl !== undefined);
    if (clouds === told) return;
    told = clouds;
    void vscode.commands.executeCommand('setContext', CLOUD_CONTEXT, clouds);
  });
}

/** The window's focus, as tracking needs it. */
export function windowFocus(): WindowFocus {
  return {
    get focused() {
      return vscode.window.state.focused;
    },
    onDidChange: (listener) =>
      vscode.window.onDidChangeWindowState(() => {
        listener();
      }),
  };
}

function largeOutput(): number {
  return vscode.workspace.getConfiguration('notebookExecutions').get('largeOutputSize', 50) * 1024 * 1024;
}
