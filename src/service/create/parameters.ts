import type { ExecutionTemplate } from '../../execution/execution';
import { ServiceError } from '../../execution/errors';
import type { JsonObject } from '../../notebook/json';
import { ParametersError } from '../../notebook/parameters/errors';
import { checkNames, dialectOf } from '../../notebook/parameters/inject';
import type { KernelLaunch } from '../../protocol/runner-job';
import { readClientFile } from './client-files';
import {
  MAX_SECONDS,
  onLimitedThread,
  ThreadLimitError,
  type ParameterTexts,
  type ReadParameters,
} from '../thread';

const PARAMETERS_FIELD = 'executionTemplate.parameters';
const FILE_FIELD = 'executionTemplate.paramsYamlFile';

/** Texts up to this total size, bytes, are read on this thread: the worst case takes about 50 ms. */
const INLINE_BYTES = 4096;

/**
 * Reads the parameters of an execution, and checks that they can be assigned in the kernel's language if that is known.
 * `parameters` take precedence over `paramsYamlFile`.
 * @param secretParameters patterns of the names whose values are not shown.
 * @param signal aborts the reading.
 * @throws ServiceError INVALID_ARGUMENT `parametersInvalid`, args `field`, `code` and the args of the ParametersError;
 *   `fileNotReadable`.
 */
export async function readParameters(
  { parameters, paramsYamlFile }: ExecutionTemplate,
  { name, language }: Pick<KernelLaunch, 'name' | 'language'>,
  secretParameters: readonly string[],
  signal?: AbortSignal,
): Promise<ReadParameters> {
  if (parameters === undefined && paramsYamlFile === undefined) return { text: undefined, warnings: [] };
  const { MAX_PARAMETERS_BYTES } = await import('../../notebook/parameters/yaml/document');
  const file =
    paramsYamlFile === undefined
      ? undefined
      : await readClientFile(paramsYamlFile, FILE_FIELD, MAX_PARAMETERS_BYTES);
  const field = parameters === undefined ? FILE_FIELD : PARAMETERS_FIELD;
  const texts: ParameterTexts = { field, parameters, file, kernel: { name, language }, secretParameters };
  const size = Buffer.byteLength(parameters ?? '') + (file?.length ?? 0);
  if (size <= INLINE_BYTES) return mergeParameters(texts);
  try {
    return (await onLimitedThread({ type: 'parameters', texts }, signal)) as ReadParameters;
  } catch (error) {
    if (!(error instanceof ThreadLimitError)) throw error;
    const args = { field, code: 'tooSlow', seconds: String(MAX_SECONDS) };
    throw new ServiceError('INVALID_ARGUMENT', 'parametersInvalid', `${field}: ${error.message}`, args);
  }
}

/** The part of {@link readParameters} that follows once the file is read. */
export async function mergeParameters({
  field,
  parameters = '',
  file,
  kernel,
  secretParameters,
}: ParameterTexts): Promise<ReadParameters> {
  // Load the YAML parser only when there are parameters.
  const { yamlWordWarnings } = await import('../../notebook/parameters/yaml/words');
  const { parseWithWords, encodeParameters } = await import('../../notebook/parameters/parse');
  const fromFile = orRefuse(FILE_FIELD, () => parseWithWords(new TextDecoder().decode(file)));
  const given = orRefuse(PARAMETERS_FIELD, () => parseWithWords(parameters));
  const values: JsonObject = { ...fromFile.values, ...given.values };
  const dialect = dialectOf(kernel.name, kernel.language);
  if (dialect !== undefined) {
    orRefuse(field, () => {
      checkNames(values, dialect);
    });
  }
  const inUse = fromFile.words.filter(({ names: [first = ''] }) => !Object.hasOwn(given.values, first));
  const text = Object.keys(values).length === 0 ? undefined : encodeParameters(values);
  return { text, warnings: yamlWordWarnings([...inUse, ...given.words], secretParameters) };
}

/** Calls `act`. @throws ServiceError in place of a ParametersError, see {@link readParameters}. */
function orRefuse<T>(field: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ParametersError)) throw error;
    const args = { field, ...error.args, code: error.code };
    throw new ServiceError('INVALID_ARGUMENT', 'parametersInvalid', `${field}: ${error.message}`, args);
  }
}
