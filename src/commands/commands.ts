import type * as vscode from 'vscode';
import type { MachineService } from '../execution/machine';
import { redact } from '../execution/secrets/redaction';
import type { TemplateServices } from '../execution/templates/template-services';
import type { TrackingService } from '../tracking/tracking-service';
import type { Views } from '../views/views';
import type { CommandMap } from './command-map';
import { exampleCommand, type ExampleNotebook } from './execute/example-command';
import { ExecuteCommands } from './execute/execute-commands';
import { executionCommands, type ExecutionContext } from './executions/execution-commands';
import { folderCommands } from './execute/folder-commands';
import { machineCommands } from './machine/machine-commands';
import { googleCommands } from './google-cloud/google-commands';
import { notebookCommands } from './executions/notebook-commands';
import { parametersCellCommands } from './parameters-cell-command';
import type { PythonFinder } from '../python/chosen-python';
import { reportCommand, type ReportContext } from './machine/report-command';
import { rerunCommands } from './execute/rerun-commands';
import { setupCommands } from './setup-commands';
import { SubmissionMemory } from './submission/submission-memory';
import { templateCommands } from './templates/template-commands';
import { viewCommands } from './executions/view-commands';
import type { WriteBackService } from './write-back/write-back';

/** What the commands of a window need. */
export interface CommandsOptions {
  readonly tracking: TrackingService;
  readonly views: Views;
  readonly services: TemplateServices;
  readonly writeBack: WriteBackService;
  readonly machine: MachineService;
  readonly pythons: PythonFinder;
  readonly report: Pick<ReportContext, 'extension' | 'folder' | 'logs'>;
  readonly example: ExampleNotebook;
  /** Workspace state. */
  readonly memento: vscode.Memento;
  readonly log: vscode.LogOutputChannel;
}

/** A handler for every command. Loaded on the first command, because a window that only starts needs none. */
export function createCommands({
  tracking,
  views,
  services,
  writeBack,
  machine,
  pythons,
  report,
  example,
  memento,
  log,
}: CommandsOptions): CommandMap {
  const execute = new ExecuteCommands({
    tracking,
    memory: new SubmissionMemory(memento),
    writeBack,
    pythons,
    services,
    machine,
  });
  const executions: ExecutionContext = { tracking, views };
  return {
    ...execute.handlers(),
    ...executionCommands(executions),
    ...rerunCommands(execute, executions),
    ...folderCommands(execute),
    ...exampleCommand(execute, example),
    ...parametersCellCommands(),
    ...templateCommands(executions),
    ...viewCommands(executions),
    ...notebookCommands(executions, (line) => {
      log.info(redact(line));
    }),
    ...machineCommands(machine, executions),
    ...reportCommand({ ...report, machine, store: tracking.store }),
    ...googleCommands(executions, () => services.directory()),
    ...setupCommands(tracking, pythons, () => views.welcome.check()),
    'notebookExecutions.showExtensionLog': () => {
      log.show();
    },
  };
}
