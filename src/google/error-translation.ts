import * as z from 'zod/mini';
import { HTTP_CODES, ServiceError, type StatusName } from '../execution/errors';
import { executionIdOf } from '../execution/execution-name';

/*
 * Google's errors in terms of what a person can do about them. Sources: API Design Guide ("Errors"),
 * google/rpc/error_details.proto, google/api/error_reason.proto, Cloud Storage JSON API ("HTTP status and error codes"),
 * RFC 6749 5.2 for token endpoints.
 *
 * Reasons and their args:
 *   apiNotEnabled {service, url}            permissionDenied {permission, resource}   actAsMissing {serviceAccount}
 *   projectNotFound {project}               billingDisabled {project, url}            regionWithoutService {location}
 *   bucketNotFound {bucket}                 bucketWrongRegion {bucket, location}      objectNotFound {uri}
 *   quotaExceeded {quota}                   rateLimited {retryAfter}                  fieldInvalid {field}
 *   executionNotFound {executionId}         alreadyExists {executionId}                   serviceUnavailable {service, retryAfter}
 *   credentialsMissing | credentialsExpired | credentialsRevoked {command}            credentialsInvalid {path}
 *   clockSkewed                             hostUnreachable {host}                    timedOut {host}
 *   answerMalformed                         serviceError
 */

/** What a request was about, for the args. */
export interface RequestContext {
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  /** Resource name of the execution. */
  readonly name?: string | undefined;
  readonly bucket?: string | undefined;
  /** `gs://` URI of an object. */
  readonly object?: string | undefined;
  readonly serviceAccount?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** The command that mends application default credentials. */
export const LOGIN_COMMAND = 'gcloud auth application-default login';

const DetailSchema = z.object({
  '@type': z._default(z.string(), ''),
  reason: z.optional(z.string()),
  metadata: z.optional(z.record(z.string(), z.string())),
  retryDelay: z.optional(z.string()),
  violations: z.optional(
    z.array(z.object({ subject: z.optional(z.string()), description: z.optional(z.string()) })),
  ),
  fieldViolations: z.optional(z.array(z.object({ field: z.optional(z.string()) }))),
});
type Detail = z.infer<typeof DetailSchema>;

const ApiErrorSchema = z.object({
  error: z.object({
    code: z.optional(z.number()),
    message: z._default(z.string(), ''),
    status: z.optional(z.string()),
    details: z._default(z.array(z.unknown()), []),
    errors: z._default(z.array(z.object({ reason: z.optional(z.string()) })), []),
  }),
});

const TokenErrorSchema = z.object({
  error: z.string(),
  error_description: z._default(z.string(), ''),
  error_subtype: z._default(z.string(), ''),
});

/** What a failed request left behind: an HTTP answer, or a broken connection. */
export interface Failure {
  /** HTTP code; undefined when no answer came. */
  readonly status?: number | undefined;
  /** Parsed body of the answer. */
  readonly body?: unknown;
  readonly retryAfter?: string | null | undefined;
  /** System error code (`ECONNRESET`) or name of a DOMException (`TimeoutError`). */
  readonly code?: string | undefined;
  readonly host?: string | undefined;
  readonly message: string;
  readonly cause: unknown;
}

/** The ServiceError of a failed request. `now` (milliseconds) is for a `Retry-After` given as a date. */
export function translateFailure(failure: Failure, context: RequestContext, now: number): ServiceError {
  const token = TokenErrorSchema.safeParse(failure.body);
  if (token.success) return tokenError(token.data, failure, context);
  if (failure.status === undefined) return connectionError(failure);
  const parsed = ApiErrorSchema.safeParse(failure.body);
  const answer = parsed.success
    ? parsed.data.error
    : { message: '', status: undefined, details: [], errors: [], code: undefined };
  const details = answer.details.flatMap((detail) => {
    const result = DetailSchema.safeParse(detail);
    return result.success ? [result.data] : [];
  });
  const status = statusOf(answer.status, failure.status);
  const message = answer.message === '' ? `HTTP ${String(failure.status)}` : answer.message;
  const [reason, args] = explain(status, message, details, answer.errors, context, failure, parsed.success);
  const retryAfter = retryAfterSeconds(failure.retryAfter, details, now);
  return new ServiceError(
    status,
    reason,
    message,
    defined({ ...args, retryAfter: retryAfter === undefined ? undefined : String(retryAfter) }),
    { cause: failure.cause },
  );
}

type Args = Readonly<Record<string, string | undefined>>;

function explain(
  status: StatusName,
  message: string,
  details: readonly Detail[],
  errors: readonly { reason?: string | undefined }[],
  context: RequestContext,
  failure: Failure,
  readable: boolean,
): [string, Args] {
  const info = details.find((detail) => detail.reason !== undefined);
  const metadata = info?.metadata ?? {};
  const reason = info?.reason ?? errors[0]?.reason;
  const project = metadata['consumer']?.replace(/^projects\//, '') ?? context.project;

  if (reason === 'SERVICE_DISABLED' || reason === 'accessNotConfigured') {
    const service = metadata['service'] ?? failure.host;
    const url =
      metadata['activationUrl'] ??
      `https://console.cloud.google.com/apis/library/${service ?? ''}?project=${project ?? ''}`;
    return ['apiNotEnabled', { service, url, project }];
  }
  if (reason === 'BILLING_DISABLED') {
    const url = `https://console.cloud.google.com/billing/linkedaccount?project=${project ?? ''}`;
    return ['billingDisabled', { project, url }];
  }
  const actAs = /iam\.serviceAccounts\.actAs|permission to act as service account/i;
  if (actAs.test(message) || metadata['permission'] === 'iam.serviceAccounts.actAs') {
    const serviceAccount =
      /[\w.-]+@[\w.-]+\.iam\.gserviceaccount\.com/.exec(message)?.[0] ?? context.serviceAccount;
    return ['actAsMissing', { serviceAccount }];
  }
  if (
    reason === 'CONSUMER_INVALID' ||
    reason === 'USER_PROJECT_DENIED' ||
    reason === 'RESOURCE_PROJECT_INVALID' ||
    /\bproject\b[^.]*(?:not found|does not exist|deleted)/i.test(message)
  ) {
    return ['projectNotFound', { project: context.project ?? project }];
  }
  if (/\bbucket\b/i.test(message)) {
    const bucket = context.bucket ?? /gs:\/\/([^/\s'"]+)/.exec(message)?.[1];
    if (/not exist|not found/i.test(message)) return ['bucketNotFound', { bucket }];
    if (/\b(?:region|location)\b/i.test(message))
      return ['bucketWrongRegion', { bucket, location: context.location }];
  }
  if (
    reason === 'LOCATION_POLICY_VIOLATED' ||
    /\b(?:location|region)\b[^.]*(?:not (?:found|supported|available|valid)|unsupported|invalid)|unsupported (?:location|region)/i.test(
      message,
    )
  ) {
    return ['regionWithoutService', { location: context.location }];
  }
  switch (status) {
    case 'UNAUTHENTICATED':
      return ['credentialsExpired', { command: LOGIN_COMMAND }];
    case 'PERMISSION_DENIED':
      return [
        'permissionDenied',
        { permission: permissionOf(message, metadata), resource: metadata['resource'], project },
      ];
    case 'RESOURCE_EXHAUSTED': {
      const violation = details.flatMap((detail) => detail.violations ?? [])[0];
      const quota = metadata['quota_metric'] ?? violation?.subject ?? violation?.description;
      return quota !== undefined || /quota/i.test(message)
        ? ['quotaExceeded', { quota: quota ?? message, project }]
        : ['rateLimited', {}];
    }
    case 'NOT_FOUND':
      if (context.object !== undefined) return ['objectNotFound', { uri: context.object }];
      // An answer that is not Google's JSON comes from a front end that has no such region.
      if (!readable) return ['regionWithoutService', { location: context.location }];
      return ['executionNotFound', { executionId: idOf(context) }];
    case 'ALREADY_EXISTS':
      return ['alreadyExists', { executionId: idOf(context) }];
    case 'INVALID_ARGUMENT': {
      const field = details.flatMap((detail) => detail.fieldViolations ?? [])[0]?.field;
      return field === undefined ? ['serviceError', {}] : ['fieldInvalid', { field }];
    }
    case 'INTERNAL':
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return ['serviceUnavailable', { service: failure.host }];
    default:
      return ['serviceError', {}];
  }
}

function idOf({ name }: RequestContext): string | undefined {
  return name === undefined ? undefined : executionIdOf(name);
}

/** `Permission 'a.b.c' denied`, `does not have a.b.c access`, `lacks IAM permission "a.b.c"`. */
function permissionOf(message: string, metadata: Readonly<Record<string, string>>): string | undefined {
  return (
    metadata['permission'] ??
    /['"`]([a-z]\w*\.\w+\.\w+)['"`]/.exec(message)?.[1] ??
    /\b([a-z]\w*\.[a-zA-Z]+\.[a-z]\w*)\s+(?:access|permission)/.exec(message)?.[1]
  );
}

function tokenError(
  token: z.infer<typeof TokenErrorSchema>,
  failure: Failure,
  context: RequestContext,
): ServiceError {
  const said = `${token.error} ${token.error_subtype} ${token.error_description}`;
  const [reason, args]: [string, Args] = /iat|exp\b|short-lived|clock/i.test(token.error_description)
    ? ['clockSkewed', {}]
    : /invalid_rapt|rapt_required|reauth/i.test(said)
      ? ['credentialsExpired', { command: LOGIN_COMMAND }]
      : context.keyFile !== undefined
        ? ['credentialsInvalid', { path: context.keyFile }]
        : ['credentialsRevoked', { command: LOGIN_COMMAND }];
  return new ServiceError('UNAUTHENTICATED', reason, said.replace(/\s+/g, ' ').trim(), defined(args), {
    cause: failure.cause,
  });
}

function connectionError(failure: Failure): ServiceError {
  const args = defined({ host: failure.host });
  const timedOut = failure.code === 'TimeoutError' || /TIMEDOUT|TIMEOUT/i.test(failure.code ?? '');
  return timedOut
    ? new ServiceError('DEADLINE_EXCEEDED', 'timedOut', failure.message, args, { cause: failure.cause })
    : new ServiceError('UNAVAILABLE', 'hostUnreachable', failure.message, args, { cause: failure.cause });
}

const STATUS_OF_HTTP_CODE: Readonly<Record<number, StatusName>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ALREADY_EXISTS',
  // Cloud Storage: an upload session that is no more.
  410: 'NOT_FOUND',
  // Cloud Storage: a precondition such as ifGenerationMatch did not hold.
  412: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  504: 'DEADLINE_EXCEEDED',
};

function statusOf(name: string | undefined, httpCode: number): StatusName {
  if (name !== undefined && Object.hasOwn(HTTP_CODES, name)) return name as StatusName;
  return STATUS_OF_HTTP_CODE[httpCode] ?? (httpCode < 500 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE');
}

/** Seconds from a `Retry-After` header (seconds or a date) or a RetryInfo. */
function retryAfterSeconds(
  header: string | null | undefined,
  details: readonly Detail[],
  now: number,
): number | undefined {
  if (header !== null && header !== undefined && header !== '') {
    const seconds = Number(header);
    if (Number.isFinite(seconds)) return Math.max(0, seconds);
    const date = Date.parse(header);
    if (Number.isFinite(date)) return Math.max(0, Math.ceil((date - now) / 1000));
  }
  const delay = details.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const seconds = delay === undefined ? NaN : Number.parseFloat(delay);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** Args without those that are not known. */
export function defined(args: Args): Record<string, string> {
  return Object.fromEntries(
    Object.entries(args).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
