import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ExecutionRequest } from '../execution/execution';
import type { ExecutionService } from '../execution/execution-service';
import type { UserTemplate } from '../execution/template';
import type { TrackedExecution } from '../tracking/execution-store';
import type { TrackingService } from '../tracking/tracking-service';
import { oneLine, withoutLinks } from '../views/text';
import type { CommandMap } from './command-map';
import { captureNotebook } from './notebook-capture';
import { checkNotebook } from './notebook-check';
import { Problem } from './problem';
import { problemOf } from './problem-sentences';
import { create, prepare, type Submission } from './submission';
import { assertKernelKnown, mendable } from './submission-problems';
import { askForSubmission, chooseTemplate, serviceLabel } from './submission-flow';
import type { Choice, SubmissionMemory } from './submission-memory';
import { notebookTargets } from './targets';
import type { WriteBackService } from './write-back';
import { defaultTemplateName, templateNamed } from './template-settings';

/** What submitting needs. */
export interface ExecuteContext {
  readonly tracking: TrackingService;
  readonly memory: SubmissionMemory;
  /** The service that a template names, tracked from now on. */
  serviceFor(template: UserTemplate): Promise<ExecutionService>;
  readonly writeBack: WriteBackService;
  /** Fields of a request that a service elsewhere will not carry out. */
  unsupported(template: UserTemplate, request: ExecutionRequest): Promise<readonly string[]>;
  /** Names of the workspace's files and modules that a notebook uses and that are not there elsewhere. */
  missing(notebook: Uint8Array, file: string, files: readonly string[]): Promise<readonly string[]>;
  /** Fields of a template that its service cannot honour. */
  ignoredFields(template: UserTemplate): readonly string[];
}

/** How many names the confirmation of many notebooks lists. */
const MOST_LISTED = 20;

/** Files of the workspace that are looked through for what a notebook uses. */
const MOST_FILES = 5000;

/** Folders of tools and packages, whose files no notebook means. */
const NO_OWN_FILES = '**/{.git,.venv,venv,node_modules,__pycache__}/**';

/** Submits notebooks: Execute Remotely, Execute Again. */
export class ExecuteCommands {
  /** Submissions that are not yet done, by notebook: a second click does not submit twice. */
  private readonly inFlight = new Map<string, Promise<unknown>>();

  constructor(private readonly context: ExecuteContext) {}

  handlers(): Pick<CommandMap, 'notebookExecutions.execute' | 'notebookExecutions.executeAgain'> {
    return {
      'notebookExecutions.execute': async (...args) => {
        const sources = notebookTargets(args);
        const [source] = sources;
        return source === undefined || sources.length > 1
          ? this.executeMany(sources)
          : this.once(source, () => this.execute(source));
      },
      'notebookExecutions.executeAgain': async (...args) => {
        const [source] = notebookTargets(args);
        return source === undefined ? undefined : this.once(source, () => this.executeAgain(source));
      },
    };
  }

  /** Runs an action for a notebook unless one is under way already; then that one's result is the answer, too. */
  once<T>(source: vscode.Uri, action: () => Promise<T>): Promise<unknown> {
    const key = source.toString();
    const running = this.inFlight.get(key);
    if (running !== undefined) {
      return running;
    }
    const started = action().finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, started);
    return started;
  }

  /**
   * Asks what is to be asked and submits. Answers the execution's resource name; undefined where the person left.
   * @param notebook what to run in place of what is on the screen.
   */
  async execute(source: vscode.Uri, initial?: Choice, notebook?: Uint8Array): Promise<string | undefined> {
    assertTrusted();
    const bytes = notebook ?? (await captureNotebook(source));
    const reading = checkNotebook(bytes, path.posix.basename(source.path));
    const { memory } = this.context;
    const answers = await askForSubmission(
      source,
      reading,
      initial ?? memory.choiceFor(source),
      memory,
      (template) => this.context.ignoredFields(template),
    );
    if (answers === undefined) {
      return undefined;
    }
    await memory.remember(source, answers.choice);
    const { template, parameters } = answers;
    // Asked for again: the person may have gone on typing while the questions were open.
    const current = notebook ?? (await captureNotebook(source));
    return nameOf(await this.submit({ source, notebook: current, template, parameters }));
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
    const answer = await this.chooseTemplateFor(title, first);
    if (answer === undefined) {
      return undefined;
    }
    const { template: chosen, changed } = answer;
    const { parameters } = chosen.executionTemplate;
    const choice: Choice = {
      template: chosen.name,
      ...(parameters === undefined ? {} : { parameters }),
      ...(changed
        ? { options: { runOptions: chosen.runOptions, executionTemplate: chosen.executionTemplate } }
        : {}),
    };
    const yes = vscode.l10n.t('Execute');
    const question =
      sources.length === 1
        ? vscode.l10n.t('Execute 1 notebook with the template “{0}”?', chosen.name)
        : vscode.l10n.t('Execute {0} notebooks with the template “{1}”?', sources.length, chosen.name);
    const names = sources.map((source) => vscode.workspace.asRelativePath(source));
    const listed = [...names.slice(0, MOST_LISTED), ...(names.length > MOST_LISTED ? ['…'] : [])].join('\n');
    const values =
      parameters === undefined
        ? vscode.l10n.t('Parameters are not asked for: each notebook runs with its defaults.')
        : vscode.l10n.t(
            'Parameters are not asked for: each notebook runs with those of the template, else with its defaults.',
          );
    const detail = `${listed}\n\n${values}`;
    if ((await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) !== yes) {
      return undefined;
    }
    const created: string[] = [];
    const failed: { source: vscode.Uri; error: unknown }[] = [];
    for (const source of sources) {
      try {
        const notebook = await captureNotebook(source);
        const submission = { source, notebook, template: chosen, parameters };
        const name = await this.once(source, async () => nameOf(await this.submit(submission)));
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

  private async chooseTemplateFor(title: string, source: vscode.Uri): ReturnType<typeof chooseTemplate> {
    const { memory } = this.context;
    return chooseTemplate(
      title,
      source,
      defaultTemplateName(source) ?? memory.lastTemplate,
      undefined,
      (template) => this.context.ignoredFields(template),
    );
  }

  /** Repeats the last submission of a notebook, as it is on the screen now; asks where there is none. */
  private async executeAgain(source: vscode.Uri): Promise<string | undefined> {
    assertTrusted();
    const choice = this.context.memory.choiceFor(source);
    const template = choice === undefined ? undefined : templateNamed(choice.template, source);
    if (choice === undefined || template === undefined) {
      return this.execute(source);
    }
    const notebook = await captureNotebook(source);
    const { parameters, options } = choice;
    return nameOf(await this.submit({ source, notebook, template: { ...template, ...options }, parameters }));
  }

  /** Creates the execution under a progress that can be cancelled. What fails can be mended and goes on from here. */
  async submit(submission: Submission): Promise<TrackedExecution> {
    assertTrusted();
    const resubmit = (mended: Submission) => this.once(mended.source, () => this.submit(mended));
    const { notebook } = checkNotebook(submission.notebook, path.posix.basename(submission.source.path));
    assertKernelKnown(notebook, submission, resubmit);
    try {
      const tracked = await this.create(submission);
      if (submission.template.runOptions.writeBack === true) {
        await this.context.writeBack.expect(tracked, submission.source, submission.notebook);
      }
      return tracked;
    } catch (error) {
      throw await mendable(error, submission, resubmit);
    }
  }

  private async create(submission: Submission): Promise<TrackedExecution> {
    const name = withoutLinks(oneLine(path.posix.basename(submission.source.path), 60));
    const title = vscode.l10n.t('Submitting {0}', name);
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const abort = new AbortController();
        const subscription = token.onCancellationRequested(() => {
          abort.abort();
        });
        try {
          const service = await this.context.serviceFor(submission.template);
          const request = await prepare(submission);
          await this.confirmLosses(submission, request.execution);
          const input = {
            ...request.input,
            onUpload: (sent: number, total: number) => {
              progress.report({
                message: vscode.l10n.t('{0} % sent', Math.round((100 * sent) / Math.max(1, total))),
              });
            },
          };
          return await create({ ...request, input }, service, this.context.tracking, abort.signal);
        } finally {
          subscription.dispose();
        }
      },
    );
  }

  /** Says what a service elsewhere will not carry out, before anything is sent. */
  private async confirmLosses(
    { source, notebook, template }: Submission,
    execution: ExecutionRequest,
  ): Promise<void> {
    if (template.service === 'embedded') {
      return;
    }
    const fields = await this.context.unsupported(template, execution);
    const files = source.scheme === 'file' ? await this.missingFiles(source, notebook) : [];
    if (fields.length === 0 && files.length === 0) {
      return;
    }
    const detail = [
      ...(fields.length === 0 ? [] : [vscode.l10n.t('The service does not use: {0}', fields.join(', '))]),
      ...(files.length === 0
        ? []
        : [vscode.l10n.t('These files of the workspace will not be there: {0}', files.join(', '))]),
    ].join('\n');
    const yes = vscode.l10n.t('Execute Anyway');
    const question = vscode.l10n.t('Not everything can be taken to {0}.', serviceLabel(template));
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) {
      throw new vscode.CancellationError();
    }
  }

  private async missingFiles(source: vscode.Uri, notebook: Uint8Array): Promise<readonly string[]> {
    const folder = vscode.workspace.getWorkspaceFolder(source);
    if (folder === undefined) {
      return [];
    }
    const pattern = new vscode.RelativePattern(folder, '**/*');
    const files = await vscode.workspace.findFiles(pattern, NO_OWN_FILES, MOST_FILES);
    const relative = (uri: vscode.Uri): string => path.posix.relative(folder.uri.path, uri.path);
    return this.context.missing(notebook, relative(source), files.map(relative));
  }
}

function nameOf(tracked: TrackedExecution): string {
  return tracked.execution.name;
}

/** @throws Problem in a workspace that the person has not said to trust: notebooks are code. */
export function assertTrusted(): void {
  if (!vscode.workspace.isTrusted) {
    throw new Problem(vscode.l10n.t('Notebooks are executed in trusted workspaces only.'), [
      {
        label: vscode.l10n.t('Manage Workspace Trust'),
        run: () => vscode.commands.executeCommand('workbench.trust.manage'),
      },
    ]);
  }
}
