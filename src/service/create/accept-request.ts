import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ExecutionWarning } from '../../execution/execution';
import { isNamedBy } from '../../notebook/kernelspec';
import type { KernelLaunch, RunnerJob } from '../../protocol/runner-job';
import { withoutEditorVariables } from '../../system/environment';
import { PARENT } from '../../protocol/service-paths';
import type { FolderStore } from '../executions/folder-store';
import { inspectNotebook } from './client-files';
import { resolveKernel } from './resolve-kernel';
import { outputName } from '../executions/placed-output';
import { readParameters } from './parameters';
import { now, type ExecutionRecord } from '../executions/record';
import type { CreateRequest } from './request';
import {
  checkInterpreter,
  checkOutputFolder,
  resolveWorkingDirectory,
  sourcePath,
  stemOf,
} from './request-paths';
import { unsupportedFields } from '../../protocol/unsupported-fields';

/** This host and its boot id: where accepted executions run. */
export interface HostIdentity {
  readonly host: string;
  readonly boot: string;
}

/** A checked request: the execution's initial record and the job for its runner. */
export interface Accepted {
  readonly record: ExecutionRecord;
  readonly job: RunnerJob;
}

/**
 * Checks a create request, and makes the execution's record and job from it. Nothing is written yet.
 * @param content see {@link ExecutionRecord}.
 * @param secretParameters see {@link RunnerJob}.
 * @param signal aborts the reading of large inputs.
 * @throws ServiceError, see request.ts, parameters.ts, client-files.ts and resolve-kernel.ts.
 */
export async function accept(
  id: string,
  request: CreateRequest,
  notebook: Uint8Array,
  content: string,
  store: FolderStore,
  hostIdentity: HostIdentity,
  secretParameters: string[],
  signal?: AbortSignal,
): Promise<Accepted> {
  const { executionTemplate, runOptions } = request;
  const [facts, workingDirectory, outputFolder] = await Promise.all([
    inspectNotebook(notebook, signal),
    resolveWorkingDirectory(request),
    checkOutputFolder(executionTemplate.outputNotebookFolder),
    checkInterpreter(runOptions.interpreter),
  ]);
  const kernel = await resolveKernel({
    kernelSpec: executionTemplate.kernelSpec,
    interpreter: runOptions.interpreter,
    notebookKernel: facts.kernel,
    notebookLanguage: facts.language,
    env: withoutEditorVariables(request.environment ?? process.env),
  });
  const parameters = await readParameters(executionTemplate, kernel, secretParameters, signal);
  const stem = stemOf(request);
  const folder = store.folder(id);
  const output = store.file(id, 'output');
  const time = now();
  const record: ExecutionRecord = {
    version: 1,
    id,
    content,
    createTime: time,
    updateTime: time,
    stem,
    displayName: stem.replaceAll(/[^A-Za-z0-9_]/g, '_'),
    description: request.description,
    executionTemplate: {
      ...executionTemplate,
      inputNotebookFile: pathToFileURL(store.file(id, 'input')).href,
    },
    runOptions: { ...runOptions, workingDirectory },
    state: 'INITIALIZING',
    history: [{ state: 'INITIALIZING', time }],
    ...hostIdentity,
    attempt: 1,
    schedule: request.schedule,
    outputNotebookFile: pathToFileURL(output).href,
    runStatus: {
      warnings: [
        ...ignoredFields(executionTemplate),
        ...otherKernel(request, facts.kernel, kernel),
        ...parameters.warnings,
      ],
    },
  };
  const job: RunnerJob = {
    version: 1,
    name: `${PARENT}/executions/${id}`,
    attempt: 1,
    folder,
    kernel,
    workingDirectory,
    parameters: parameters.text,
    inputPath: sourcePath(runOptions.source) ?? runOptions.source ?? store.file(id, 'input'),
    outputPath: outputFolder === undefined ? output : path.join(outputFolder, outputName(record)),
    timeout: runOptions.timeout,
    cellTimeout: runOptions.cellTimeout,
    kernelTimeout: runOptions.kernelTimeout ?? 60,
    allowErrors: runOptions.allowErrors ?? false,
    allowErrorNames: runOptions.allowErrorNames ?? [],
    memoryLimitBytes: runOptions.memoryLimitBytes,
    secretParameters,
  };
  return { record, job };
}

/** Warns if the kernel is not the one that the notebook names, and the template asks for none. */
function otherKernel(
  { executionTemplate }: CreateRequest,
  named: string | undefined,
  kernel: KernelLaunch,
): ExecutionWarning[] {
  if (executionTemplate.kernelSpec !== undefined || named === undefined || isNamedBy(named, kernel))
    return [];
  return [{ code: 'otherKernel', args: [named, kernel.name] }];
}

function ignoredFields(template: ExecutionRecord['executionTemplate']): ExecutionWarning[] {
  return unsupportedFields(template).map((field) => ({ code: 'fieldIgnored', args: [field] }));
}
