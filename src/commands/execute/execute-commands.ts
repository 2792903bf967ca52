import * as path from 'node:path';
import * as vscode from 'vscode';
import type { MachineService } from '../../execution/machine';
import type { UserTemplate } from '../../execution/templates/template';
import type { PythonEnvironment } from '../../system/python-environment';
import type { TrackedExecution } from '../../tracking/execution-store';
import { templateLabel } from '../../wording/names';
import { runCommand } from '../../wording/own-commands';
import { oneLine, withoutLinks } from '../../wording/text';
import type { CommandMap } from '../command-map';
import { Problem } from '../../wording/problem';
import { problemOf } from '../../wording/problem-sentences';
import { kernelLabel, pythonLabels } from '../../python/python-label';
import { CapturedNotebook } from '../submission/notebook-check';
import type { Submission } from '../submission/submission';
import { askForSubmission, chooseTemplate } from '../submission/submission-flow';
import type { SubmissionChoice } from '../submission/submission-memory';
import { underProgress } from '../../wording/progress';
import { assertTrusted, Submitter, type SubmitContext } from '../submission/submitter';
import { missingKernel } from '../templates/missing-kernel';
import { pickNotebook } from './workspace-notebooks';
import { defaultTemplateName, templateNamed } from '../templates/template-settings';

/** Dependencies of these commands. */
export interface ExecuteContext extends SubmitContext {
  readonly machine: MachineService;
}

/** How many names the confirmation for several notebooks lists. */
const MOST_LISTED = 20;
/** How many names a notification lists. */
const MOST_NAMED = 5;

/** Submits notebooks: Execute Remotely, Re-run Notebook. */
export class ExecuteCommands {
  readonly submitter: Submitter;

  constructor(private readonly context: ExecuteContext) {
    this.submitter = new Submitter(context);
  }

  handlers(): Pick<CommandMap, 'notebookExecutions.execute' | 'notebookExecutions.executeAgain'> {
    return {
      'notebookExecutions.execute': async ([source, ...others]) => {
        assertTrusted();
        if (source !== undefined && others.length > 0) return this.executeMany([source, ...others]);
        const chosen = source ?? (await pickNotebook());
        if (chosen === 'example') return runCommand('notebookExecutions.executeExample');
        return chosen === undefined ? undefined : this.submitter.once(chosen, () => this.execute(chosen));
      },
      'notebookExecutions.executeAgain': async ([source]) => {
        if (source === undefined)
          throw new Problem(vscode.l10n.t('Open a notebook first, or right-click one in the Explorer.'));

        return this.submitter.once(source, () => this.executeAgain(source));
      },
    };
  }

  /**
   * Asks for template and parameters and submits. Returns the execution's resource name; undefined if the user
   * cancelled.
   * @param version content to run instead of the notebook's current content.
   * @param notRepeated fields of the execution to run again that cannot be repeated.
   */
  async execute(
    source: vscode.Uri,
    initial?: SubmissionChoice,
    version?: CapturedNotebook,
    notRepeated?: readonly string[],
  ): Promise<string | undefined> {
    assertTrusted();
    const captured = version ?? (await CapturedNotebook.capture(source));
    const reading = captured.check();
    const { memory, pythons } = this.context;
    // The search runs while the questions are open. The first question shows its result.
    const python = pythons.forNotebook(source);
    const answers = await askForSubmission(
      source,
      reading,
      initial ?? memory.choiceFor(source),
      memory,
      (template) => this.context.services.ignoredFields(template),
      (template) => missingKernel(template, source, python, this.context.machine),
      python.then((found) => kernelLabel(reading.notebook, found)),
    );
    if (answers === undefined) return undefined;

    const { template, parameters, choice } = answers;
    const submission = {
      source,
      // Read again: the user may have edited the notebook while the questions were open.
      notebook: version ?? (await captured.captureAgain()),
      template,
      parameters,
      choice,
      python: await python,
      notRepeated,
    };
    return nameOf(await this.submitter.submit(submission));
  }

  /**
   * Submits one execution per notebook, with one template and one confirmation. Returns the resource names of those
   * that were created. Failures are reported at the end and do not stop the others.
   */
  async executeMany(sources: readonly vscode.Uri[]): Promise<string[] | undefined> {
    assertTrusted();
    const [first] = sources;
    if (first === undefined) return undefined;

    const title =
      sources.length === 1
        ? vscode.l10n.t('Execute 1 Notebook')
        : vscode.l10n.t('Execute {0} Notebooks', sources.length);
    const found = this.context.pythons.forNotebooks(sources);
    const answer = await this.chooseTemplateFor(
      title,
      first,
      found.then(([python]) => python),
      found.then(pythonLabels),
    );
    if (answer === undefined) return undefined;

    const { template: chosen, changed } = answer;
    const { parameters } = chosen.executionTemplate;
    const choice: SubmissionChoice = {
      template: chosen.name,
      ...(parameters === undefined ? {} : { parameters }),
      ...(changed
        ? { options: { runOptions: chosen.runOptions, executionTemplate: chosen.executionTemplate } }
        : {}),
    };
    if (!(await confirmMany(sources, chosen))) return undefined;

    return this.submitMany(sources, await found, { template: chosen, parameters, choice });
  }

  /** Submits all notebooks with one progress notification. Cancelling does not affect those already submitted. */
  private async submitMany(
    sources: readonly vscode.Uri[],
    pythons: readonly (PythonEnvironment | undefined)[],
    common: Pick<Submission, 'template' | 'parameters' | 'choice'>,
  ): Promise<string[]> {
    const { completion } = this.context.tracking;
    const batch = sources.length > 1 ? completion.beginBatch() : undefined;
    const created: string[] = [];
    const failed: { source: vscode.Uri; error: unknown }[] = [];
    const title =
      sources.length === 1
        ? vscode.l10n.t('Submitting 1 notebook')
        : vscode.l10n.t('Submitting {0} notebooks', sources.length);
    try {
      await underProgress(title, async ({ report, signal }) => {
        for (const [index, source] of sources.entries()) {
          if (isCancelled(signal)) break;
          const name = withoutLinks(oneLine(path.posix.basename(source.path), 60));
          const place = vscode.l10n.t('{0} of {1}, {2}', index + 1, sources.length, name);
          report(place);
          const progress = {
            report: (message: string) => {
              report(`${place}: ${message}`);
            },
            signal,
            ...(batch === undefined ? {} : { batch }),
          };
          try {
            const notebook = await CapturedNotebook.capture(source);
            const done = await this.submitter.once(source, async () =>
              nameOf(
                await this.submitter.submit(
                  { source, notebook, python: pythons[index], ...common },
                  progress,
                ),
              ),
            );
            if (typeof done === 'string') created.push(done);
          } catch (error) {
            if (!isCancelled(signal)) failed.push({ source, error });
          }
        }
      });
    } finally {
      if (batch !== undefined) completion.endBatch(batch);
    }
    const [problem] = failed;
    if (problem !== undefined) {
      const { message, remedies } = problemOf(problem.error);
      if (sources.length === 1) throw new Problem(message, remedies, { cause: problem.error });
      throw new Problem(
        vscode.l10n.t(
          '{0} of {1} notebooks were not executed: {2}. The first: {3}',
          failed.length,
          sources.length,
          namesOf(failed.map(({ source }) => source)),
          message,
        ),
        [],
        { cause: problem.error },
      );
    }
    return created;
  }

  private async chooseTemplateFor(
    title: string,
    source: vscode.Uri,
    python: Promise<PythonEnvironment | undefined>,
    label: Promise<string | undefined>,
  ): ReturnType<typeof chooseTemplate> {
    const { memory } = this.context;
    return chooseTemplate(
      title,
      source,
      defaultTemplateName(source) ?? memory.lastTemplate,
      undefined,
      (template) => this.context.services.ignoredFields(template),
      (template) => missingKernel(template, source, python, this.context.machine),
      label,
    );
  }

  /**
   * Repeats the last submission of a notebook, with its current content. Asks for template and parameters if there was
   * no submission or if values were not remembered.
   */
  private async executeAgain(source: vscode.Uri): Promise<string | undefined> {
    assertTrusted();
    const choice = this.context.memory.choiceFor(source);
    const template = choice === undefined ? undefined : templateNamed(choice.template, source);
    if (choice === undefined || template === undefined || choice.withheld !== undefined)
      return this.execute(source);

    const notebook = await CapturedNotebook.capture(source);
    const { parameters, options } = choice;
    return nameOf(
      await this.submitter.submit({ source, notebook, template: { ...template, ...options }, parameters }),
    );
  }
}

/** Asks for one confirmation for several notebooks, listing their names. */
async function confirmMany(sources: readonly vscode.Uri[], template: UserTemplate): Promise<boolean> {
  const yes = vscode.l10n.t('Execute');
  const name = oneLine(templateLabel(template.name));
  const question =
    sources.length === 1
      ? vscode.l10n.t('Execute 1 notebook with the template “{0}”?', name)
      : vscode.l10n.t('Execute {0} notebooks with the template “{1}”?', sources.length, name);
  const names = sources.map((source) => oneLine(vscode.workspace.asRelativePath(source)));
  const listed = [...names.slice(0, MOST_LISTED), ...(names.length > MOST_LISTED ? ['…'] : [])].join('\n');
  const values =
    template.executionTemplate.parameters === undefined
      ? vscode.l10n.t('Parameters are not asked for: each notebook runs with its defaults.')
      : vscode.l10n.t(
          'Parameters are not asked for: each notebook runs with those of the template, else with its defaults.',
        );
  const detail = `${listed}\n\n${values}`;
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) === yes;
}

/** A function, because TypeScript would otherwise assume that the flag is still false. */
function isCancelled(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The first names, for a notification. */
function namesOf(sources: readonly vscode.Uri[]): string {
  const names = sources.map((source) => oneLine(path.posix.basename(source.path), 40));
  return [...names.slice(0, MOST_NAMED), ...(names.length > MOST_NAMED ? ['…'] : [])].join(', ');
}

function nameOf(tracked: TrackedExecution): string {
  return tracked.execution.name;
}
