import * as path from 'node:path';
import * as vscode from 'vscode';
import type { UserTemplate } from '../execution/template';
import type { TrackedExecution } from '../tracking/execution-store';
import { templateLabel } from '../views/template-label';
import { oneLine } from '../views/text';
import type { CommandMap } from './command-map';
import { Problem } from './problems/problem';
import { problemOf } from './problems/problem-sentences';
import { kernelLabel, pythonLabels } from './python/python-label';
import { captureNotebook } from './submission/notebook-capture';
import { checkNotebook } from './submission/notebook-check';
import { askForSubmission, chooseTemplate } from './submission/submission-flow';
import type { SubmissionChoice, SubmissionMemory } from './submission/submission-memory';
import { assertTrusted, Submitter, type SubmitContext } from './submission/submitter';
import { notebookTargets } from './targets';
import { defaultTemplateName, templateNamed } from './templates/template-settings';

/** What these commands need. */
export interface ExecuteContext extends SubmitContext {
  readonly memory: SubmissionMemory;
  /** Fields of a template that its service cannot honour. */
  ignoredFields(template: UserTemplate): readonly string[];
}

/** How many names the confirmation of many notebooks lists. */
const MOST_LISTED = 20;

/** Submits notebooks: Execute Remotely, Re-run Notebook. */
export class ExecuteCommands {
  readonly submitter: Submitter;

  constructor(private readonly context: ExecuteContext) {
    this.submitter = new Submitter(context);
  }

  handlers(): Pick<CommandMap, 'notebookExecutions.execute' | 'notebookExecutions.executeAgain'> {
    return {
      'notebookExecutions.execute': async (...args) => {
        const sources = notebookTargets(args);
        const [source] = sources;
        return source === undefined || sources.length > 1
          ? this.executeMany(sources)
          : this.submitter.once(source, () => this.execute(source));
      },
      'notebookExecutions.executeAgain': async (...args) => {
        const [source] = notebookTargets(args);
        return source === undefined
          ? undefined
          : this.submitter.once(source, () => this.executeAgain(source));
      },
    };
  }

  /**
   * Asks what is to be asked and submits. Answers the execution's resource name; undefined where the person left.
   * @param notebook what to run in place of what is on the screen.
   */
  async execute(
    source: vscode.Uri,
    initial?: SubmissionChoice,
    notebook?: Uint8Array,
  ): Promise<string | undefined> {
    assertTrusted();
    const bytes = notebook ?? (await captureNotebook(source));
    const reading = checkNotebook(bytes, path.posix.basename(source.path));
    const { memory, pythons } = this.context;
    // Looked for while the questions are open, and said in the first of them.
    const python = pythons.forNotebook(source);
    const answers = await askForSubmission(
      source,
      reading,
      initial ?? memory.choiceFor(source),
      memory,
      (template) => this.context.ignoredFields(template),
      python.then((found) => kernelLabel(reading.notebook, found)),
    );
    if (answers === undefined) {
      return undefined;
    }
    await memory.remember(source, answers.choice);
    const { template, parameters } = answers;
    // Asked for again: the person may have gone on typing while the questions were open.
    const current = notebook ?? (await captureNotebook(source));
    const submission = { source, notebook: current, template, parameters, python: await python };
    return nameOf(await this.submitter.submit(submission));
  }

  /**
   * One execution each, with one template and one confirmation. Answers the resource names of those that were created;
   * what cannot be run is told at the end and does not keep the others.
   */
  async executeMany(sources: readonly vscode.Uri[]): Promise<string[] | undefined> {
    assertTrusted();
    const [first] = sources;
    if (first === undefined) {
      return undefined;
    }
    const title =
      sources.length === 1
        ? vscode.l10n.t('Execute 1 Notebook')
        : vscode.l10n.t('Execute {0} Notebooks', sources.length);
    const found = this.context.pythons.forNotebooks(sources);
    const answer = await this.chooseTemplateFor(title, first, found.then(pythonLabels));
    if (answer === undefined) {
      return undefined;
    }
    const { template: chosen, changed } = answer;
    const { parameters } = chosen.executionTemplate;
    const choice: SubmissionChoice = {
      template: chosen.name,
      ...(parameters === undefined ? {} : { parameters }),
      ...(changed
        ? { options: { runOptions: chosen.runOptions, executionTemplate: chosen.executionTemplate } }
        : {}),
    };
    if (!(await confirmMany(sources, chosen))) {
      return undefined;
    }
    const created: string[] = [];
    const failed: { source: vscode.Uri; error: unknown }[] = [];
    const pythons = await found;
    for (const [index, source] of sources.entries()) {
      try {
        const notebook = await captureNotebook(source);
        const submission = { source, notebook, template: chosen, parameters, python: pythons[index] };
        const name = await this.submitter.once(source, async () =>
          nameOf(await this.submitter.submit(submission)),
        );
        if (typeof name === 'string') {
          created.push(name);
          await this.context.memory.remember(source, choice);
        }
      } catch (error) {
        failed.push({ source, error });
      }
    }
    const [problem] = failed;
    if (problem !== undefined) {
      throw new Problem(
        failed.length === 1
          ? problemOf(problem.error).message
          : vscode.l10n.t(
              '{0} of {1} notebooks were not executed. The first: {2}',
              failed.length,
              sources.length,
              problemOf(problem.error).message,
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
    python: Promise<string | undefined>,
  ): ReturnType<typeof chooseTemplate> {
    const { memory } = this.context;
    return chooseTemplate(
      title,
      source,
      defaultTemplateName(source) ?? memory.lastTemplate,
      undefined,
      (template) => this.context.ignoredFields(template),
      python,
    );
  }

  /**
   * Repeats the last submission of a notebook, as it is on the screen now; asks where there is none, or where values
   * were not remembered.
   */
  private async executeAgain(source: vscode.Uri): Promise<string | undefined> {
    assertTrusted();
    const choice = this.context.memory.choiceFor(source);
    const template = choice === undefined ? undefined : templateNamed(choice.template, source);
    if (choice === undefined || template === undefined || choice.withheld !== undefined) {
      return this.execute(source);
    }
    const notebook = await captureNotebook(source);
    const { parameters, options } = choice;
    return nameOf(
      await this.submitter.submit({ source, notebook, template: { ...template, ...options }, parameters }),
    );
  }
}

/** The one question for many notebooks, with their names. */
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

function nameOf(tracked: TrackedExecution): string {
  return tracked.execution.name;
}
