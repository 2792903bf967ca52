import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ExecutionService } from '../execution/execution-service';
import type { UserTemplate } from '../execution/template';
import type { TrackedExecution } from '../tracking/execution-store';
import type { TrackingService } from '../tracking/tracking-service';
import { pickTemplate, type TemplateChoice } from '../views/pickers/template-picker';
import type { CommandMap } from './command-map';
import { captureNotebook } from './notebook-capture';
import { checkNotebook } from './notebook-check';
import { Problem } from './problem';
import { submit } from './submission';
import type { SubmissionMemory } from './submission-memory';
import { notebookTargets } from './targets';
import { sentenceOfProblems } from './template-sentences';
import { defaultTemplateName, editTemplates, templatesFor } from './template-settings';

/** What the commands of this family need. */
export interface ExecuteContext {
  readonly tracking: TrackingService;
  readonly memory: SubmissionMemory;
  /** The service that a template names. */
  serviceFor(template: UserTemplate): Promise<ExecutionService>;
}

/** Execute Remotely and its kin. */
export class ExecuteCommands {
  /** Submissions that are not yet done, by notebook: a second click does not submit twice. */
  private readonly inFlight = new Map<string, Promise<TrackedExecution | undefined>>();

  constructor(private readonly context: ExecuteContext) {}

  handlers(): Pick<CommandMap, 'notebookExecutions.execute'> {
    return {
      'notebookExecutions.execute': async (...args) => {
        const [source] = notebookTargets(args);
        if (source !== undefined) {
          const tracked = await this.once(source, () => this.execute(source));
          return tracked?.execution.name;
        }
        return undefined;
      },
    };
  }

  private once(
    source: vscode.Uri,
    action: () => Promise<TrackedExecution | undefined>,
  ): Promise<TrackedExecution | undefined> {
    const key = source.toString();
    const running = this.inFlight.get(key);
    if (running !== undefined) {
      return running;
    }
    const started = action().finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, started);
    return started;
  }

  private async execute(source: vscode.Uri): Promise<TrackedExecution | undefined> {
    assertTrusted();
    const notebook = await captureNotebook(source);
    checkNotebook(notebook, path.posix.basename(source.path));
    const template = await this.chooseTemplate(source);
    if (template === undefined) {
      return undefined;
    }
    await this.context.memory.remember(source, { template: template.name });
    return this.submit(source, notebook, template, undefined);
  }

  private async submit(
    source: vscode.Uri,
    notebook: Uint8Array,
    template: UserTemplate,
    parameters: string | undefined,
  ): Promise<TrackedExecution> {
    const title = vscode.l10n.t('Submitting {0}', path.posix.basename(source.path));
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (_, token) => {
        const abort = new AbortController();
        const subscription = token.onCancellationRequested(() => {
          abort.abort();
        });
        try {
          const service = await this.context.serviceFor(template);
          return await submit(
            { source, notebook, template, parameters },
            service,
            this.context.tracking,
            abort.signal,
          );
        } finally {
          subscription.dispose();
        }
      },
    );
  }

  private async chooseTemplate(source: vscode.Uri): Promise<UserTemplate | undefined> {
    const { memory } = this.context;
    const choices = templatesFor(source).map(
      (entry): TemplateChoice & { template: UserTemplate | undefined } => ({
        name: entry.name,
        description: entry.template === undefined ? '' : serviceLabel(entry.template),
        problem: entry.problems === undefined ? undefined : sentenceOfProblems(entry.problems),
        template: entry.template,
      }),
    );
    const pick = await pickTemplate({
      title: vscode.l10n.t('Execute {0}', path.posix.basename(source.path)),
      choices,
      preselected: memory.choiceFor(source)?.template ?? defaultTemplateName(source) ?? memory.lastTemplate,
    });
    if (pick === undefined) {
      return undefined;
    }
    if (pick.action === 'edit') {
      await editTemplates();
      return undefined;
    }
    const { choice } = pick;
    if (choice.template === undefined) {
      throw new Problem(
        vscode.l10n.t('The template “{0}” cannot be used. {1}', choice.name, choice.problem ?? ''),
        [{ label: vscode.l10n.t('Edit Templates'), run: editTemplates }],
      );
    }
    return choice.template;
  }
}

function serviceLabel(template: UserTemplate): string {
  switch (template.service) {
    case 'embedded':
      return vscode.l10n.t('On this machine');
    case 'notebooks':
      return vscode.l10n.t(
        'Google Cloud, Notebooks API: {0}, {1}',
        template.project ?? '',
        template.location ?? '',
      );
    case 'vertex':
      return vscode.l10n.t(
        'Google Cloud, Vertex AI (Agent Platform): {0}, {1}',
        template.project ?? '',
        template.location ?? '',
      );
  }
}

function assertTrusted(): void {
  if (!vscode.workspace.isTrusted) {
    throw new Problem(vscode.l10n.t('Notebooks are executed in trusted workspaces only.'), [
      {
        label: vscode.l10n.t('Manage Workspace Trust'),
        run: () => vscode.commands.executeCommand('workbench.trust.manage'),
      },
    ]);
  }
}
