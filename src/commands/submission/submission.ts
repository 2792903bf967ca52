import { randomInt } from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { ExecutionRequest, RunOptions } from '../../execution/execution';
import type { ExecutionInput, ExecutionService } from '../../execution/execution-service';
import { expandOutputName, type UserTemplate } from '../../execution/templates/template';
import type { TrackedExecution } from '../../tracking/execution-store';
import type { TrackingService } from '../../tracking/tracking-service';
import { describePython, type PythonEnvironment } from '../../system/python-environment';
import { kernelEnvironment } from '../../python/kernel-environment';
import type { PythonFinder } from '../../python/chosen-python';
import type { CapturedNotebook } from './notebook-check';
import type { SubmissionChoice } from './submission-memory';

/** A notebook to execute, with all options. */
export interface Submission {
  /** URI of the notebook that the user chose. */
  readonly source: vscode.Uri;
  /** Its content at the time of submission. */
  readonly notebook: CapturedNotebook;
  readonly template: UserTemplate;
  /** YAML or JSON mapping that replaces the template's parameters. */
  readonly parameters: string | undefined;
  /** Fields of the execution to run again that cannot be repeated, see `runStatus.notRepeated`. */
  readonly notRepeated?: readonly string[] | undefined;
  /** What to remember after the execution was created; undefined for nothing. */
  readonly choice?: SubmissionChoice;
  /** The Python to run it with. If absent, it is determined on submission; undefined means that none was found. */
  readonly python?: PythonEnvironment | undefined;
}

/** Delays before retrying a create whose response was lost, in milliseconds. */
const RETRY_AFTER_MS = [200, 1000];

/** The arguments of a create call. */
export interface CreateCall {
  readonly executionId: string;
  readonly execution: ExecutionRequest;
  readonly input: ExecutionInput;
}

/** Builds the request for a submission. Sends nothing. */
export async function createCallFor(submission: Submission, pythons: PythonFinder): Promise<CreateCall> {
  const executionId = newExecutionId(submission.source);
  const execution = await requestOf(submission, executionId, pythons);
  return { executionId, execution, input: { notebook: submission.notebook.bytes } };
}

/**
 * Creates the execution and adds it to the tracking. If the response is lost, retries with the same id: the service
 * then returns the execution that was created.
 * @param batch of executions submitted together, see CompletionNotifier.beginBatch.
 */
export async function create(
  { executionId, execution: request, input }: CreateCall,
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
      if (!lost || wait === undefined || error.reason === 'serviceNotStarted') throw error;
      await delay(wait, undefined, { signal });
    }
  }
  throw new Error('unreachable: the last try returns or throws');
}

/** A readable unique execution id: the notebook's name and ten random letters and digits. */
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

/** A notebook in the cloud that the template names, and that is executed in place of the chosen one. */
export function notebookInstead({
  service,
  executionTemplate,
  runOptions,
}: UserTemplate): string | undefined {
  if (service === 'embedded') return undefined;
  const repository = service === 'vertex' ? runOptions.vertex?.dataform?.repository : undefined;
  const file = executionTemplate.inputNotebookFile;
  return repository ?? (file?.startsWith('gs://') === true ? file : undefined);
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
  if (parameters !== undefined) executionTemplate.parameters = parameters;
  if (template.service !== 'embedded') {
    // The window's environment variables stay on this machine; only those that the template adds are sent.
    const added = Object.keys(environment).length === 0 ? {} : { environment };
    return { executionTemplate, runOptions: { ...runOptions, ...added } };
  }
  const folder = executionTemplate.outputNotebookFolder;
  if (folder !== undefined) executionTemplate.outputNotebookFolder = fileUri(expand(folder));
  const { paramsYamlFile } = executionTemplate;
  if (paramsYamlFile !== undefined) executionTemplate.paramsYamlFile = fileUri(expand(paramsYamlFile));
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

/** The Python that the template sets. */
export async function templatePython(
  { runOptions: { interpreter } }: UserTemplate,
  source: vscode.Uri,
): Promise<PythonEnvironment | undefined> {
  return interpreter === undefined ? undefined : describePython(expander(source)(interpreter));
}

/** Notebooks without a folder, such as untitled ones, run in the workspace folder. */
function defaultDirectory(): Pick<RunOptions, 'workingDirectory'> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  return { workingDirectory: folder?.uri.fsPath ?? os.homedir() };
}

/** Expands VS Code's usual variables in a path of a template. */
function expander(source: vscode.Uri): (text: string) => string {
  const folder = vscode.workspace.getWorkspaceFolder(source) ?? vscode.workspace.workspaceFolders?.[0];
  const values: Readonly<Record<string, string>> = {
    userHome: os.homedir(),
    ...(folder === undefined ? {} : { workspaceFolder: folder.uri.fsPath }),
    ...(source.scheme === 'file' ? { fileDirname: path.dirname(source.fsPath) } : {}),
  };
  return (text) => text.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** A template's folder or file as a URI. Accepts a path or a URI. */
function fileUri(text: string): string {
  return path.isAbsolute(text) ? vscode.Uri.file(text).toString() : text;
}
