import type { ExecutionWarning } from '../execution/execution';
import { maskSecrets } from '../execution/secrets/secret-names';
import { prepareForRun, readNotebook } from '../notebook/document';
import { isJsonObject, parseJson, setOwn, stringifyJson, type JsonObject } from '../notebook/json';
import { nameKernel } from '../notebook/kernelspec';
import { tagsOf, type Notebook } from '../notebook/model';
import { ParametersError } from '../notebook/parameters/errors';
import type { RunnerJob } from '../protocol/runner-job';
import { markPending } from '../recording/output-notebook';

/** The part of a job that affects the notebook. */
export type InputOptions = Pick<
  RunnerJob,
  'kernel' | 'parameters' | 'inputPath' | 'outputPath' | 'secretParameters'
>;

/** A notebook that is ready to be run. */
export interface InputNotebook {
  readonly notebook: Notebook;
  readonly warnings: readonly ExecutionWarning[];
  /** JSON text: `metadata.papermill` before the run. */
  readonly description: string;
}

/**
 * Reads a notebook and makes it ready to run: removes old results and adds the parameters.
 * @throws NotebookError, ParametersError
 */
export async function readInputNotebook(bytes: Uint8Array, job: InputOptions): Promise<InputNotebook> {
  const { notebook, warnings } = readNotebook(bytes);
  prepareForRun(notebook);
  nameKernel(notebook, job.kernel);
  const parameters = parametersOf(job);
  const defaults: JsonObject = {};
  const parameterWarnings: ExecutionWarning[] = [];
  const { name, language } = job.kernel;
  // These parsers take time to load, and a notebook without parameters does not need them.
  if (parameters ?? notebook.cells.some((cell) => tagsOf(cell).includes('parameters'))) {
    const { inspectParameters, undeclaredParameters } = await import('../notebook/parameters/inspect');
    for (const declared of inspectParameters(notebook, name, language).parameters)
      if (declared.defaultValue !== undefined) setOwn(defaults, declared.name, declared.defaultValue);
    if (parameters) parameterWarnings.push(...undeclaredParameters(notebook, parameters, name, language));
  }
  if (parameters) {
    const { injectParameters } = await import('../notebook/parameters/inject');
    parameterWarnings.push(...injectParameters(notebook, parameters, name, language));
  }
  markPending(notebook);
  return {
    notebook,
    warnings: [...warnings, ...parameterWarnings],
    description: stringifyJson({
      input_path: job.inputPath,
      output_path: job.outputPath,
      parameters: maskSecrets(parameters ?? {}, job.secretParameters ?? []),
      default_parameters: maskSecrets(defaults, job.secretParameters ?? []),
    }),
  };
}

function parametersOf(job: InputOptions): JsonObject | undefined {
  if (job.parameters === undefined) return undefined;
  const parameters = parseJson(job.parameters);
  if (!isJsonObject(parameters))
    throw new ParametersError('notMapping', 'Parameters must be a mapping of names to values');
  return parameters;
}
