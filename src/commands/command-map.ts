/** Every command that this extension registers. The manifest declares the same ones (test/host/manifest). */
export const COMMAND_IDS = [
  'notebookExecutions.execute',
  'notebookExecutions.executeAgain',
  'notebookExecutions.executeFolder',
  'notebookExecutions.markCellAsParameters',
  'notebookExecutions.unmarkParametersCell',
  'notebookExecutions.cancel',
  'notebookExecutions.delete',
  'notebookExecutions.openOutput',
  'notebookExecutions.openInput',
  'notebookExecutions.rerun',
  'notebookExecutions.rerunWithChanges',
  'notebookExecutions.copyName',
  'notebookExecutions.showLog',
  'notebookExecutions.refresh',
  'notebookExecutions.saveAsTemplate',
  'notebookExecutions.editTemplates',
  'notebookExecutions.setDefaultTemplate',
  'notebookExecutions.loadMore',
  'notebookExecutions.groupBy',
  'notebookExecutions.sortBy',
  'notebookExecutions.filter',
  'notebookExecutions.clearFilter',
  'notebookExecutions.openCell',
  'notebookExecutions.openCopy',
  'notebookExecutions.openFailedCell',
  'notebookExecutions.openSourceCell',
  'notebookExecutions.openNotebook',
  'notebookExecutions.compareWithInput',
  'notebookExecutions.compareOutputs',
  'notebookExecutions.saveOutputAs',
  'notebookExecutions.exportReport',
  'notebookExecutions.download',
  'notebookExecutions.revealOutput',
  'notebookExecutions.executeExample',
  'notebookExecutions.installIpykernel',
  'notebookExecutions.createEnvironment',
  'notebookExecutions.selectPython',
  'notebookExecutions.signIn',
  'notebookExecutions.showExtensionLog',
  'notebookExecutions.pin',
  'notebookExecutions.unpin',
  'notebookExecutions.cleanUp',
  'notebookExecutions.restartService',
  'notebookExecutions.reportProblem',
  'notebookExecutions.newGoogleTemplate',
  'notebookExecutions.openInConsole',
  'notebookExecutions.copyOutputUri',
] as const;
export type CommandId = (typeof COMMAND_IDS)[number];

/**
 * Runs a command. Its arguments come from menus, keybindings and other extensions, so they must be validated.
 * The returned value is the result of `executeCommand`.
 */
export type CommandHandler = (...args: unknown[]) => unknown;

/** A handler for every command. If one is missing, the code does not compile. */
export type CommandMap = Readonly<Record<CommandId, CommandHandler>>;
