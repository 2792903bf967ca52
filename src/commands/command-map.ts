import type { OwnCommands } from '../wording/own-commands';
import type { CommandTargets } from './targets';

/**
 * Every command that this extension registers, and what it applies to. The manifest declares the same commands
 * (test/host/manifest).
 */
export const COMMANDS = {
  'notebookExecutions.execute': 'notebooks',
  'notebookExecutions.executeAgain': 'notebooks',
  'notebookExecutions.executeFolder': 'folders',
  'notebookExecutions.markCellAsParameters': 'cell',
  'notebookExecutions.unmarkParametersCell': 'cell',
  'notebookExecutions.cancel': 'executions',
  'notebookExecutions.delete': 'executions',
  'notebookExecutions.openOutput': 'executions',
  'notebookExecutions.openInput': 'executions',
  'notebookExecutions.rerun': 'executions',
  'notebookExecutions.rerunWithChanges': 'executions',
  'notebookExecutions.copyName': 'executions',
  'notebookExecutions.showLog': 'executions',
  'notebookExecutions.refresh': 'nothing',
  'notebookExecutions.saveAsTemplate': 'executions',
  'notebookExecutions.editTemplates': 'nothing',
  'notebookExecutions.setDefaultTemplate': 'nothing',
  'notebookExecutions.loadMore': 'moreRow',
  'notebookExecutions.groupBy': 'nothing',
  'notebookExecutions.sortBy': 'nothing',
  'notebookExecutions.filter': 'nothing',
  'notebookExecutions.clearFilter': 'nothing',
  'notebookExecutions.openCell': 'outputCell',
  'notebookExecutions.openCopy': 'document',
  'notebookExecutions.openFailedCell': 'executions',
  'notebookExecutions.openSourceCell': 'executions',
  'notebookExecutions.openNotebook': 'executions',
  'notebookExecutions.compareWithInput': 'executions',
  'notebookExecutions.compareOutputs': 'executions',
  'notebookExecutions.saveOutputAs': 'executions',
  'notebookExecutions.exportReport': 'executions',
  'notebookExecutions.download': 'executions',
  'notebookExecutions.revealOutput': 'executions',
  'notebookExecutions.executeExample': 'nothing',
  'notebookExecutions.installIpykernel': 'nothing',
  'notebookExecutions.createEnvironment': 'nothing',
  'notebookExecutions.selectPython': 'nothing',
  'notebookExecutions.signIn': 'nothing',
  'notebookExecutions.showExtensionLog': 'nothing',
  'notebookExecutions.pin': 'executions',
  'notebookExecutions.unpin': 'executions',
  'notebookExecutions.cleanUp': 'nothing',
  'notebookExecutions.restartService': 'nothing',
  'notebookExecutions.reportProblem': 'nothing',
  'notebookExecutions.newGoogleTemplate': 'nothing',
  'notebookExecutions.openInConsole': 'executions',
  'notebookExecutions.copyOutputUri': 'executions',
} as const satisfies Record<keyof OwnCommands, keyof CommandTargets> & Record<string, keyof CommandTargets>;
export type CommandId = keyof typeof COMMANDS;
export const COMMAND_IDS = Object.keys(COMMANDS) as readonly CommandId[];

/** What the handler of a command receives. */
export type TargetOf<Id extends CommandId> = CommandTargets[(typeof COMMANDS)[Id]];

/**
 * A handler for every command. If one is missing or expects another target, the code does not compile. The returned
 * value is the result of `executeCommand`.
 */
export type CommandMap = { readonly [Id in CommandId]: (target: TargetOf<Id>) => unknown };
