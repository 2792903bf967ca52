import * as vscode from 'vscode';
import { ServiceRegistry } from './backends/service-registry';
import { CommandRunner, registerCommands } from './commands/command-runner';
import { machineSettings } from './commands/machine/machine-settings';
import { problemOf } from './wording/problem-sentences';
import type { PythonFinder } from './python/chosen-python';
import { notifyCredentialProblems } from './commands/google-cloud/credential-problems';
import { WriteBackService } from './commands/write-back/write-back';
import { defaultDataDirectory, serviceLogFile } from './embedded';
import { redact } from './execution/secrets/redaction';
import { systemClock } from './tracking/clock';
import { LOCAL_RATES } from './tracking/poll-rates';
import { MachineMonitor } from './tracking/machine-monitor';
import { TrackingService } from './tracking/tracking-service';
import { createViews, windowFocus, type Views } from './views/views';

/** Settings that the embedded service applies while it runs. */
const SERVICE_SETTINGS = [
  'notebookExecutions.maxConcurrentExecutions',
  'notebookExecutions.spareKernel',
  'notebookExecutions.keepAwake',
  'notebookExecutions.retention',
  'notebookExecutions.secretParameters',
];

/** Settings that take effect in the next window. */
const RELOAD_SETTINGS = ['notebookExecutions.dataDirectory', 'notebookExecutions.nodePath'];

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
 * Builds the parts of a window and registers them. Returns without waiting for any service.
 * @returns the parts when VS Code runs this extension's own tests, else undefined.
 */
export function activate(context: vscode.ExtensionContext): WindowParts | undefined {
  const log = vscode.window.createOutputChannel(vscode.l10n.t('Notebook Executions'), { log: true });
  const say = (line: string) => {
    log.info(redact(line));
  };

  // Services
  const settings = machineSettings();
  const storageFolder = context.globalStorageUri.fsPath;
  const tracking = new TrackingService({
    clock: systemClock,
    window: windowFocus(),
    storageFolder,
    workspace:
      (vscode.workspace.workspaceFile ?? vscode.workspace.workspaceFolders?.[0]?.uri)?.toString() ?? '',
    processId: process.pid,
    isAlive,
    random: Math.random,
    log: say,
  });
  const dataDirectory = settings.dataDirectory ?? defaultDataDirectory();
  const services = new ServiceRegistry({
    tracking,
    dataDirectory,
    bundles: vscode.Uri.joinPath(context.extensionUri, 'dist').fsPath,
    version: (context.extension.packageJSON as { version: string }).version,
    nodePath: settings.nodePath,
    config: settings.service,
    storageFolder,
    google: () => machineSettings().google,
    log: say,
  });

  const monitor = new MachineMonitor({
    machine: services.embedded,
    store: tracking.store,
    clock: systemClock,
    folder: vscode.Uri.joinPath(context.globalStorageUri, 'retention').fsPath,
    log: say,
  });

  // Loaded when a Python is first searched for.
  let finder: Promise<PythonFinder> | undefined;
  const pythons = (): Promise<PythonFinder> =>
    (finder ??= import('./python/chosen-python').then(
      ({ PythonFinder }) => new PythonFinder(context.workspaceState, say),
    ));

  // Views
  const views = createViews({
    tracking,
    monitor,
    clock: systemClock,
    memento: context.workspaceState,
    describeError: (error) => problemOf(error).message,
    findPython: async () => (await pythons()).forWindow(),
    log: say,
  });

  // Commands
  const runner = new CommandRunner(log);
  const writeBack = new WriteBackService(tracking.store, context.workspaceState, (action) => {
    void runner.run('writeBack', action);
  });
  const commands = registerCommands(runner, async () => {
    const { createCommands } = await import('./commands/commands');
    return createCommands({
      tracking,
      views,
      services,
      writeBack,
      example: {
        source: vscode.Uri.joinPath(context.extensionUri, 'media/walkthrough/dice.ipynb'),
        copy: vscode.Uri.joinPath(context.globalStorageUri, 'dice.ipynb'),
      },
      machine: services.embedded,
      pythons: await pythons(),
      report: {
        extension: context.extension,
        folder: vscode.Uri.joinPath(context.globalStorageUri, 'diagnostics'),
        logs: {
          extension: vscode.Uri.joinPath(context.logUri, `${log.name}.log`).fsPath,
          service: serviceLogFile(dataDirectory),
        },
      },
      memento: context.workspaceState,
      log,
    });
  });
  const credentialProblems = notifyCredentialProblems(tracking, (error) => {
    void runner.run('tracking', () => {
      throw error;
    });
  });

  const templates = async () => (await import('./commands/templates/template-settings')).usableTemplates();
  const trackGoogle = () => {
    services.trackGoogle(templates, views.explorer.visible).catch((error: unknown) => {
      log.error(redact(String(error)));
    });
  };
  const settingsChanges = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('notebookExecutions.google')) services.forgetGoogle();
    if (['google', 'templates'].some((name) => event.affectsConfiguration(`notebookExecutions.${name}`)))
      trackGoogle();
    if (RELOAD_SETTINGS.some((name) => event.affectsConfiguration(name)))
      void runner.run('settings', offerReload);
    if (SERVICE_SETTINGS.some((name) => event.affectsConfiguration(name))) {
      services.embedded.configure(machineSettings().service).catch((error: unknown) => {
        say(`Settings of the service: ${String(error)}`);
      });
    }
  });

  const visibility = views.explorer.onDidChangeVisibility(trackGoogle);

  // Load the records of earlier windows before any service is polled.
  tracking
    .restore()
    .then(() => {
      tracking.addService(services.embedded, LOCAL_RATES);
      trackGoogle();
    })
    .catch((error: unknown) => {
      log.error(redact(String(error)));
    });

  close = async () => {
    await tracking.close();
    services.dispose();
  };
  context.subscriptions.push(
    commands,
    credentialProblems,
    settingsChanges,
    visibility,
    writeBack,
    views,
    monitor,
    log,
  );
  return context.extensionMode === vscode.ExtensionMode.Test ? { tracking, views } : undefined;
}

/** Carries out deletions that could still be undone. Executions keep running. */
export async function deactivate(): Promise<void> {
  await close?.();
  close = undefined;
}

async function offerReload(): Promise<void> {
  const reload = vscode.l10n.t('Reload Window');
  const message = vscode.l10n.t('The changed setting of Notebook Executions takes effect after a reload.');
  if ((await vscode.window.showInformationMessage(message, reload)) === reload)
    await vscode.commands.executeCommand('workbench.action.reloadWindow');
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: the process runs, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
