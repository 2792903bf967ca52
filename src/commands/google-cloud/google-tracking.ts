import * as vscode from 'vscode';
import type { UserTemplate } from '../../execution/templates/template';
import type { ExplorerView } from '../../views/explorer/explorer-view';

/** The Google services of a window. */
export interface GoogleServices {
  /** Tracks the services that templates name, depending on whether the executions are visible. */
  trackGoogle(templates: () => Promise<readonly UserTemplate[]>, visible: boolean): Promise<void>;
  /** The next use creates the services with new settings. */
  forgetGoogle(): void;
}

/** Tracks the Google services that templates name, again whenever settings or the visibility of the view change. */
export class GoogleTracking implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable;

  constructor(
    private readonly services: GoogleServices,
    private readonly explorer: Pick<ExplorerView, 'visible' | 'onDidChangeVisibility'>,
    private readonly logError: (error: unknown) => void,
  ) {
    this.subscriptions = vscode.Disposable.from(
      explorer.onDidChangeVisibility(() => {
        this.update();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        const google = event.affectsConfiguration('notebookExecutions.google');
        if (google) services.forgetGoogle();
        if (google || event.affectsConfiguration('notebookExecutions.templates')) this.update();
      }),
    );
  }

  /** Starts and stops tracking. Call once the records of earlier windows are loaded. */
  update(): void {
    const templates = async () => (await import('../templates/template-settings')).usableTemplates();
    this.services.trackGoogle(templates, this.explorer.visible).catch(this.logError);
  }

  dispose(): void {
    this.subscriptions.dispose();
  }
}
