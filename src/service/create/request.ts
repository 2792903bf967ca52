import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod/mini';
import {
  RunOptionsSchema,
  StrictExecutionTemplateSchema,
  type ExecutionTemplate,
  type RunOptions,
  type ScheduledBy,
} from '../../execution/execution';
import { ACCELERATOR_TYPES, JOB_TYPES, SCALE_TIERS } from '../../execution/enumerations';
import { ServiceError } from '../../execution/errors';
import { enumValue, fromProtoJson, int64 } from '../api/proto-json';
import { onLimitedThread, ThreadLimitError } from '../thread';

const text = z.optional(z.string());
/** Seconds. The maximum, about 23 days, is within what a Node timer can wait. */
const seconds = z.optional(z.number().check(z.positive(), z.maximum(2_000_000)));

/**
 * The request body, as {@link fromProtoJson} returns it: every field that a client may send, and no other. Output-only
 * fields are accepted and ignored.
 */
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
  executionTemplate: z.extend(StrictExecutionTemplateSchema, {
    inputNotebookFile: z.string(),
    // A value that Google's clients do not know would make each list that contains it unreadable for them.
    scaleTier: z.optional(enumValue(SCALE_TIERS)),
    jobType: z.optional(enumValue(JOB_TYPES)),
    acceleratorConfig: z.optional(
      z.strictObject({ type: z.optional(enumValue(ACCELERATOR_TYPES)), coreCount: z.optional(int64()) }),
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

/** A create request after the checks that need nothing but the request itself. */
export interface CreateRequest {
  readonly description: string | undefined;
  readonly executionTemplate: ExecutionTemplate & { inputNotebookFile: string };
  readonly runOptions: Omit<RunOptions, 'environment'>;
  readonly environment: Readonly<Record<string, string>> | undefined;
  /** Set by this service for a run of a schedule. */
  readonly schedule?: ScheduledBy | undefined;
}

/** Bodies up to this size, bytes, are read on this thread: the worst case takes about 20 ms. */
const INLINE_BYTES = 64 * 1024;

/**
 * Reads the body of a create request, on another thread if it is large.
 * @param signal aborts the reading.
 * @throws ServiceError as {@link readCreateBody}; `requestTooLarge` if reading it exceeds a limit on time or memory.
 */
export async function readCreateRequest(bytes: Uint8Array, signal: AbortSignal): Promise<CreateRequest> {
  if (bytes.length <= INLINE_BYTES) return readCreateBody(bytes);
  try {
    return (await onLimitedThread({ type: 'body', bytes }, signal)) as CreateRequest;
  } catch (error) {
    if (!(error instanceof ThreadLimitError)) throw error;
    throw new ServiceError('INVALID_ARGUMENT', 'requestTooLarge', `the request body: ${error.message}`);
  }
}

/** Reads the body of a create request. @throws ServiceError `jsonInvalid`, and as {@link parseCreateBody}. */
export function readCreateBody(bytes: Uint8Array): CreateRequest {
  return parseCreateBody(parseBody(bytes));
}

/** Parses a request's body as JSON; undefined if it is empty. @throws ServiceError INVALID_ARGUMENT `jsonInvalid`. */
export function parseBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ServiceError('INVALID_ARGUMENT', 'jsonInvalid', 'the request body is not JSON in UTF-8');
  }
}

/** Most bytes of JSON in all fields but `parameters` and the environment. Every list of executions contains them. */
const MAX_FIELDS = 256 * 1024;
/** Most bytes of JSON in the environment: a program cannot be started with one of 2 MB. */
const MAX_ENVIRONMENT = 1024 * 1024;

/** Most values in a body: each of them is checked, and an environment has a few hundred. */
const MAX_VALUES = 20_000;

/**
 * Checks the body of a create request.
 * @throws ServiceError INVALID_ARGUMENT `fieldUnknown` or `fieldInvalid`, args `field` (its path, such as
 *   `executionTemplate.labels.a`).
 */
export function parseCreateBody(body: unknown, platform: NodeJS.Platform = process.platform): CreateRequest {
  checkCount(body);
  const parsed = CreateBodySchema.safeParse(fromProtoJson(CreateBodySchema, body));
  if (!parsed.success) throw invalidField(parsed.error.issues[0]);
  const { description, executionTemplate, runOptions = {} } = parsed.data;
  const { environment, ...visible } = runOptions;
  for (const [name, value] of Object.entries(environment ?? {})) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
      // The value may be secret, so the error does not contain it.
      const quoted = JSON.stringify(name.slice(0, MAX_QUOTED));
      throw fieldInvalid('runOptions.environment', `${quoted} cannot be set`);
    }
  }
  if (
    executionTemplate.dataprocParameters !== undefined &&
    executionTemplate.vertexAiParameters !== undefined
  ) {
    // A `oneof` of the proto: with both, clients could not read the execution.
    throw fieldInvalid('executionTemplate.vertexAiParameters', 'excludes dataprocParameters');
  }
  const { parameters: _, ...fields } = executionTemplate;
  checkSize('execution', 'its fields', { description, fields, visible }, MAX_FIELDS);
  checkSize('runOptions.environment', 'its variables', environment ?? {}, MAX_ENVIRONMENT);
  const { outputName } = visible;
  // The name must not become a path, nor a hidden file: Windows writes `a:b` to a stream hidden in `a`.
  if (
    outputName !== undefined &&
    (!/^[^./\\\0][^/\\\0]*$/.test(outputName) ||
      (platform === 'win32' && /[<>:"|?*]/.test(outputName)) ||
      Buffer.byteLength(outputName) > 200)
  )
    throw fieldInvalid('runOptions.outputName', 'must be a plain file name');

  return { description, executionTemplate, runOptions: visible, environment };
}

/** Limits the number of values. Not recursive, because the unchecked body may be nested to any depth. */
function checkCount(body: unknown): void {
  const open = [body];
  let values = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const inner: unknown[] = Object.values(value);
    values += inner.length;
    if (values > MAX_VALUES) throw fieldInvalid('execution', `has more than ${MAX_VALUES} values`);
    for (const each of inner) open.push(each);
  }
}

function checkSize(field: string, what: string, value: unknown, most: number): void {
  if (Buffer.byteLength(JSON.stringify(value)) <= most) return;
  throw fieldInvalid(field, `${what} together have more than ${most} bytes`);
}

/** Most characters of a field's name that an error quotes. */
const MAX_QUOTED = 200;

/** The error of a failed check of a request body. */
export function invalidField(issue: z.core.$ZodIssue | undefined): ServiceError {
  const where = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const field = [...where, issue.keys[0] ?? ''].join('.').slice(0, MAX_QUOTED);
    return new ServiceError('INVALID_ARGUMENT', 'fieldUnknown', `unknown field ${field}`, { field });
  }
  const field = where.length === 0 ? 'execution' : where.join('.').slice(0, MAX_QUOTED);
  if (issue?.code === 'custom') return fieldInvalid(field, issue.message);
  return fieldInvalid(field, issue?.code === 'invalid_type' ? `must be ${issue.expected}` : 'is not valid');
}

/** An INVALID_ARGUMENT error that names a field. */
export function fieldInvalid(field: string, problem: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
}

/** Bytes to hash before other work gets its turn: about 10 ms of work. */
const HASHED_AT_ONCE = 4 * 1024 * 1024;

/** SHA-256 of a create request, with the notebook's bytes instead of its path, and without the environment. */
export async function contentOf(request: CreateRequest, notebook: Uint8Array): Promise<string> {
  const { inputNotebookFile: _, ...executionTemplate } = request.executionTemplate;
  const { description, runOptions } = request;
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted({ description, executionTemplate, runOptions })))
    .update('\0');
  for (let start = 0; start < notebook.length; start += HASHED_AT_ONCE) {
    if (start > 0) await setImmediate();
    hash.update(notebook.subarray(start, start + HASHED_AT_ONCE));
  }
  return hash.digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
