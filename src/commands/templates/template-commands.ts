import * as path from 'node:path';
import * as vscode from 'vscode';
import { type Execution } from '../../execution/execution';
import type { ExecutionService } from '../../execution/execution-service';
import { TEMPLATE_SERVICES, type UserTemplate } from '../../execution/templates/template';
import { wholeExecution } from '../../execution/whole-execution';
import { notebookNameOf } from '../../wording/execution-facts';
import { label } from '../../wording/text';
import { BUILT_IN_TEMPLATE, templateLabel } from '../../wording/names';
import { withoutLinks } from '../../wording/text';
import type { CommandMap } from '../command-map';
import { chooseExecutions, type ExecutionContext } from '../executions/execution-commands';
import { withoutSecrets } from '../secret-values';
import {
  defaultTemplateName,
  editTemplates,
  saveTemplate,
  setDefaultTemplate,
  templatesFor,
} from './template-settings';

type Handled =
  | 'notebookExecutions.saveAsTemplate'
  | 'notebookExecutions.editTemplates'
  | 'notebookExecutions.setDefaultTemplate';

/** Commands on the user's templates. */
export function templateCommands(context: ExecutionContext): Pick<CommandMap, Handled> {
  return {
    'notebookExecutions.saveAsTemplate': async (target) => {
      const title = vscode.l10n.t('Save as Template');
      const [tracked] = await chooseExecutions(context, target, title, 'execution', false);
      if (tracked === undefined) return;
      const name = await askName(tracked.execution);
      const scope = name === undefined ? undefined : await askScope();
      if (name !== undefined && scope !== undefined) {
        const execution = await wholeExecution(tracked.service, tracked.execution);
        await saveTemplate(templateOf(name, tracked.service, execution), scope);
        const edit = vscode.l10n.t('Edit Templates');
        const message = holdsSecrets(execution)
          ? vscode.l10n.t('Saved the template “{0}” without its secret parameters.', name)
          : vscode.l10n.t('Saved the template “{0}”.', name);
        void vscode.window.showInformationMessage(withoutLinks(message), edit).then(async (chosen) => {
          if (chosen === edit) await editTemplates();
        });
      }
    },
    'notebookExecutions.editTemplates': () => editTemplates(),
    'notebookExecutions.setDefaultTemplate': async () => {
      const current = defaultTemplateName(undefined);
      const last: vscode.QuickPickItem = {
        label: vscode.l10n.t('Last used template'),
        picked: current === undefined,
      };
      const named = templatesFor(undefined)
        .filter(({ template }) => template !== undefined)
        .map(({ name }) => ({
          name,
          label: label(templateLabel(name)),
          ...(name === current ? { description: vscode.l10n.t('default') } : {}),
        }));
      const chosen = await vscode.window.showQuickPick([last, ...named], {
        title: vscode.l10n.t('Set Default Template'),
        placeHolder: vscode.l10n.t('Template that is selected first when a notebook is executed'),
      });
      if (chosen !== undefined)
        await setDefaultTemplate('name' in chosen && typeof chosen.name === 'string' ? chosen.name : '');
    },
  };
}

/** Creates a template that runs other notebooks like this execution. */
export function templateOf(name: string, service: ExecutionService, execution: Execution): UserTemplate {
  const [kind, project, location] = service.id.split('/');
  // Source and environment belong to this execution only; the interpreter is determined again for each notebook.
  const {
    source: _source,
    environment: _environment,
    templateName: _templateName,
    interpreter: _interpreter,
    ...runOptions
  } = execution.runOptions ?? {};
  const { inputNotebookFile: _input, ...executionTemplate } = execution.executionTemplate ?? {};
  // The version of that file.
  if (runOptions.vertex?.inputGeneration !== undefined) {
    const { inputGeneration: _generation, ...vertex } = runOptions.vertex;
    runOptions.vertex = vertex;
  }
  // Secrets are removed, because settings files are often shared and other programs can read them.
  const { parameters } = executionTemplate;
  if (parameters !== undefined) executionTemplate.parameters = withoutSecrets(parameters).text;
  // By default the service runs a notebook in its own folder, which differs for other notebooks.
  const { source, workingDirectory } = execution.runOptions ?? {};
  if (workingDirectory !== undefined && source?.startsWith('file:') === true) {
    if (path.dirname(vscode.Uri.parse(source).fsPath) === workingDirectory)
      delete runOptions.workingDirectory;
  }
  return {
    name,
    service: TEMPLATE_SERVICES.find((candidate) => candidate === kind) ?? 'embedded',
    ...(project === undefined ? {} : { project }),
    ...(location === undefined ? {} : { location }),
    executionTemplate,
    runOptions,
  };
}

function holdsSecrets({ executionTemplate }: Execution): boolean {
  return withoutSecrets(executionTemplate?.parameters ?? '').withheld.length > 0;
}

function askName(execution: Execution): PromiseLike<string | undefined> {
  const names = new Set(templatesFor(undefined).map((entry) => entry.name));
  return vscode.window.showInputBox({
    title: vscode.l10n.t('Save as Template'),
    prompt: vscode.l10n.t('Name of the template'),
    value: notebookNameOf(execution),
    validateInput: (value) => {
      if (value.trim() === '') return vscode.l10n.t('A template needs a name.');
      if ([BUILT_IN_TEMPLATE, templateLabel(BUILT_IN_TEMPLATE)].includes(value))
        return vscode.l10n.t('“{0}” is the built-in template.', value);
      return names.has(value)
        ? {
            message: vscode.l10n.t('Replaces the template of this name.'),
            severity: vscode.InputBoxValidationSeverity.Warning,
          }
        : undefined;
    },
  });
}

async function askScope(): Promise<vscode.ConfigurationTarget | undefined> {
  if (vscode.workspace.workspaceFolders === undefined) return vscode.ConfigurationTarget.Global;
  const items = [
    { label: vscode.l10n.t('For all workspaces'), target: vscode.ConfigurationTarget.Global },
    { label: vscode.l10n.t('For this workspace'), target: vscode.ConfigurationTarget.Workspace },
  ];
  const options = {
    title: vscode.l10n.t('Save as Template'),
    placeHolder: vscode.l10n.t('Where to save it'),
  };
  return (await vscode.window.showQuickPick(items, options))?.target;
}
