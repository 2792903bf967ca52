import * as vscode from 'vscode';
import type { Notebook } from '../../notebook/model';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf } from '../../wording/execution-facts';
import { readAll } from '../../execution/read-all';
import { wholeExecution } from '../../execution/whole-execution';
import { BUILT_IN_TEMPLATE } from '../../wording/names';
import { oneLine } from '../../wording/text';
import type { CommandMap } from '../command-map';
import type { ExecuteCommands } from './execute-commands';
import { chooseExecutions, type ExecutionContext } from '../executions/execution-commands';
import { CapturedNotebook } from '../submission/notebook-check';
import { Problem } from '../../wording/problem';
import type { SubmissionChoice } from '../submission/submission-memory';
import { templateOf } from '../templates/template-commands';

/** Commands that run an execution again. */
export function rerunCommands(
  execute: ExecuteCommands,
  context: ExecutionContext,
): Pick<CommandMap, 'notebookExecutions.rerun' | 'notebookExecutions.rerunWithChanges'> {
  const { submitter } = execute;
  return {
    'notebookExecutions.rerun': async (target) => {
      const title = vscode.l10n.t('Re-run Execution');
      const [tracked] = await chooseExecutions(context, target, title, 'execution', false);
      const version = tracked === undefined ? undefined : await chooseVersion(tracked);
      if (tracked === undefined || version === undefined) return undefined;

      const { service } = tracked;
      const execution = await wholeExecution(service, tracked.execution);
      const template = templateOf(
        execution.runOptions?.templateName ?? BUILT_IN_TEMPLATE,
        service,
        execution,
      );
      const { interpreter } = execution.runOptions ?? {};
      const submission = {
        source: version.source,
        notebook: version.notebook,
        template: {
          ...template,
          runOptions: { ...template.runOptions, ...(interpreter === undefined ? {} : { interpreter }) },
        },
        parameters: execution.executionTemplate?.parameters,
        notRepeated: execution.runStatus?.notRepeated,
      };
      return submitter.once(version.source, async () => (await submitter.submit(submission)).execution.name);
    },
    'notebookExecutions.rerunWithChanges': async (target) => {
      const title = vscode.l10n.t('Re-run Execution with Changes');
      const [tracked] = await chooseExecutions(context, target, title, 'execution', false);
      const version = tracked === undefined ? undefined : await chooseVersion(tracked);
      if (tracked === undefined || version === undefined) return undefined;

      const { service } = tracked;
      const execution = await wholeExecution(service, tracked.execution);
      const { runOptions, executionTemplate } = templateOf('', service, execution);
      // Includes secret values, which templates and the submission memory omit.
      const parameters = execution.executionTemplate?.parameters;
      const initial: SubmissionChoice = {
        template: execution.runOptions?.templateName ?? BUILT_IN_TEMPLATE,
        ...(parameters === undefined ? {} : { parameters }),
        options: { runOptions, executionTemplate },
      };
      const { source, notebook } = version;
      const { dataform } = runOptions.vertex ?? {};
      if (dataform?.repository !== undefined) {
        throw new Problem(
          vscode.l10n.t(
            'The notebook is in the Dataform repository {0} and is not known here. It can only be executed again without changes.',
            dataform.repository,
          ),
        );
      }
      return submitter.once(source, () =>
        execute.execute(source, initial, notebook, execution.runStatus?.notRepeated),
      );
    },
  };
}

/** The notebook to run again. */
interface Version {
  readonly source: vscode.Uri;
  readonly notebook: CapturedNotebook;
}

/** The submitted notebook; if the source has changed since, the user chooses. Undefined if the user cancelled. */
async function chooseVersion({ service, execution }: TrackedExecution): Promise<Version | undefined> {
  const name = notebookNameOf(execution);
  const source = execution.runOptions?.source;
  const uri =
    source === undefined
      ? vscode.Uri.from({ scheme: 'untitled', path: `${name}.ipynb` })
      : vscode.Uri.parse(source);
  if (execution.runOptions?.vertex?.dataform !== undefined) {
    // The service reads it: there is no copy of it here.
    return { source: uri, notebook: new CapturedNotebook(uri, new Uint8Array()) };
  }
  const document = await service.readInput(execution);
  const submitted = document === undefined ? undefined : new CapturedNotebook(uri, await readAll(document));
  // The source may have been deleted or may be on another machine.
  const current =
    source === undefined ? undefined : await CapturedNotebook.capture(uri).catch(() => undefined);
  if (submitted === undefined || current === undefined) {
    const notebook = submitted ?? current;
    if (notebook === undefined) {
      throw new Problem(
        vscode.l10n.t('The notebook {0} no longer exists, and neither does the submitted copy.', name),
      );
    }
    return { source: uri, notebook };
  }
  if (sameSource(submitted, current)) return { source: uri, notebook: current };

  const items = [
    { label: vscode.l10n.t('The notebook as it is now'), notebook: current },
    { label: vscode.l10n.t('The notebook as it was executed'), notebook: submitted },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Execute {0}', oneLine(name)),
    placeHolder: vscode.l10n.t('The notebook has changed since. Which version do you want to execute?'),
  });
  return chosen === undefined ? undefined : { source: uri, notebook: chosen.notebook };
}

/** True if both notebooks would run the same code. Compares tags, but not outputs and other cell metadata. */
function sameSource(one: CapturedNotebook, other: CapturedNotebook): boolean {
  const essence = (notebook: Notebook): string =>
    JSON.stringify([
      notebook.metadata['kernelspec'],
      notebook.cells.map(({ cell_type, source, metadata }) => [cell_type, source, metadata['tags']]),
    ]);
  try {
    return essence(one.check().notebook) === essence(other.check().notebook);
  } catch {
    // A notebook that is invalid now differs from the one that was run.
    return false;
  }
}
