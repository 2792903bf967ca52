import { randomInt } from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { ExecutionRequest, RunOptions } from '../../execution/execution';
import type { ExecutionInput, ExecutionService } from '../../execution/execution-service';
import { expandOutputName, type UserTemplate } from '../../execution/template';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { TrackingService } from '../../tracking/tracking-service';
import { describePython, type PythonEnvironment } from '../../system/python-environment';
import { kernelEnvironment } from '../../python/kernel-environment';
import type { PythonFinder } from '../../python/chosen-python';
import type { SubmissionChoice } from './submission-memory';

/** One notebook to execute, all questions answered. */
export interface Submission {
  /** The notebook the person chose. */
  readonly source: vscode.Uri;
  /** Its bytes as it was on the screen. */
  readonly notebook: Uint8Array;
  readonly template: UserTemplate;
  /** YAML or JSON mapping, in place of the template's. */
  readonly parameters: string | undefined;
  /** What to remember for the next time once the execution was created; undefined: nothing. */
  readonly choice?: SubmissionChoice;
  /** The Python that was said to run it. Absent: it is looked for; undefined: none was found. */
  readonly python?: PythonEnvironment | undefined;
}

/** Waits between the tries of a create whose answer got lost, in milliseconds. */
const RETRY_AFTER_MS = [200, 1000];

/** What a service is asked to create. */
export interface PreparedExecution {
  readonly executionId: string;
  readonly execution: ExecutionRequest;
  readonly input: ExecutionInput;
}

/** The request for a submission. Nothing is sent. */
export async function prepare(submission: Submission, pythons: PythonFinder): Promise<PreparedExecution> {
  const executionId = newExecutionId(submission.source);
  const execution = await requestOf(submission, executionId, pythons);
  return { executionId, execution, input: { notebook: submission.notebook } };
}

/**
 * Creates the execution and hands it to the tracking. Tried again with the same id where the answer got lost: the
 * service answers with the execution that was created.
 * @param batch of those that are submitted together, see CompletionNotifier.beginBatch.
 */
export async function create(
  { executionId, execution: request, input }: PreparedExecution,
  service: ExecutionService,
  tracking: TrackingService,
  signal: AbortSignal,
  batch?: string,
): Promise<TrackedExecution> {
  signal.throwIfAborted();
  for (const wait of [...RETRY_AFTER_MS, undefined]) {
    const ticket = tracking.store.begin();
    try {
      const execution = await service.create(executionId, request, input, signal);
      const tracked = tracking.store.apply(ticket, service, execution);
      await tracking.completion.submitted(tracked, batch);
      tracking.poke(service.id);
      return tracked;
    } catch (error) {
      const lost = error instanceof ServiceError && error.status === 'UNAVAILABLE';
      if (!lost || wait === undefined || error.reason === 'serviceNotStarted') {
        throw error;
      }
      await delay(wait, undefined, { signal });
    }
  }
  throw new Error('unreachable: the last try returns or throws');
}

/** A readable id that no other execution has: the notebook's name and ten random letters and digits. */
export function newExecutionId(source: vscode.Uri): string {
  const slug = nameOf(source)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const random = Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${slug === '' ? 'notebook' : slug}-${random}`;
}

/** The notebook's file name without its extension. */
export function nameOf(source: vscode.Uri): string {
  return path.posix.basename(source.path).replace(/\.ipynb$/i, '');
}

async function requestOf(
  submission: Submission,
  executionId: string,
  pythons: PythonFinder,
): Promise<ExecutionRequest> {
  const { source, template, parameters } = submission;
  const { outputName, writeBack: _, environment = {}, ...rest } = template.runOptions;
  const expand = expander(source);
  const workingDirectory = rest.workingDirectory === undefined ? undefined : expand(rest.workingDirectory);
  const runOptions: RunOptions = {
    ...rest,
    source: source.toString(),
    templateName: template.name,
    ...(outputName === undefined
      ? {}
      : {
          outputName: expandOutputName(outputName, {
            name: nameOf(source),
            id: executionId,
            now: new Date(),
          }),
        }),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
  };
  const executionTemplate = { ...template.executionTemplate };
  if (parameters !== undefined) {
    executionTemplate.parameters = parameters;
  }
  if (template.service !== 'embedded') {
    // The window's environment stays here; only what the template adds itself is asked for.
    const added = Object.keys(environment).length === 0 ? {} : { environment };
    return { executionTemplate, runOptions: { ...runOptions, ...added } };
  }
  const folder = executionTemplate.outputNotebookFolder;
  if (folder !== undefined) {
    executionTemplate.outputNotebookFolder = fileUri(expand(folder));
  }
  const { paramsYamlFile } = executionTemplate;
  if (paramsYamlFile !== undefined) {
    executionTemplate.paramsYamlFile = fileUri(expand(paramsYamlFile));
  }
  const python =
    (await templatePython(template, source)) ??
    ('python' in submission ? submission.python : await pythons.forNotebook(source));
  return {
    executionTemplate,
    runOptions: {
      ...runOptions,
      ...(workingDirectory === undefined && source.scheme !== 'file' ? defaultDirectory() : {}),
      ...(python === undefined ? {} : { interpreter: python.executable }),
      environment: await kernelEnvironment(source, python, environment),
    },
  };
}

/** The Python that a template names itself. */
export async function templatePython(
  { runOptions: { interpreter } }: UserTemplate,
  source: vscode.Uri,
): Promise<PythonEnvironment | undefined> {
  return interpreter === undefined ? undefined : describePython(expander(source)(interpreter));
}

/** A notebook without a folder of its own runs in the workspace. */
function defaultDirectory(): Pick<RunOptions, 'workingDirectory'> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  return { workingDirectory: folder?.uri.fsPath ?? os.homedir() };
}

/** Replaces VS Code's usual variables in a path of a template. */
function expander(source: vscode.Uri): (text: string) => string {
  const folder = vscode.workspace.getWorkspaceFolder(source) ?? vscode.workspace.workspaceFolders?.[0];
  const values: Readonly<Record<string, string>> = {
    userHome: os.homedir(),
    ...(folder === undefined ? {} : { workspaceFolder: folder.uri.fsPath }),
    ...(source.scheme === 'file' ? { fileDirname: path.dirname(source.fsPath) } : {}),
  };
  return (text) => text.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** A folder or file of a template as a URI; a plain path is one too. */
function fileUri(text: string): string {
  return path.isAbsolute(text) ? vscode.Uri.file(text).toString() : text;
}
