import * as vscode from 'vscode';
import type { MachineService } from '../execution/machine';
import { redact } from '../execution/secrets/redaction';
import type { TemplateServices } from '../execution/templates/template-services';
import type { PythonFinder } from '../python/chosen-python';
import type { TrackingService } from '../tracking/tracking-service';
import type { Views } from '../views/views';
import { CommandRunner, registerCommands } from './command-runner';
import { notifyCredentialProblems } from './google-cloud/credential-problems';
import { GoogleTracking, type GoogleServices } from './google-cloud/google-tracking';
import { applySettingsChanges, type ConfigurableService } from './machine/settings-changes';
import { WriteBackService } from './write-back/write-back';

/** What the commands of a window need. */
export interface CommandModuleOptions {
  readonly context: vscode.ExtensionContext;
  readonly tracking: TrackingService;
  readonly services: TemplateServices &
    GoogleServices & { readonly embedded: MachineService & ConfigurableService };
  readonly views: Views;
  /** Loads the search for Pythons. */
  readonly pythons: () => Promise<PythonFinder>;
  /** Log file of this machine's service. */
  readonly serviceLog: string;
  readonly log: vscode.LogOutputChannel;
}

/** The commands of a window, and what else acts for the user, such as on changed settings. */
export interface CommandModule extends vscode.Disposable {
  readonly google: GoogleTracking;
}

/** Registers the commands of a window. Their handlers are loaded on the first command. */
export function createCommandModule({
  context,
  tracking,
  services,
  views,
  pythons,
  serviceLog,
  log,
}: CommandModuleOptions): CommandModule {
  const runner = new CommandRunner(log);
  const writeBack = new WriteBackService(tracking.store, context.workspaceState, (action) => {
    void runner.run('writeBack', action);
  });
  const google = new GoogleTracking(services, views.explorer, (error) => {
    log.error(redact(String(error)));
  });
  const commands = registerCommands(runner, async () => {
    const { createCommands } = await import('./commands');
    return createCommands({
      tracking,
      views,
      services,
      writeBack,
      machine: services.embedded,
      pythons: await pythons(),
      example: {
        source: vscode.Uri.joinPath(context.extensionUri, 'media/walkthrough/dice.ipynb'),
        copy: vscode.Uri.joinPath(context.globalStorageUri, 'dice.ipynb'),
      },
      report: {
        extension: context.extension,
        folder: vscode.Uri.joinPath(context.globalStorageUri, 'diagnostics'),
        logs: {
          extension: vscode.Uri.joinPath(context.logUri, `${log.name}.log`).fsPath,
          service: serviceLog,
        },
      },
      memento: context.workspaceState,
      log,
    });
  });
  const disposables = vscode.Disposable.from(
    commands,
    notifyCredentialProblems(tracking, (error) => {
      void runner.run('tracking', () => {
        throw error;
      });
    }),
    applySettingsChanges(services.embedded, runner, (line) => {
      log.info(redact(line));
    }),
    google,
    writeBack,
  );
  return {
    google,
    dispose: () => {
      disposables.dispose();
    },
  };
}
