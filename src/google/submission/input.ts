import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../../execution/errors';
import type { ExecutionTemplate, ExecutionWarning } from '../../execution/execution';
import { prepareForRun, readNotebook, writeNotebook } from '../../notebook/document';
import { NotebookError } from '../../notebook/errors';
import { isJsonObject, jsonKeys, setOwn, type JsonObject } from '../../notebook/json';
import { ParametersError } from '../../notebook/parameters/errors';
import { injectParameters } from '../../notebook/parameters/inject';
import { undeclaredParameters } from '../../notebook/parameters/inspect';
import { parseWithWords } from '../../notebook/parameters/parse';
import type { YamlWord } from '../../notebook/parameters/yaml/words';
import type { ExecutionFiles } from '../execution-files';

/** The kernel if neither the template nor the notebook names one: both services run Python by default. */
const DEFAULT_KERNEL = { name: 'python3', language: 'python' };

/**
 * The notebook to send: nbformat 4.5, without the outputs of earlier runs.
 * @throws ServiceError `notebookInvalid` with `code` and the args of NotebookError
 */
export function stripOutputs(notebook: Uint8Array): Uint8Array {
  return translated(() => {
    const { notebook: document } = readNotebook(notebook);
    prepareForRun(document);
    return writeNotebook(document);
  });
}

/**
 * Injects the parameters into a notebook, for a service that does not support parameters.
 * @throws ServiceError `parametersInvalid` with `code` and the args of ParametersError
 */
export function withParameters(
  notebook: Uint8Array,
  parameters: JsonObject,
  kernelSpec: string | undefined,
): Uint8Array {
  return translated(() => {
    const { notebook: document } = readNotebook(notebook);
    const kernelspec = document.metadata['kernelspec'];
    const languageInfo = document.metadata['language_info'];
    const text = (object: typeof kernelspec, key: string): string | undefined => {
      const value = isJsonObject(object) ? object[key] : undefined;
      return typeof value === 'string' ? value : undefined;
    };
    const kernel = kernelSpec ?? text(kernelspec, 'name') ?? DEFAULT_KERNEL.name;
    const language = text(kernelspec, 'language') ?? text(languageInfo, 'name') ?? DEFAULT_KERNEL.language;
    injectParameters(document, parameters, kernel, language);
    return writeNotebook(document);
  });
}

/** Warnings about parameters that the notebook does not declare. */
export function parameterWarnings(
  notebook: Uint8Array,
  parameters: JsonObject,
  kernelSpec: string | undefined,
): ExecutionWarning[] {
  return translated(() => undeclaredParameters(readNotebook(notebook).notebook, parameters, kernelSpec));
}

/**
 * The parameters of a template, and the words in them that YAML 1.1 reads differently. Its `parameters` override those
 * of its `paramsYamlFile` (`gs://` or `file:`).
 * @throws ServiceError `parametersInvalid`, `objectNotFound`, `fieldInvalid`
 */
export async function readParameters(
  template: ExecutionTemplate,
  files: ExecutionFiles,
  signal?: AbortSignal,
): Promise<{ parameters: JsonObject | undefined; words: readonly YamlWord[] }> {
  const { paramsYamlFile, parameters } = template;
  const merged: JsonObject = {};
  const sources: string[] = [];
  let words: readonly YamlWord[] = [];
  if (paramsYamlFile !== undefined) sources.push(await readParameterFile(paramsYamlFile, files, signal));
  if (parameters !== undefined) sources.push(parameters);
  for (const source of sources) {
    const read = translated(() => parseWithWords(source));
    for (const key of jsonKeys(read.values)) setOwn(merged, key, read.values[key] ?? null);
    const kept = words.filter(({ names: [first = ''] }) => !Object.hasOwn(read.values, first));
    words = [...kept, ...read.words];
  }
  return { parameters: jsonKeys(merged).length === 0 ? undefined : merged, words };
}

const FILE_FIELD = 'executionTemplate.paramsYamlFile';

async function readParameterFile(uri: string, files: ExecutionFiles, signal?: AbortSignal): Promise<string> {
  if (!uri.startsWith('file:')) return files.readText(uri, FILE_FIELD, signal);
  try {
    return await readFile(fileURLToPath(uri), {
      encoding: 'utf8',
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const args = { field: FILE_FIELD, path: uri };
    throw new ServiceError('INVALID_ARGUMENT', 'fileNotReadable', String(error), args, { cause: error });
  }
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotebookError || error instanceof ParametersError) {
      const reason = error instanceof NotebookError ? 'notebookInvalid' : 'parametersInvalid';
      throw new ServiceError(
        'INVALID_ARGUMENT',
        reason,
        error.message,
        { code: error.code, ...error.args },
        { cause: error },
      );
    }
    throw error;
  }
}
