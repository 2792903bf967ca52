import * as vscode from 'vscode';
import { createServices } from './backends/services';
import { createCommandModule } from './commands/command-module';
import { machineSettings } from './commands/machine/machine-settings';
import { defaultDataDirectory, serviceLogFile } from './embedded';
import { redact } from './execution/secrets/redaction';
import type { PythonFinder } from './python/chosen-python';
import { systemClock } from './tracking/clock';
import type { TrackingService } from './tracking/tracking-service';
import { createViews, windowFocus, type Views } from './views/views';

let close: (() => Promise<void>) | undefined;

/**
 * Parts of a window for tests in the extension host: the objects of the bundled extension, which give access to its
 * classes.
 */
export interface WindowParts {
  readonly tracking: TrackingService;
  readonly views: Views;
}

/**
 * Builds the modules of a window: services, views and commands. Each returns what it owns. Returns without waiting for
 * any service.
 * @returns parts when VS Code runs this extension's own tests, else undefined.
 */
export function activate(context: vscode.ExtensionContext): WindowParts | undefined {
  const channel = vscode.window.createOutputChannel(vscode.l10n.t('Notebook Executions'), { log: true });
  const log = (line: string) => {
    channel.info(redact(line));
  };
  const settings = machineSettings();
  const dataDirectory = settings.dataDirectory ?? defaultDataDirectory();

  const services = createServices({
    window: windowFocus(),
    storageFolder: context.globalStorageUri.fsPath,
    workspace:
      (vscode.workspace.workspaceFile ?? vscode.workspace.workspaceFolders?.[0]?.uri)?.toString() ?? '',
    dataDirectory,
    bundles: vscode.Uri.joinPath(context.extensionUri, 'dist').fsPath,
    version: (context.extension.packageJSON as { version: string }).version,
    nodePath: settings.nodePath,
    config: settings.service,
    google: () => machineSettings().google,
    log,
  });
  const { tracking, registry, monitor } = services;

  // Loaded when a Python is first searched for.
  let finder: Promise<PythonFinder> | undefined;
  const pythons = (): Promise<PythonFinder> =>
    (finder ??= import('./python/chosen-python').then(
      (python) => new python.PythonFinder(context.workspaceState, log),
    ));

  const views = createViews({
    tracking,
    monitor,
    clock: systemClock,
    memento: context.workspaceState,
    findPython: async () => (await pythons()).forWindow(),
    log,
  });
  const commands = createCommandModule({
    context,
    tracking,
    services: registry,
    views,
    pythons,
    serviceLog: serviceLogFile(dataDirectory),
    log: channel,
  });

  // Load the records of earlier windows before any service is polled.
  services
    .restore()
    .then(() => {
      commands.google.update();
    })
    .catch((error: unknown) => {
      channel.error(redact(String(error)));
    });

  close = () => services.close();
  // Disposed in this order: commands end before what they use.
  context.subscriptions.push(commands, views, monitor, channel);
  return context.extensionMode === vscode.ExtensionMode.Test ? { tracking, views } : undefined;
}

/** Carries out deletions that could still be undone. Executions keep running. */
export async function deactivate(): Promise<void> {
  await close?.();
  close = undefined;
}
