import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import {
  ExecutionTemplateSchema,
  RunOptionsSchema,
  type ExecutionTemplate,
  type ExecutionWarning,
  type RunOptions,
} from '../execution/execution';
import { ServiceError } from '../execution/errors';
import { isJsonObject, parseJson } from '../notebook/json';
import { ParametersError } from '../notebook/parameters/errors';
import { checkNames, dialectOf } from '../notebook/parameters/inject';
import type { ParametersReading } from '../notebook/parameters/parse';
import type { KernelLaunch } from '../runner/job';
import { isExecutable } from '../system/programs';
import { errorCode } from './files';
import { pathOfUri, readClientFile } from './input';

const text = z.optional(z.string());
/** Seconds; at most what a timer of Node can wait, some 23 days. */
const seconds = z.optional(z.number().check(z.positive(), z.maximum(2_000_000)));

/** The request body: every field that a client may send, and no other. What only the service says is ignored, whatever it is. */
const CreateBodySchema = z.strictObject({
  name: z.optional(z.unknown()),
  displayName: z.optional(z.unknown()),
  createTime: z.optional(z.unknown()),
  updateTime: z.optional(z.unknown()),
  state: z.optional(z.unknown()),
  outputNotebookFile: z.optional(z.unknown()),
  jobUri: z.optional(z.unknown()),
  runStatus: z.optional(z.unknown()),
  description: text,
  executionTemplate: z.strictObject({
    ...ExecutionTemplateSchema.shape,
    inputNotebookFile: z.string(),
    acceleratorConfig: z.optional(z.strictObject({ type: text, coreCount: text })),
    dataprocParameters: z.optional(z.strictObject({ cluster: text })),
    vertexAiParameters: z.optional(
      z.strictObject({ network: text, env: z.optional(z.record(z.string(), z.string())) }),
    ),
  }),
  runOptions: z.optional(
    z.strictObject({
      ...RunOptionsSchema.shape,
      timeout: seconds,
      cellTimeout: seconds,
      kernelTimeout: seconds,
      maxAttempts: z.optional(z.number().check(z.int(), z.minimum(1), z.maximum(10))),
      memoryLimitBytes: z.optional(z.number().check(z.int(), z.positive())),
    }),
  ),
});

/** A create request, as far as it can be judged by itself. */
export interface CreateRequest {
  readonly description: string | undefined;
  readonly executionTemplate: ExecutionTemplate & { inputNotebookFile: string };
  readonly runOptions: Omit<RunOptions, 'environment'>;
  readonly environment: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads the body of a create request.
 * @throws ServiceError INVALID_ARGUMENT `fieldUnknown` or `fieldInvalid`, args `field` (its path, `executionTemplate.labels.a`).
 */
export function parseCreateBody(body: unknown, platform: NodeJS.Platform = process.platform): CreateRequest {
  const parsed = CreateBodySchema.safeParse(body);
  if (!parsed.success) throw invalidField(parsed.error.issues[0]);
  const { description, executionTemplate, runOptions = {} } = parsed.data;
  const { environment, ...visible } = runOptions;
  for (const [name, value] of Object.entries(environment ?? {})) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
      // The value is nobody's business, not even in an error.
      throw fieldInvalid('runOptions.environment', `${JSON.stringify(name)} cannot be set`);
    }
  }
  const { outputName } = visible;
  // A name never becomes a path, nor a file that nobody sees: what Windows writes to `a:b` is hidden in `a`.
  if (
    outputName !== undefined &&
    (!/^[^./\\\0][^/\\\0]*$/.test(outputName) ||
      (platform === 'win32' && /[<>:"|?*]/.test(outputName)) ||
      Buffer.byteLength(outputName) > 200)
  ) {
    throw fieldInvalid('runOptions.outputName', 'must be a plain file name');
  }
  return { description, executionTemplate, runOptions: visible, environment };
}

function invalidField(issue: z.core.$ZodIssue | undefined): ServiceError {
  const where = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const field = [...where, issue.keys[0] ?? ''].join('.');
    return new ServiceError('INVALID_ARGUMENT', 'fieldUnknown', `unknown field ${field}`, { field });
  }
  const field = where.length === 0 ? 'execution' : where.join('.');
  return fieldInvalid(field, issue?.code === 'invalid_type' ? `must be ${issue.expected}` : 'is not valid');
}

/** A ServiceError that names a field. */
export function fieldInvalid(field: string, problem: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
}

/** SHA-256 over what the client asked for: the notebook's bytes instead of its place, and not the environment. */
export function contentOf(request: CreateRequest, notebook: Uint8Array): string {
  const { inputNotebookFile: _, ...executionTemplate } = request.executionTemplate;
  const { description, runOptions } = request;
  return createHash('sha256')
    .update(JSON.stringify(sorted({ description, executionTemplate, runOptions })))
    .update('\0')
    .update(notebook)
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

const PARAMETERS_FIELD = 'executionTemplate.parameters';
const MAX_PARAMETERS_BYTES = 16 * 1024 * 1024;

/** Parameters of an execution. */
interface ReadParameters {
  /** JSON; undefined when there are none. */
  readonly text: string | undefined;
  /** See `yamlWordWarnings`. */
  readonly warnings: readonly ExecutionWarning[];
}

/**
 * Parameters of an execution, `parameters` over `paramsYamlFile`.
 * @param secretParameters Patterns of names whose values are not shown.
 * @throws ServiceError INVALID_ARGUMENT `parametersInvalid`, args `field`, `code` and the args of the ParametersError;
 *   `fileNotReadable`.
 */
export async function readParameters(
  template: ExecutionTemplate,
  secretParameters: readonly string[],
): Promise<ReadParameters> {
  const { parameters, paramsYamlFile } = template;
  if (parameters === undefined && paramsYamlFile === undefined) return { text: undefined, warnings: [] };
  // The YAML parser is only loaded by who needs it.
  const { yamlWordWarnings } = await import('../notebook/parameters/yaml-words');
  const { parseWithWords, encodeParameters } = await import('../notebook/parameters/parse');
  const parse = (yaml: string, field: string): ParametersReading =>
    orRefuse(field, () => parseWithWords(yaml));
  const fileField = 'executionTemplate.paramsYamlFile';
  const fromFile =
    paramsYamlFile === undefined
      ? parse('', fileField)
      : parse(
          new TextDecoder().decode(await readClientFile(paramsYamlFile, fileField, MAX_PARAMETERS_BYTES)),
          fileField,
        );
  const given = parse(parameters ?? '', PARAMETERS_FIELD);
  const values = { ...fromFile.values, ...given.values };
  const inUse = fromFile.words.filter(({ names: [name = ''] }) => !Object.hasOwn(given.values, name));
  const text = Object.keys(values).length === 0 ? undefined : encodeParameters(values);
  return { text, warnings: yamlWordWarnings([...inUse, ...given.words], secretParameters) };
}

/**
 * Checks that the parameters can be assigned in the kernel's language, as far as it is known here.
 * @throws ServiceError as {@link readParameters}
 */
export function checkParameterNames(
  parameters: string | undefined,
  { name, language }: Pick<KernelLaunch, 'name' | 'language'>,
): void {
  const dialect = dialectOf(name, language);
  const values = parseJson(parameters ?? '{}');
  if (dialect === undefined || !isJsonObject(values)) return;
  orRefuse(PARAMETERS_FIELD, () => {
    checkNames(values, dialect);
  });
}

/** Does something with parameters. @throws ServiceError where they do not bear it, see {@link readParameters}. */
function orRefuse<T>(field: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ParametersError)) throw error;
    const args = { field, ...error.args, code: error.code };
    throw new ServiceError('INVALID_ARGUMENT', 'parametersInvalid', `${field}: ${error.message}`, args);
  }
}

/**
 * The folder that gets the output, checked as far as it can be without creating anything; it is made when it is needed.
 * @throws ServiceError INVALID_ARGUMENT `outputNotWritable`, args `field`, `path`, `code` of the system error.
 */
export async function checkOutputFolder(uri: string | undefined): Promise<string | undefined> {
  if (uri === undefined) return undefined;
  const field = 'executionTemplate.outputNotebookFolder';
  const folder = pathOfUri(uri, field);
  const refuse = (code: string): ServiceError =>
    new ServiceError(
      'INVALID_ARGUMENT',
      'outputNotWritable',
      `${field}: cannot write to ${folder}: ${code}`,
      {
        field,
        path: folder,
        code,
      },
    );
  for (let existing = folder; ; existing = path.dirname(existing)) {
    try {
      const stat = await fs.stat(existing);
      if (!stat.isDirectory()) throw refuse('ENOTDIR');
      await fs.access(existing, fs.constants.W_OK | fs.constants.X_OK);
      return folder;
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      const code = errorCode(error) ?? String(error);
      if (code !== 'ENOENT' || path.dirname(existing) === existing) throw refuse(code);
    }
  }
}

/**
 * Where the kernel starts: as given, else the folder of the source, else the person's home.
 * @throws ServiceError INVALID_ARGUMENT `workingDirectoryInvalid`, args `field`, `path`.
 */
export async function resolveWorkingDirectory(options: RunOptions): Promise<string> {
  const { workingDirectory: given, source } = options;
  if (given !== undefined) {
    if (path.isAbsolute(given) && !given.includes('\0') && (await isDirectory(given))) return given;
    const field = 'runOptions.workingDirectory';
    throw new ServiceError('INVALID_ARGUMENT', 'workingDirectoryInvalid', `${field}: no folder ${given}`, {
      field,
      path: given,
    });
  }
  const folder = sourcePath(source);
  const parent = folder === undefined ? undefined : path.dirname(folder);
  return parent !== undefined && (await isDirectory(parent)) ? parent : os.homedir();
}

async function isDirectory(file: string): Promise<boolean> {
  return fs.stat(file).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
}

/** The path of a source that is a file of this machine. */
export function sourcePath(source: string | undefined): string | undefined {
  try {
    return source === undefined ? undefined : fileURLToPath(source);
  } catch {
    return undefined;
  }
}

/** @throws ServiceError `fieldInvalid` or FAILED_PRECONDITION `interpreterNotFound`, args `interpreter`. */
export async function checkInterpreter(interpreter: string | undefined): Promise<void> {
  if (interpreter === undefined) return;
  if (!path.isAbsolute(interpreter) || interpreter.includes('\0')) {
    throw fieldInvalid('runOptions.interpreter', 'must be an absolute path');
  }
  if (await isExecutable(interpreter)) return;
  throw new ServiceError('FAILED_PRECONDITION', 'interpreterNotFound', `no interpreter ${interpreter}`, {
    interpreter,
  });
}

/** Stem of the notebook that the person chose, as far as a URI tells: the part of names that people recognize. */
export function stemOf(request: Pick<CreateRequest, 'runOptions' | 'executionTemplate'>): string {
  const uri = request.runOptions.source ?? request.executionTemplate.inputNotebookFile;
  let name = uri.slice(uri.lastIndexOf('/') + 1);
  try {
    name = decodeURIComponent(name);
  } catch {
    // As it stands, then.
  }
  const stem = name
    .replace(/\.ipynb$/i, '')
    .replaceAll(/[^\p{L}\p{N}_. -]/gu, '_')
    .replace(/^[. ]+/, '');
  return cut(stem, MAX_STEM_BYTES) || 'notebook';
}

/** So much of a name that, with an execution's id, it is still one that a file may have (255 bytes). */
const MAX_STEM_BYTES = 160;

function cut(text: string, bytes: number): string {
  let end = '';
  for (const character of text) {
    if (Buffer.byteLength(end + character) > bytes) break;
    end += character;
  }
  return end;
}
