import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ExecutionRequest } from '../../execution/execution';
import { serviceIdOf } from '../../execution/templates/service-id';
import type { TemplateServices } from '../../execution/templates/template-services';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { TrackingService } from '../../tracking/tracking-service';
import { oneLine, withoutLinks } from '../../wording/text';
import { Problem } from '../../wording/problem';
import { underProgress, type ActionProgress } from '../../wording/progress';
import type { PythonFinder } from '../../python/chosen-python';
import { PythonSetup } from '../../python/python-setup';
import type { WriteBackService } from '../write-back/write-back';
import type { CapturedNotebook } from './notebook-check';
import { create, createCallFor, notebookInstead, type Submission } from './submission';
import { serviceName } from '../../wording/names';
import type { SubmissionMemory } from './submission-memory';
import { assertKernelKnown, withRemedies } from './submission-problems';

/** Dependencies of submitting. */
export interface SubmitContext {
  readonly tracking: TrackingService;
  readonly memory: SubmissionMemory;
  readonly services: TemplateServices;
  readonly writeBack: WriteBackService;
  readonly pythons: PythonFinder;
}

/** Progress and cancellation of a submission. */
export interface SubmitProgress extends ActionProgress {
  /** Batch of executions submitted together, see CompletionNotifier.beginBatch. */
  readonly batch?: string;
}

/** How many workspace files are compared with what a notebook uses. */
const MOST_FILES = 5000;

/** Folders of tools and packages, whose files do not belong to the notebook. */
const NO_OWN_FILES = '**/{.git,.venv,venv,node_modules,__pycache__}/**';

/** Submits notebooks, each at most once at a time. */
export class Submitter {
  /** Submissions in progress, by notebook. Prevents a second click from submitting twice. */
  private readonly inFlight = new Map<string, Promise<unknown>>();

  constructor(private readonly context: SubmitContext) {}

  /** Runs an action for a notebook. If one is already in progress, returns the result of that one. */
  once<T>(source: vscode.Uri, action: () => Promise<T>): Promise<unknown> {
    const key = source.toString();
    const running = this.inFlight.get(key);
    if (running !== undefined) return running;

    const started = action().finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, started);
    return started;
  }

  /**
   * Creates the execution. The buttons of an error fix it and submit again.
   * @param progress of a batch; by default the submission shows its own, which can be cancelled.
   */
  async submit(submission: Submission, progress?: SubmitProgress): Promise<TrackedExecution> {
    assertTrusted();
    const { source } = submission;
    const resubmit = (changed: Submission) => this.once(changed.source, () => this.submit(changed));
    if (notebookInstead(submission.template) === undefined)
      assertKernelKnown(submission.notebook.check().notebook, submission, resubmit);
    try {
      const name = withoutLinks(oneLine(path.posix.basename(source.path), 60));
      const tracked = await (progress === undefined
        ? underProgress(vscode.l10n.t('Submitting {0}', name), (own) => this.create(submission, own))
        : this.create(submission, progress));
      const { template, choice } = submission;
      if (choice !== undefined) await this.context.memory.remember(source, choice);

      if (template.runOptions.writeBack === true) {
        await this.context.writeBack.expect(
          tracked,
          source,
          submission.notebook.bytes,
          progress?.batch !== undefined,
        );
      }
      return tracked;
    } catch (error) {
      throw await withRemedies(error, submission, resubmit, new PythonSetup(this.context.pythons));
    }
  }

  private async create(
    submission: Submission,
    { report, signal, batch }: SubmitProgress,
  ): Promise<TrackedExecution> {
    const service = await this.context.services.forTemplate(submission.template);
    const request = await createCallFor(submission, this.context.pythons);
    await this.confirmLosses(submission, request.execution);
    const input = {
      ...request.input,
      onUpload: (sent: number, total: number) => {
        report(vscode.l10n.t('{0}% sent', Math.round((100 * sent) / Math.max(1, total))));
      },
    };
    return create({ ...request, input }, service, this.context.tracking, signal, batch);
  }

  /**
   * Asks for confirmation if a cloud service would ignore options, files would be missing, or something else would run
   * than the user sees. Sends nothing before.
   */
  private async confirmLosses(
    { source, notebook, template, notRepeated = [] }: Submission,
    execution: ExecutionRequest,
  ): Promise<void> {
    if (template.service === 'embedded') return;
    const fields = await this.context.services.unsupported(template, execution);
    const instead = notebookInstead(template);
    const files =
      source.scheme === 'file' && instead === undefined ? await this.missingFiles(source, notebook) : [];
    if (fields.length === 0 && files.length === 0 && notRepeated.length === 0 && instead === undefined)
      return;

    const detail = [
      ...(instead === undefined ? [] : [vscode.l10n.t('Executed in place of this notebook: {0}', instead)]),
      ...(notRepeated.length === 0
        ? []
        : [vscode.l10n.t('Not repeated of the earlier execution: {0}', notRepeated.join(', '))]),
      ...(fields.length === 0 ? [] : [vscode.l10n.t('Ignored by the service: {0}', fields.join(', '))]),
      ...(files.length === 0
        ? []
        : [vscode.l10n.t('These modules and files of the workspace will be missing: {0}', files.join(', '))]),
    ].join('\n');
    const yes = vscode.l10n.t('Execute Anyway');
    const question = vscode.l10n.t(
      '{0} cannot run this exactly as set up here.',
      serviceName(serviceIdOf(template)),
    );
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes)
      throw new vscode.CancellationError();
  }

  private async missingFiles(source: vscode.Uri, captured: CapturedNotebook): Promise<readonly string[]> {
    const folder = vscode.workspace.getWorkspaceFolder(source);
    if (folder === undefined) return [];

    const pattern = new vscode.RelativePattern(folder, '**/*');
    const files = await vscode.workspace.findFiles(pattern, NO_OWN_FILES, MOST_FILES);
    const relative = (uri: vscode.Uri): string => path.posix.relative(folder.uri.path, uri.path);
    const cells = captured.check().notebook.cells.filter(({ cell_type }) => cell_type === 'code');
    const code = cells.map((cell) => cell.source);
    return this.context.services.missing(code, relative(source), files.map(relative));
  }
}

/** @throws Problem in an untrusted workspace, because notebooks are code. */
export function assertTrusted(): void {
  if (!vscode.workspace.isTrusted) {
    throw new Problem(vscode.l10n.t('Notebooks can only be executed in trusted workspaces.'), [
      {
        label: vscode.l10n.t('Manage Workspace Trust'),
        run: () => vscode.commands.executeCommand('workbench.trust.manage'),
      },
    ]);
  }
}
